import type { Command } from "commander";
import { MeshIamError } from "../../../iam/error.ts";
import type { CommandIo } from "../io.ts";
import { wholeNumber } from "../whole-number.ts";
import {
  addressOf,
  headFacts,
  jsonOption,
  report,
  type StoreOptions,
  storeOption,
  surroundings,
} from "./open.ts";

/** Adds `store restore`. */
export function addRestore(store: Command, io: CommandIo): void {
  store
    .command("restore")
    .argument("<backup>", "what store backup wrote")
    .addOption(storeOption())
    .option("--epoch <number>", "when epochs were used after the backup: one above all of them")
    .addOption(jsonOption())
    .summary("make an SQLite store out of a backup, at a path where nothing is")
    .description(
      "Checks the backup whole, and gives every organization a new epoch: its next\n" +
        "revisions may have been used before. They stay frozen until you unfreeze them.\n" +
        "What was revoked or deleted after the backup is back: this says up to when it\n" +
        "reaches. No file is ever replaced. PostgreSQL is restored by its own tools;\n" +
        "run store new-epoch for each organization afterwards.",
    )
    .action(async (backup: string, options: StoreOptions & { readonly epoch?: string }) => {
      const address = addressOf(options, io);
      if (address.engine === "postgres") {
        throw new MeshIamError(
          "usage",
          "PostgreSQL is restored by its own tools, then run `mesh-iam store new-epoch`; or import an export",
        );
      }
      const { restoreSqlite } = await import("../../../adapters/store/sqlite-restore.ts");
      const epoch = options.epoch === undefined ? undefined : wholeNumber("--epoch", options.epoch);
      const heads = await restoreSqlite(backup, address.path, await surroundings(), epoch);
      report(options, io, { file: address.path, organizations: heads.map(headFacts) }, [
        `restored to ${address.path}; every organization is frozen`,
        ...heads.flatMap(({ org, epoch: next, revision, atMs }) => [
          `${org}: up to revision ${revision} of ${new Date(atMs).toISOString()}; later revocations are lost, and what was deleted later is back`,
          `next: sign a key set whose minimum epoch is ${next}, then mesh-iam store unfreeze --org ${org}`,
        ]),
      ]);
    });
}
