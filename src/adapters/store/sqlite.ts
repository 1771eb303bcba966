import type { DatabaseSync } from "node:sqlite";
import { createAuditLog } from "./audit-log.ts";
import { createOrgCopy } from "./copy.ts";
import { createStore } from "./create-store.ts";
import { createFleet } from "./fleet.ts";
import { sqliteUsage0001 } from "./migrations/0001-sqlite.ts";
import { finalError } from "./retry.ts";
import { checkNotTooNew, checkNotTooOld, migrate, readSchema } from "./schema.ts";
import { ask, type Plan } from "./sql.ts";
import { connectSqlite, SqliteDatabase } from "./sqlite-database.ts";
import { attemptFailed } from "./sqlite-failure.ts";
import {
  checkFile,
  checkFileSystem,
  checkIntegrity,
  checkSqliteVersion,
  claim,
  configure,
  makeFile,
  type StatFs,
  systemStatFs,
} from "./sqlite-file.ts";
import { takeWriter } from "./sqlite-writer.ts";
import type { StoreEngine } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";
import { checkHeads } from "./verify.ts";

export interface SqliteOptions extends StoreSurroundings {
  readonly path: string;
  /**
   * `writer`: the one long-lived process; makes and migrates the file, checks it whole, and holds the
   * writer's lease. `visitor`: a tool beside it, which reads, or writes for less than 10 ms.
   */
  readonly role: "writer" | "visitor";
  /** Time to live of the writer's lease: how long a restart after a crash waits. Default 10 s. */
  readonly writerTtlMs?: number;
  readonly statFs?: StatFs;
  /** Whether the whole file is read for damage first. Default: by a writer. */
  readonly checked?: boolean;
}

/**
 * Returns the store in an SQLite file. Throws `store-unusable` (no file, a foreign one, a network file
 * system, an old SQLite), `store-corrupt`, `store-schema-too-new`, `store-schema-too-old` for a
 * visitor, `state-locked` for a second writer.
 */
export async function openSqlite(options: SqliteOptions): Promise<StoreEngine> {
  const { path, role, checked = role === "writer" } = options;
  checkSqliteVersion(process.versions.sqlite ?? "0");
  if (role === "writer") await makeFile(path);
  else await checkFile(path);
  const warnings = await checkFileSystem(path, options.statFs ?? systemStatFs);
  const database = new SqliteDatabase(path, connect(path, "FULL", checked), options);
  const closers: (() => Promise<void>)[] = [() => database.close()];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    if (role === "writer") {
      await database.write(() => migrate(database.dialect));
      // In one view: a server that this one will be refused for may be writing.
      await database.read(() => checkHeads());
      const writer = await takeWriter(database, options, path, options.writerTtlMs);
      closers.push(() => writer.release());
    } else {
      await database.read(() => checkSchema(database));
    }
  } catch (reason) {
    await close();
    throw reason;
  }

  let usage: Promise<SqliteDatabase> | undefined;
  const openUsage = () => {
    usage ??= openUsageFile(`${path}.usage`, options).then((opened) => {
      closers.push(() => opened.close());
      return opened;
    });
    return usage;
  };
  return {
    engine: "sqlite",
    store: { ...createStore(database, options), close },
    auditLog: createAuditLog(database),
    // What may be lost has a file of its own, opened when it is first asked for.
    fleet: {
      upsert: async (org, reporter, rows) =>
        createFleet(await openUsage()).upsert(org, reporter, rows),
      read: async (org) => createFleet(await openUsage()).read(org),
    },
    copy: createOrgCopy(database),
    warnings,
    close,
  };
}

function connect(path: string, synchronous: "FULL" | "NORMAL", isChecked: boolean): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = connectSqlite(path);
    claim(db, path);
    configure(db, path, synchronous);
    if (isChecked) checkIntegrity(db, path);
    return db;
  } catch (reason) {
    db?.close();
    throw finalError(attemptFailed(reason, path, false));
  }
}

async function openUsageFile(path: string, options: StoreSurroundings): Promise<SqliteDatabase> {
  await makeFile(path);
  const database = new SqliteDatabase(path, connect(path, "NORMAL", false), options);
  await database.write(function* () {
    for (const text of sqliteUsage0001) yield* ask(text);
  });
  return database;
}

function* checkSchema({ dialect }: SqliteDatabase): Plan<void> {
  const state = yield* readSchema(dialect);
  checkNotTooNew(state);
  checkNotTooOld(state);
}
