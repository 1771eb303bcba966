import type { Command } from "commander";
import { MeshIamError } from "../../../iam/error.ts";
import type { CommandIo } from "../io.ts";
import {
  addressOf,
  jsonOption,
  report,
  type StoreOptions,
  storeOption,
  surroundings,
} from "./open.ts";

interface MigrateOptions extends StoreOptions {
  readonly grantRuntime?: string;
  readonly grantRetention?: string;
}

/** Adds `store migrate`. */
export function addMigrate(store: Command, io: CommandIo): void {
  store
    .command("migrate")
    .addOption(storeOption())
    .option("--grant-runtime <role>", "PostgreSQL: what a control plane needs, and no more")
    .option("--grant-retention <role>", "PostgreSQL: what removes history whose time is over")
    .addOption(jsonOption())
    .summary("make the schema, or bring it to this version's")
    .description(
      "Forward only, safe to repeat and to run from several places at once. On\n" +
        "PostgreSQL run it as the role that owns the tables, before the first start and\n" +
        "after each upgrade. An SQLite file is migrated by the control plane's start as\n" +
        "well.",
    )
    .action(async (options: MigrateOptions) => {
      const address = addressOf(options, io);
      const [{ schemaVersion }, given] = await Promise.all([
        import("../../../adapters/store/schema.ts"),
        surroundings(),
      ]);
      if (address.engine === "postgres") {
        const { migratePostgres } = await import("../../../adapters/store/postgres.ts");
        const { grantRuntime: runtime, grantRetention: retention } = options;
        await migratePostgres(
          { ...given, url: address.url },
          {
            ...(runtime === undefined ? {} : { runtime }),
            ...(retention === undefined ? {} : { retention }),
          },
        );
      } else {
        if (options.grantRuntime !== undefined || options.grantRetention !== undefined) {
          throw new MeshIamError("usage", "roles are PostgreSQL's, an SQLite file has none");
        }
        const { openStore } = await import("../../../adapters/store/open-store.ts");
        await (await openStore(address, given, "writer")).close();
      }
      report(options, io, { engine: address.engine, schema: schemaVersion }, [
        `the store has schema ${schemaVersion}`,
      ]);
    });
}
