import type { Condition } from "../condition/quantifiers.ts";
import type { GlobTable } from "../pattern.ts";
import type { ActionPattern } from "./action-matcher.ts";
import type { PrincipalMatcher } from "./principal-matcher.ts";
import type { ResourcePattern } from "./resource-matcher.ts";

/**
 * What compiled policies share: equal texts are compiled once. One set of tables
 * belongs to one revision and is dropped with it; it grows with the policies, never with requests.
 */
export interface CompileTables extends GlobTable {
  readonly actions: Map<string, ActionPattern>;
  readonly resources: Map<string, ResourcePattern>;
  readonly principals: Map<string, PrincipalMatcher>;
  readonly conditions: Map<string, Condition>;
}

/** Returns empty tables. */
export function createCompileTables(): CompileTables {
  return {
    globs: new Map(),
    actions: new Map(),
    resources: new Map(),
    principals: new Map(),
    conditions: new Map(),
  };
}

/** Returns the entry of `key`, made by `create` when it is first asked for. */
export function intern<T>(table: Map<string, T>, key: string, create: () => T): T {
  const known = table.get(key);
  if (known !== undefined) return known;
  const created = create();
  table.set(key, created);
  return created;
}
