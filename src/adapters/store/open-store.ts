import type { StoreEngine } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";

/** Where a store is. */
export type StoreAddress =
  | { readonly engine: "sqlite"; readonly path: string }
  | { readonly engine: "postgres"; readonly url: string };

/** Returns what `postgres://…`, `sqlite:PATH` or a path names. */
export function parseStoreAddress(text: string): StoreAddress {
  if (/^postgres(ql)?:/.test(text)) return { engine: "postgres", url: text };
  return { engine: "sqlite", path: text.replace(/^sqlite:/, "") };
}

/**
 * Opens a store; the engine and its package are loaded when they are needed. `writer` is the one
 * process that may write an SQLite file at length, and makes no difference on PostgreSQL; `checked` reads
 * a whole SQLite file for damage first.
 */
export async function openStore(
  address: StoreAddress,
  surroundings: StoreSurroundings,
  role: "writer" | "visitor",
  checked = role === "writer",
): Promise<StoreEngine> {
  if (address.engine === "postgres") {
    const { openPostgres } = await import("./postgres.ts");
    return await openPostgres({ ...surroundings, url: address.url });
  }
  const { openSqlite } = await import("./sqlite.ts");
  return await openSqlite({ ...surroundings, path: address.path, role, checked });
}
