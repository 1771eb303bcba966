import type { Command } from "commander";
import type { CommandIo } from "../io.ts";
import { wholeNumber } from "../whole-number.ts";
import {
  headFacts,
  jsonOption,
  orgOf,
  orgOption,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store new-epoch`. */
export function addNewEpoch(store: Command, io: CommandIo): void {
  store
    .command("new-epoch")
    .addOption(storeOption())
    .addOption(orgOption())
    .option("--epoch <number>", "default: the next one")
    .addOption(jsonOption())
    .summary("go on after a history that lost commits")
    .description(
      "For store-history-diverged: a standby was promoted without the last commits,\n" +
        "or PostgreSQL was restored. Revisions are then used a second time, so sidecars\n" +
        "must know the new history by a higher epoch, under a key set whose minimum\n" +
        "epoch names it.",
    )
    .action(async (options: StoreOptions & { readonly epoch?: string }) => {
      await withStore(options, io, "visitor", async ({ store: opened }) => {
        const org = await orgOf(opened, options);
        const epoch =
          options.epoch === undefined
            ? (await opened.head(org)).epoch + 1
            : wholeNumber("--epoch", options.epoch);
        await opened.newEpoch(org, epoch);
        const head = await opened.head(org);
        report(options, io, headFacts(head), [
          `${org} is at epoch ${head.epoch}, revision ${head.revision}`,
          `next: sign a key set whose minimum epoch is ${head.epoch}`,
        ]);
      });
    });
}
