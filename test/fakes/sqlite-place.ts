import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../src/adapters/distribution/system-clock.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import type { StorePlace } from "./store-place.ts";

/** What a store is given in tests: real time, and an instance of its own. */
export const surroundings = () => ({
  clock: systemClock,
  random: Math.random,
  instance: randomUUID(),
});

export interface SqlitePlace extends StorePlace {
  readonly path: string;
  /** Returns the one value that a query past the store gives. */
  read(sql: string): Promise<unknown>;
}

/** A file in a folder of its own. */
export async function sqlitePlace(): Promise<SqlitePlace> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-store-"));
  const path = join(folder, "data", "store.db");
  const open: StoreEngine[] = [];
  const opened = async (role: "writer" | "visitor") => {
    const engine = await openSqlite({ ...surroundings(), path, role });
    open.push(engine);
    return engine;
  };
  return {
    path,
    open: () => opened("writer"),
    openBeside: () => opened("visitor"),
    damage: async (sql) => {
      const db = new DatabaseSync(path, { timeout: 1000 });
      db.exec(sql);
      db.close();
    },
    read: async (sql) => {
      const db = new DatabaseSync(path, { timeout: 1000, readOnly: true });
      const row = db.prepare(sql).get();
      db.close();
      return Object.values(row ?? {})[0];
    },
    dispose: async () => {
      for (const engine of open) await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
