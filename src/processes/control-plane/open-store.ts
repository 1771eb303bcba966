import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { openPostgres } from "../../adapters/store/postgres.ts";
import { openSqlite } from "../../adapters/store/sqlite.ts";
import type { StoreEngine } from "../../adapters/store/store.ts";
import type { StoreSurroundings } from "../../adapters/store/time.ts";

/** Returns the store that the settings name. Throws as the engines do. */
export async function openConfiguredStore(
  { sqlite, postgres }: ControlPlaneConfig["store"],
  surroundings: StoreSurroundings,
): Promise<StoreEngine> {
  return postgres === null
    ? await openSqlite({ ...surroundings, path: sqlite, role: "writer" })
    : await openPostgres({ ...surroundings, url: postgres });
}
