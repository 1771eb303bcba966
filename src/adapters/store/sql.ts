import { MeshIamError } from "../../iam/error.ts";

export type SqlValue = string | number | Uint8Array | null;

/** SQL with `$1, $2, …` and their values. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** Nobody reads its rows: an engine may send the next one before this one is done. */
  readonly answerless?: true;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * Statements one after another, each answered with its rows: the logic of the store, written once.
 * `sqlite` runs a plan in one synchronous call, `postgres` with an await a statement.
 */
export type Plan<T> = Generator<Statement, T, readonly Row[]>;

/** Where the engines' SQL differs. */
export interface Dialect {
  readonly engine: "sqlite" | "postgres";
  /** The database's clock in Unix milliseconds. */
  readonly now: string;
  /** Ends a SELECT that locks its rows. */
  readonly forUpdate: string;
  /** One row if the table `$1` exists. */
  readonly hasTable: string;
  /** Lets references point at objects that come later in the transaction. */
  readonly deferReferences: string;
}

/** A transaction on a connection of its own, across awaits. */
export interface Session {
  run<T>(plan: Plan<T>): Promise<T>;
  commit(): Promise<void>;
  /** Rolls back what was not committed; never throws. */
  close(): Promise<void>;
}

/**
 * A database that runs plans. What it throws is ours: `store-unavailable` after its retries,
 * `store-constraint`, `store-corrupt`; what a plan throws is thrown after a rollback.
 */
export interface Database {
  readonly dialect: Dialect;
  /** One statement by itself. */
  query(statement: Statement): Promise<readonly Row[]>;
  /** One transaction that may write; its plan is made again for each attempt. */
  write<T>(plan: () => Plan<T>): Promise<T>;
  /** One consistent view. */
  read<T>(plan: () => Plan<T>): Promise<T>;
  /** `read`: one consistent view. `write`: holds locks, so only for a tool's own process. */
  open(mode: "read" | "write"): Promise<Session>;
  close(): Promise<void>;
}

export function sql(text: string, ...values: readonly SqlValue[]): Statement {
  return { sql: text, values };
}

/** A plan of one statement. */
export function* ask(text: string, ...values: readonly SqlValue[]): Plan<readonly Row[]> {
  return yield sql(text, ...values);
}

/** A plan of one statement whose rows nobody reads; it fails at the next answer, or at the end. */
export function* tell(text: string, ...values: readonly SqlValue[]): Plan<void> {
  yield { sql: text, values, answerless: true };
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw unreadable(column);
}

/** Revisions, times and counts: numbers that are exact, or the store is not to be trusted (STO-70). */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw unreadable(column);
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  // A driver's Buffer may be a view of its whole read buffer, which would be kept alive with it.
  if (value instanceof Buffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  throw unreadable(column);
}

function unreadable(column: string): MeshIamError {
  return new MeshIamError("store-corrupt", `the store holds a \`${column}\` that cannot be read`);
}

const maxRows = 200;

/** Yields INSERTs of at most 200 rows each (STO-6). */
export function* insert(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  end = "",
): Plan<void> {
  for (let at = 0; at < rows.length; at += maxRows) {
    const some = rows.slice(at, at + maxRows);
    const places = some.map((_, row) => {
      const numbers = columns.map((_, column) => `$${row * columns.length + column + 1}`);
      return `(${numbers.join(", ")})`;
    });
    const head = `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${places.join(", ")}`;
    yield* tell(end === "" ? head : `${head} ${end}`, ...some.flat());
  }
}

const maxList = 500;

/**
 * Yields a statement for at most 500 values each and returns all rows; `{list}` stands for the values.
 * Lists are padded to powers of two by their last value, so that few texts are prepared.
 */
export function* inLists(
  text: string,
  first: readonly SqlValue[],
  list: readonly string[],
): Plan<readonly Row[]> {
  const rows: Row[] = [];
  for (const statement of listed(text, first, list)) rows.push(...(yield statement));
  return rows;
}

/** As `inLists`, of statements whose rows nobody reads. */
export function* tellLists(
  text: string,
  first: readonly SqlValue[],
  list: readonly string[],
): Plan<void> {
  for (const { sql: one, values } of listed(text, first, list)) yield* tell(one, ...values);
}

function* listed(
  text: string,
  first: readonly SqlValue[],
  list: readonly string[],
): Generator<Statement> {
  for (let at = 0; at < list.length; at += maxList) {
    const some = list.slice(at, at + maxList);
    const width = Math.min(maxList, 2 ** Math.ceil(Math.log2(some.length)));
    const padded = Array.from(
      { length: width },
      (_, i) => some[Math.min(i, some.length - 1)] ?? "",
    );
    const places = padded.map((_, i) => `$${first.length + i + 1}`).join(", ");
    yield { sql: text.replace("{list}", `(${places})`), values: [...first, ...padded] };
  }
}
