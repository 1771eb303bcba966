import { DatabaseSync, type DatabaseSyncOptions, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { finalError, withRetries } from "./retry.ts";
import type { Database, Dialect, Plan, Row, Session, Statement } from "./sql.ts";
import { attemptFailed } from "./sqlite-failure.ts";
import type { StoreSurroundings } from "./time.ts";

export const sqliteDialect: Dialect = {
  engine: "sqlite",
  now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  // BEGIN IMMEDIATE has locked everything.
  forUpdate: "",
  hasTable: "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1",
  deferReferences: "PRAGMA defer_foreign_keys = ON",
};

/** A busy timeout freezes the process: it is short, and the transaction is tried again (STO-75). */
const busyTimeoutMs = 25;
const maxPrepared = 200;

// `defensive` is younger than the oldest supported Node, which ignores it.
const options: DatabaseSyncOptions & { readonly defensive: boolean } = {
  timeout: busyTimeoutMs,
  defensive: true,
  enableForeignKeyConstraints: true,
  enableDoubleQuotedStringLiterals: false,
};

/** Opens a connection; throws SQLite's own error. */
export function connectSqlite(path: string, readOnly = false): DatabaseSync {
  return new DatabaseSync(path, { ...options, readOnly });
}

/** Runs at the start of each writing transaction and throws when it must not write. */
export type WriteGuard = () => Plan<void>;

/**
 * SQLite behind `Database`. INVARIANT: no await between BEGIN and COMMIT on the main connection
 * (STO-21), so a transaction is one synchronous call and two of one process never meet.
 */
export class SqliteDatabase implements Database {
  readonly dialect = sqliteDialect;
  readonly #path: string;
  readonly #main: Connection;
  readonly #surroundings: StoreSurroundings;
  readonly #sessions = new Set<Session>();
  #guard: WriteGuard | undefined;

  constructor(path: string, connection: DatabaseSync, surroundings: StoreSurroundings) {
    this.#path = path;
    this.#main = new Connection(connection);
    this.#surroundings = surroundings;
  }

  /** From now on every writing transaction begins with `guard`. */
  guard(guard: WriteGuard): void {
    this.#guard = guard;
  }

  query(statement: Statement): Promise<readonly Row[]> {
    return this.#try(() => this.#main.answer(statement));
  }

  async write<T>(plan: () => Plan<T>): Promise<T> {
    // Writers that wait for nothing but one another would leave no turn to timers and sockets.
    await setImmediate();
    return await this.#try(() => this.#transact("BEGIN IMMEDIATE", plan, this.#guard));
  }

  read<T>(plan: () => Plan<T>): Promise<T> {
    return this.#try(() => this.#transact("BEGIN", plan));
  }

  #transact<T>(begin: string, plan: () => Plan<T>, guard?: WriteGuard): T {
    const main = this.#main;
    let isCommitting = false;
    try {
      main.run(begin);
      if (guard !== undefined) main.finish(guard());
      const result = main.finish(plan());
      isCommitting = true;
      main.run("COMMIT");
      return result;
    } catch (reason) {
      main.rollBack();
      throw attemptFailed(reason, this.#path, isCommitting);
    }
  }

  async open(mode: "read" | "write"): Promise<Session> {
    // A connection of its own: its transaction lives across awaits.
    const connection = await this.#try(() => {
      const made = new Connection(connectSqlite(this.#path, mode === "read"));
      try {
        made.run(mode === "read" ? "BEGIN" : "BEGIN IMMEDIATE");
        if (mode === "write" && this.#guard !== undefined) made.finish(this.#guard());
        return made;
      } catch (reason) {
        made.close();
        throw attemptFailed(reason, this.#path, false);
      }
    });
    // Once, without retries: what was done before would be lost.
    const once = async <T>(step: () => T, isCommitting = false): Promise<T> => {
      try {
        return step();
      } catch (reason) {
        throw finalError(attemptFailed(reason, this.#path, isCommitting));
      }
    };
    const session: Session = {
      run: (plan) => once(() => connection.finish(plan)),
      commit: () => once(() => connection.run("COMMIT"), true),
      close: async () => {
        this.#sessions.delete(session);
        connection.close();
      },
    };
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.close();
    this.#main.close();
  }

  #try<T>(step: () => T): Promise<T> {
    return withRetries(this.#surroundings, () => {
      try {
        return step();
      } catch (reason) {
        throw attemptFailed(reason, this.#path, false);
      }
    });
  }
}

/** A connection with its prepared statements. */
class Connection {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  run(text: string): void {
    this.#db.exec(text);
  }

  answer({ sql, values }: Statement): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  finish<T>(plan: Plan<T>): T {
    let step = plan.next([]);
    while (step.done !== true) step = plan.next(this.answer(step.value));
    return step.value;
  }

  /** Never throws: what cannot be rolled back is rolled back by the next one to open the file. */
  rollBack(): void {
    if (!this.#db.isOpen || !this.#db.isTransaction) return;
    try {
      this.#db.exec("ROLLBACK");
    } catch {
      // The failure that led here is the one to tell.
    }
  }

  close(): void {
    if (!this.#db.isOpen) return;
    this.rollBack();
    this.#prepared.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    if (this.#prepared.size >= maxPrepared) this.#prepared.clear();
    // node:sqlite binds a list only to `?1, ?2, …`.
    const made = this.#db.prepare(sql.replaceAll(/\$(\d+)/g, "?$1"));
    this.#prepared.set(sql, made);
    return made;
  }
}
