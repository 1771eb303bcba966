import { migratePostgres, openPostgres } from "../../src/adapters/store/postgres.ts";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import type { PostgresServer } from "./postgres.ts";
import { surroundings } from "./sqlite-place.ts";
import type { StorePlace } from "./store-place.ts";

/** A database of its own on a server that runs. */
export async function postgresPlace(
  server: PostgresServer,
): Promise<StorePlace & { readonly url: string }> {
  const url = await server.database();
  await migratePostgres({ ...surroundings(), url });
  const open: StoreEngine[] = [];
  const opened = async () => {
    const engine = await openPostgres({ ...surroundings(), url });
    open.push(engine);
    return engine;
  };
  return {
    url,
    open: opened,
    openBeside: opened,
    damage: async (sql) => {
      await server.run(sql, new URL(url).pathname.slice(1));
    },
    dispose: async () => {
      for (const engine of open) await engine.close();
    },
  };
}
