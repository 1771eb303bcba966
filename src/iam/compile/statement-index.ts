import type { CompiledStatement } from "./compile.ts";
import { type ResourcePattern, resourcePrefix } from "./resource-matcher.ts";

/**
 * A statement to try and the entry of its `Resource` that brought it up; null: the whole element is
 * to be matched. A statement with several entries has several rows.
 */
export interface Row {
  readonly statement: CompiledStatement;
  readonly pattern: ResourcePattern | null;
}

/**
 * Statements by the literal beginning of the sixth field of their resources: the other five are
 * nearly constant in a mesh. What has no such beginning is in `residual`.
 */
export interface StatementIndex {
  readonly statements: readonly CompiledStatement[];
  readonly residual: readonly Row[];
  /** In the order of texts. */
  readonly prefixes: readonly string[];
  /** The rows of each prefix. */
  readonly rows: readonly (readonly Row[])[];
  /** The longest other prefix that the prefix begins with, by place; -1 for none. */
  readonly parents: readonly number[];
}

/** Fewer rows than this are tried one after the other. */
const minIndexedRows = 4;

/** Returns the index of `statements`, in their order. */
export function createStatementIndex(statements: readonly CompiledStatement[]): StatementIndex {
  const rows = statements.flatMap(rowsOf);
  if (rows.length < minIndexedRows) {
    const residual = statements.map((statement) => ({ statement, pattern: null }));
    return { statements, residual, prefixes: [], rows: [], parents: [] };
  }
  const residual: Row[] = [];
  const byPrefix = new Map<string, Row[]>();
  for (const row of rows) {
    const prefix = row.pattern === null ? "" : resourcePrefix(row.pattern);
    const list = byPrefix.get(prefix);
    if (prefix === "") residual.push(row);
    else if (list === undefined) byPrefix.set(prefix, [row]);
    else list.push(row);
  }
  const prefixes = [...byPrefix.keys()].sort();
  return {
    statements,
    residual,
    prefixes,
    rows: prefixes.map((prefix) => byPrefix.get(prefix) ?? []),
    parents: parentsOf(prefixes),
  };
}

/**
 * Returns the place of the longest prefix that `resource` begins with, -1 for none; `parents` leads
 * from there to all shorter ones. One binary search, no allocation.
 */
export function findPrefix(index: StatementIndex, resource: string): number {
  const { prefixes, parents } = index;
  let low = 0;
  let high = prefixes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((prefixes[middle] ?? "") <= resource) low = middle + 1;
    else high = middle;
  }
  // Every prefix of the text stands before the text, and all between it and the text begin with it:
  // so the longest one is the last text not above `resource`, or one of that one's parents.
  let at = low - 1;
  while (at >= 0 && !resource.startsWith(prefixes[at] ?? "")) at = parents[at] ?? -1;
  return at;
}

function rowsOf(statement: CompiledStatement): readonly Row[] {
  const { resources } = statement;
  if (resources === null || resources.negated) return [{ statement, pattern: null }];
  return resources.patterns.map((pattern) => ({ statement, pattern }));
}

// In text order a prefix stands before what begins with it, so a stack holds the open ones.
function parentsOf(prefixes: readonly string[]): readonly number[] {
  const parents: number[] = [];
  const open: number[] = [];
  prefixes.forEach((prefix, at) => {
    while (open.length > 0 && !prefix.startsWith(prefixes[open.at(-1) ?? 0] ?? "")) open.pop();
    parents.push(open.at(-1) ?? -1);
    open.push(at);
  });
  return parents;
}
