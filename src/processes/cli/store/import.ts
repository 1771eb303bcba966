import type { Command } from "commander";
import type { CommandIo } from "../io.ts";
import {
  headFacts,
  jsonOption,
  operatorCommit,
  progress,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store import`. */
export function addImport(store: Command, io: CommandIo): void {
  store
    .command("import <file>")
    .addOption(storeOption())
    .addOption(jsonOption())
    .summary("make an organization out of an export, all or nothing")
    .description(
      "Writes the organization of an export, the file that store export wrote, into a\n" +
        "store that does not have it: the same ids and docs, at the revision after the\n" +
        "export's and under the next epoch. It stays frozen until you unfreeze it. An\n" +
        "SQLite file is made if none is there, and must not be written by a control\n" +
        "plane meanwhile.",
    )
    .action(async (file: string, options: StoreOptions) => {
      const { openExport } = await import("../../../adapters/store/export-file.ts");
      // Before the store is opened: a file that is no export leaves nothing behind.
      const { header, pages } = await openExport(file);
      await withStore(options, io, "writer", async ({ copy }) => {
        const { org, epoch, revision } = header;
        const step = operatorCommit("ImportOrganization", { org, epoch, revision });
        const tell = progress(io, options, 10_000, (count) => `imported ${count} objects`);
        let objects = 0;
        async function* counted() {
          for await (const page of pages) {
            yield page;
            objects += page.length;
            tell(objects);
          }
        }
        const head = await copy.write(header, step, counted());
        report(options, io, { ...headFacts(head), objects, file }, [
          `imported ${org} as revision ${head.revision}, epoch ${head.epoch}: ${objects} objects, frozen`,
          `next: sign a key set whose minimum epoch is ${head.epoch}, then mesh-iam store unfreeze --org ${org}`,
        ]);
      });
    });
}
