import type { Command } from "commander";
import type { CommandIo } from "../io.ts";
import {
  addressOf,
  jsonOption,
  report,
  type StoreOptions,
  storeOption,
  surroundings,
} from "./open.ts";

/** Adds `store migrate`. */
export function addMigrate(store: Command, io: CommandIo): void {
  store
    .command("migrate")
    .addOption(storeOption())
    .addOption(jsonOption())
    .summary("make the schema, or bring it to this version's")
    .description(
      "Forward only, safe to repeat and to run from several places at once. On PostgreSQL run it as the\n" +
        "role that owns the tables, before the first start and after each upgrade. An SQLite file is\n" +
        "migrated by the control plane's start as well.",
    )
    .action(async (options: StoreOptions) => {
      const address = addressOf(options, io);
      const [{ schemaVersion }, given] = await Promise.all([
        import("../../../adapters/store/schema.ts"),
        surroundings(),
      ]);
      if (address.engine === "postgres") {
        const { migratePostgres } = await import("../../../adapters/store/postgres.ts");
        await migratePostgres({ ...given, url: address.url });
      } else {
        const { openStore } = await import("../../../adapters/store/open-store.ts");
        await (await openStore(address, given, "writer")).close();
      }
      report(options, io, { engine: address.engine, schema: schemaVersion }, [
        `the store has schema ${schemaVersion}`,
      ]);
    });
}
