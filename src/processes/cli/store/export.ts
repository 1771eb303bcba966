import type { Command } from "commander";
import type { CommandIo } from "../io.ts";
import {
  headFacts,
  jsonOption,
  orgOf,
  orgOption,
  progress,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store export`. */
export function addExport(store: Command, io: CommandIo): void {
  store
    .command("export")
    .addOption(storeOption())
    .addOption(orgOption())
    .requiredOption("--out <file>", "where the export goes; an older one is replaced")
    .addOption(jsonOption())
    .summary("write an organization to a file that any engine imports")
    .description(
      "Writes every object of one organization, as of one revision, while a control\n" +
        "plane may go on writing. The file is zstd over JSON Lines: a header, the\n" +
        "objects, an end with a digest. Sealed keys stay sealed. What was written after\n" +
        "a freeze cannot be missing from it.",
    )
    .action(async (options: StoreOptions & { readonly out: string }) => {
      const { writeExport } = await import("../../../adapters/store/export-file.ts");
      await withStore(options, io, "visitor", async (engine) => {
        const org = await orgOf(engine.store, options);
        const tell = progress(io, options, 10_000, (count) => `exported ${count} objects`);
        const { head, objects } = await writeExport(engine.copy, org, options.out, tell);
        report(options, io, { ...headFacts(head), objects, file: options.out }, [
          `exported ${org} at revision ${head.revision}, epoch ${head.epoch}: ${objects} objects, in ${options.out}`,
          ...(head.state === "frozen"
            ? []
            : [
                "not frozen: later commits are not in it; store freeze first to move an organization",
              ]),
        ]);
      });
    });
}
