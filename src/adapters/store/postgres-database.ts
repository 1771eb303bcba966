import type { Pool, PoolClient } from "pg";
import { MeshIamError } from "../../iam/error.ts";
import { attemptFailed, DriverFailed, isConnectionLost, sqlState } from "./postgres-failure.ts";
import { finalError, withRetries } from "./retry.ts";
import type { Database, Dialect, Plan, Row, Session, Statement } from "./sql.ts";
import type { StoreSurroundings } from "./time.ts";

export const postgresDialect: Dialect = {
  engine: "postgres",
  now: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
  forUpdate: "FOR UPDATE",
  hasTable: "SELECT 1 AS found WHERE to_regclass($1) IS NOT NULL",
  deferReferences: "SET CONSTRAINTS ALL DEFERRED",
};

/**
 * READ COMMITTED is enough because each transaction locks its organization first (STO-31). A stalled
 * instance loses its transaction, and with it the lock, after 10 s. A server that acknowledges before it
 * has synced is overruled; stronger settings are the operator's.
 */
const beginWrite = `BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '5s';
SET LOCAL idle_in_transaction_session_timeout = '10s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`;
const beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/** Of a tool, which reads a file while its transaction is open. */
const beginTool = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '5s'";

/** PostgreSQL behind `Database`: a plan's statement is a round trip on one connection of the pool. */
export class PostgresDatabase implements Database {
  readonly dialect = postgresDialect;
  readonly #pool: Pool;
  readonly #surroundings: StoreSurroundings;
  readonly #sessions = new Set<Session>();

  constructor(pool: Pool, surroundings: StoreSurroundings) {
    this.#pool = pool;
    this.#surroundings = surroundings;
    // A connection that breaks while nobody uses it is told here, and would end the process untold.
    pool.on("error", () => {});
    pool.on("connect", (client) => void client.on("error", () => {}));
  }

  query(statement: Statement): Promise<readonly Row[]> {
    return withRetries(this.#surroundings, async () => {
      const client = await this.#connect();
      try {
        const rows = await answer(client, statement);
        client.release();
        return rows;
      } catch (reason) {
        client.release(isConnectionLost(reason));
        throw attemptFailed(reason, false);
      }
    });
  }

  write<T>(plan: () => Plan<T>): Promise<T> {
    return withRetries(this.#surroundings, () => this.#transact(beginWrite, plan));
  }

  read<T>(plan: () => Plan<T>): Promise<T> {
    return withRetries(this.#surroundings, () => this.#transact(beginRead, plan));
  }

  /** Runs a plan of idempotent statements, each by itself, again while other instances do the same. */
  migrate<T>(plan: () => Plan<T>): Promise<T> {
    return withRetries(this.#surroundings, async () => {
      for (let tries = 0; ; tries++) {
        const client = await this.#connect();
        try {
          const result = await finish(client, plan());
          client.release();
          return result;
        } catch (reason) {
          client.release(isConnectionLost(reason));
          // CREATE … IF NOT EXISTS races: unique violation, duplicate object, duplicate table (STO-51).
          const isRace = ["23505", "42710", "42P07"].includes(sqlState(reason) ?? "");
          if (!isRace || tries >= 20) throw attemptFailed(reason, false);
        }
      }
    });
  }

  async #transact<T>(begin: string, plan: () => Plan<T>): Promise<T> {
    const client = await this.#connect();
    let isCommitting = false;
    try {
      const result = await finish(client, plan(), run(client, begin));
      isCommitting = true;
      await commit(client);
      client.release();
      return result;
    } catch (reason) {
      await giveBack(client, reason, isCommitting);
      throw attemptFailed(reason, isCommitting);
    }
  }

  async open(mode: "read" | "write"): Promise<Session> {
    const client = await withRetries(this.#surroundings, async () => {
      const made = await this.#connect();
      try {
        await run(made, mode === "read" ? beginRead : beginTool);
        return made;
      } catch (reason) {
        await giveBack(made, reason, false);
        throw attemptFailed(reason, false);
      }
    });
    let isOpen = true;
    // Once, without retries: what was done before would be lost.
    const once = async <T>(step: () => Promise<T>, isCommitting = false): Promise<T> => {
      if (!isOpen) throw new MeshIamError("store-unavailable", "the transaction has ended");
      try {
        return await step();
      } catch (reason) {
        isOpen = false;
        await giveBack(client, reason, isCommitting);
        throw finalError(attemptFailed(reason, isCommitting));
      }
    };
    const sessions = this.#sessions;
    const session: Session = {
      run: (plan) => once(() => finish(client, plan)),
      commit: () => once(() => commit(client), true),
      async close() {
        sessions.delete(session);
        if (!isOpen) return;
        isOpen = false;
        await giveBack(client, undefined, false);
      },
    };
    sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    if (this.#pool.ending) return;
    // The pool would wait for a snapshot that somebody forgot to read.
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#pool.end();
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (reason) {
      throw attemptFailed(new DriverFailed(reason), false);
    }
  }
}

async function run(client: PoolClient, text: string): Promise<string> {
  try {
    return (await client.query(text)).command;
  } catch (reason) {
    throw new DriverFailed(reason);
  }
}

async function answer(client: PoolClient, { sql, values }: Statement): Promise<readonly Row[]> {
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } catch (reason) {
    throw new DriverFailed(reason);
  }
}

/**
 * Runs a plan. Statements are sent as soon as the plan asks for them; only an answer that it reads is
 * waited for, which makes a commit four round trips. The first failure in their order is thrown.
 */
async function finish<T>(client: PoolClient, plan: Plan<T>, begun?: Promise<unknown>): Promise<T> {
  const sent: Promise<unknown>[] = [];
  const send = <R>(promise: Promise<R>): Promise<R> => {
    // Whoever fails first is thrown below; those behind it have failed for the same reason.
    promise.catch(() => {});
    sent.push(promise);
    return promise;
  };
  const settle = async () => {
    for (const promise of sent.splice(0)) await promise;
  };
  if (begun !== undefined) send(begun);
  let hasBegun = begun === undefined;
  let step = plan.next([]);
  while (step.done !== true) {
    const statement = step.value;
    // INVARIANT: nothing is written before it is known that a transaction is open.
    if (statement.answerless === true && !hasBegun) {
      await settle();
      hasBegun = true;
    }
    const answered = send(answer(client, statement));
    if (statement.answerless === true) {
      step = plan.next([]);
    } else {
      await settle();
      hasBegun = true;
      step = plan.next(await answered);
    }
  }
  await settle();
  return step.value;
}

async function commit(client: PoolClient): Promise<void> {
  const command = await run(client, "COMMIT");
  // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and no error.
  if (command !== "COMMIT")
    throw new MeshIamError("internal", "a failed transaction was committed");
}

/** Ends the transaction and gives the connection back, or away if anything is doubtful (STO-11). */
async function giveBack(client: PoolClient, reason: unknown, isCommitting: boolean): Promise<void> {
  if (isCommitting || isConnectionLost(reason)) {
    client.release(true);
    return;
  }
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch {
    // The failure that led here is the one to tell.
    client.release(true);
  }
}
