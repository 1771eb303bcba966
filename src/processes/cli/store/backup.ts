import type { Command } from "commander";
import { MeshIamError } from "../../../iam/error.ts";
import type { CommandIo } from "../io.ts";
import {
  addressOf,
  headFacts,
  jsonOption,
  progress,
  report,
  type StoreOptions,
  storeOption,
  withStore,
} from "./open.ts";

/** Adds `store backup`. */
export function addBackup(store: Command, io: CommandIo): void {
  store
    .command("backup")
    .addOption(storeOption())
    .requiredOption("--out <file>", "where the backup goes; an older one is replaced")
    .addOption(jsonOption())
    .summary("copy an SQLite store whole while it is written")
    .description(
      "Copies the file page by page; the copy is a consistent state, and its own\n" +
        "history is checked before this says so. PostgreSQL has its own ways:\n" +
        "pg_basebackup with WAL archiving, or pg_dump; a nightly store export serves\n" +
        "both.",
    )
    .action(async (options: StoreOptions & { readonly out: string }) => {
      const address = addressOf(options, io);
      if (address.engine === "postgres") {
        throw new MeshIamError(
          "usage",
          "PostgreSQL is backed up by pg_basebackup with WAL archiving or by pg_dump; `mesh-iam store export` works with both engines",
        );
      }
      // A file that is not ours is refused here, before anything is copied.
      await withStore(options, io, "visitor", async () => {});
      const [{ backupSqlite }, { verifyOrg }] = await Promise.all([
        import("../../../adapters/store/sqlite-backup.ts"),
        import("../../../adapters/store/verify.ts"),
      ]);
      const tell = progress(io, options, 10_000, (count) => `copied ${count} pages`);
      await backupSqlite(address.path, options.out, tell);
      const copy = { ...options, store: options.out };
      await withStore(copy, io, "visitor", async (engine) => {
        const heads = await engine.store.heads();
        for (const { org } of heads) await verifyOrg(engine, org);
        report(options, io, { file: options.out, organizations: heads.map(headFacts) }, [
          `backed up to ${options.out}, and checked`,
          ...heads.map(
            ({ org, revision, atMs }) =>
              `${org}: up to revision ${revision} of ${new Date(atMs).toISOString()}`,
          ),
        ]);
      });
    });
}
