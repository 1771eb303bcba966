import { foldAscii } from "../../iam/ascii.ts";
import type { Denied } from "./denied.ts";
import { decodeQueryText } from "./percent-decoding.ts";
import { reject } from "./rejection.ts";

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

const none: readonly never[] = Object.freeze([]);

/**
 * The parameters of a query that has passed `readQuery`, in order, every value kept. A query without
 * an escape cannot be refused, so it is taken apart only when somebody asks.
 */
export class QueryParameters {
  readonly #raw: string;
  #entries: readonly QueryParameter[] | null;
  #byName: Map<string, string[]> | null = null;

  constructor(raw: string, entries: readonly QueryParameter[] | null) {
    this.#raw = raw;
    this.#entries = entries;
  }

  /** All parameters in the order of the query. The first call may allocate; borrowed, not copied. */
  get entries(): readonly QueryParameter[] {
    // INVARIANT: entries are absent only where the raw query holds no `%`, which always parses.
    this.#entries ??= parseQuery(this.#raw) as readonly QueryParameter[];
    return this.#entries;
  }

  /**
   * Returns the values of all parameters whose name equals `nameLower` ignoring ASCII case, in order:
   * a client cannot hide `Admin=1` behind `admin=1`. Empty where there is none.
   */
  valuesOf(nameLower: string): readonly string[] {
    if (this.#raw === "") return none;
    this.#byName ??= groupByName(this.entries);
    return this.#byName.get(nameLower) ?? none;
  }
}

const empty = new QueryParameters("", none);

/**
 * Returns the parameters of a raw query (printable ASCII; null where the target has no `?`), or its
 * refusal: `too-many-parameters`, then per piece `bad-query-encoding`, `encoded-control`,
 * `invalid-utf8`. Source: envoy-ext-authz 4.2, step 6.
 */
export function readQuery(raw: string | null, maxParameters: number): QueryParameters | Denied {
  if (raw === null || raw === "") return empty;
  if (hasMorePieces(raw, maxParameters)) return reject("too-many-parameters");
  if (!raw.includes("%")) return new QueryParameters(raw, null);
  const entries = parseQuery(raw);
  return "type" in entries ? entries : new QueryParameters(raw, entries);
}

function hasMorePieces(raw: string, maxPieces: number): boolean {
  if ((raw.length + 1) / 2 <= maxPieces) return false;
  let pieces = 0;
  for (let from = 0; from <= raw.length; ) {
    const end = pieceEnd(raw, from);
    if (end > from && ++pieces > maxPieces) return true;
    from = end + 1;
  }
  return false;
}

function parseQuery(raw: string): readonly QueryParameter[] | Denied {
  const entries: QueryParameter[] = [];
  for (let from = 0; from <= raw.length; ) {
    const end = pieceEnd(raw, from);
    if (end > from) {
      const equals = raw.indexOf("=", from);
      const split = equals >= 0 && equals < end;
      const name = decodeQueryText(raw.slice(from, split ? equals : end), "name");
      if (typeof name !== "string") return name;
      const value = split ? decodeQueryText(raw.slice(equals + 1, end), "value") : "";
      if (typeof value !== "string") return value;
      entries.push({ name, value });
    }
    from = end + 1;
  }
  return entries;
}

function pieceEnd(raw: string, from: number): number {
  const end = raw.indexOf("&", from);
  return end < 0 ? raw.length : end;
}

function groupByName(entries: readonly QueryParameter[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, value } of entries) {
    const folded = foldAscii(name);
    const values = groups.get(folded);
    if (values === undefined) groups.set(folded, [value]);
    else values.push(value);
  }
  return groups;
}
