import { createAuditLog } from "./audit-log.ts";
import { createOrgCopy } from "./copy.ts";
import { createStore } from "./create-store.ts";
import { createFleet } from "./fleet.ts";
import { PostgresDatabase } from "./postgres-database.ts";
import { grantDuty, type StoreDuty } from "./postgres-grants.ts";
import { parsePostgresUrl } from "./postgres-url.ts";
import { checkNotTooNew, checkNotTooOld, migrate, readSchema, type SchemaState } from "./schema.ts";
import { sql, textOf } from "./sql.ts";
import type { StoreEngine } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";

export interface PostgresOptions extends StoreSurroundings {
  /** `postgres://USER@HOST:PORT/DATABASE`, with `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host`. */
  readonly url: string;
  /** Connections; one a transaction or snapshot. Default 10. */
  readonly maxConnections?: number;
}

/**
 * Returns the store in a PostgreSQL database; several instances may write. Throws `store-unusable` for
 * an address that is not accepted, `store-unavailable`, `store-schema-too-new`, `store-schema-too-old`
 * until `migratePostgres` ran.
 */
export async function openPostgres(options: PostgresOptions): Promise<StoreEngine> {
  const database = await connect(options);
  try {
    const state = await database.read(() => readSchema(database.dialect));
    checkNotTooNew(state);
    checkNotTooOld(state);
    return {
      engine: "postgres",
      store: createStore(database, options),
      auditLog: createAuditLog(database),
      fleet: createFleet(database),
      copy: createOrgCopy(database),
      warnings: await warningsOf(database),
      close: () => database.close(),
    };
  } catch (reason) {
    await database.close();
    throw reason;
  }
}

/**
 * Makes or migrates the schema, under the role that owns it, and grants other roles what they need;
 * returns what there is then.
 */
export async function migratePostgres(
  options: PostgresOptions,
  roles: Readonly<Partial<Record<StoreDuty, string>>> = {},
): Promise<SchemaState> {
  const database = await connect(options);
  try {
    return await database.migrate(function* () {
      const state = yield* migrate(database.dialect);
      if (roles.runtime !== undefined) yield* grantDuty("runtime", roles.runtime);
      if (roles.retention !== undefined) yield* grantDuty("retention", roles.retention);
      return state;
    });
  } finally {
    await database.close();
  }
}

async function connect(options: PostgresOptions): Promise<PostgresDatabase> {
  const [{ Pool, types }, address] = await Promise.all([
    import("pg"),
    parsePostgresUrl(options.url),
  ]);
  // For these connections only: whoever shares the driver keeps its parsers (STO-70).
  const parsers = {
    getTypeParser(oid: number, format?: "text" | "binary") {
      if (format !== "binary" && oid === types.builtins.INT8) return Number;
      if (format !== "binary" && oid === types.builtins.JSON) return String;
      return types.getTypeParser(oid, format);
    },
  };
  const pool = new Pool({
    ...address,
    types: parsers,
    max: options.maxConnections ?? 10,
    application_name: "mesh-iam",
    connectionTimeoutMillis: 5000,
    // A server that neither answers nor closes: longer than any lock is waited for.
    query_timeout: 15_000,
    keepAlive: true,
    // Sent one behind the other; the answers come in order.
    pipeline: true,
  });
  return new PostgresDatabase(pool, options);
}

/** What makes a server lose what it acknowledged. */
async function warningsOf(database: PostgresDatabase): Promise<readonly string[]> {
  const rows = await database.query(
    sql(
      "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'",
    ),
  );
  return rows.map(
    (row) =>
      `PostgreSQL runs with ${textOf(row, "name")} = off: a crash can lose or damage the store`,
  );
}
