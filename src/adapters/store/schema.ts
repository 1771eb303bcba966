import { MeshIamError } from "../../iam/error.ts";
import { postgres0001 } from "./migrations/0001-postgres.ts";
import { sqlite0001 } from "./migrations/0001-sqlite.ts";
import { ask, type Dialect, integerOf, type Plan } from "./sql.ts";

/** One step of the schema, forward only; its statements may be repeated (STO-50). */
interface Migration {
  readonly version: number;
  /** The oldest binary that works with the schema afterwards, as the newest schema it knows. */
  readonly minBinary: number;
  readonly postgres: readonly string[];
  readonly sqlite: readonly string[];
}

const migrations: readonly Migration[] = [
  { version: 1, minBinary: 1, postgres: postgres0001, sqlite: sqlite0001 },
];

/** The newest schema that this binary knows. */
export const schemaVersion = migrations.length;

export interface SchemaState {
  /** 0: nothing there yet. */
  readonly version: number;
  readonly minBinary: number;
}

export function* readSchema(dialect: Dialect): Plan<SchemaState> {
  const tables = yield* ask(dialect.hasTable, "mi_schema");
  if (tables.length === 0) return { version: 0, minBinary: 0 };
  const [row] = yield* ask("SELECT version, min_binary FROM mi_schema WHERE id = 1");
  if (row === undefined) return { version: 0, minBinary: 0 };
  return { version: integerOf(row, "version"), minBinary: integerOf(row, "min_binary") };
}

/** Throws `store-schema-too-new` for a schema that this binary must not touch (STO-52). */
export function checkNotTooNew({ version, minBinary }: SchemaState, known = schemaVersion): void {
  if (minBinary <= known) return;
  throw new MeshIamError(
    "store-schema-too-new",
    `the store has schema ${version}, which needs a binary that knows schema ${minBinary}; this one knows ${known}: run a newer mesh-iam`,
  );
}

/** Throws `store-schema-too-old` for a schema that has to be migrated first; N-1 is not. */
export function checkNotTooOld({ version }: SchemaState): void {
  if (version > 0 && version >= schemaVersion - 1) return;
  throw new MeshIamError(
    "store-schema-too-old",
    `the store has ${version === 0 ? "no schema" : `schema ${version}`}, this binary needs ${schemaVersion}: run \`mesh-iam store migrate\``,
  );
}

/** Brings the schema to the newest version that this binary knows. Instances may do so together. */
export function* migrate(dialect: Dialect): Plan<SchemaState> {
  for (const { version, minBinary, ...statements } of migrations) {
    const state = yield* readSchema(dialect);
    checkNotTooNew(state);
    if (state.version >= version) continue;
    for (const text of statements[dialect.engine]) yield* ask(text);
    yield* ask(
      "INSERT INTO mi_schema (id, version, min_binary) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING",
    );
    yield* ask(
      "UPDATE mi_schema SET version = $2, min_binary = $3 WHERE id = 1 AND version = $1",
      version - 1,
      version,
      minBinary,
    );
  }
  return yield* readSchema(dialect);
}
