import type { Condition } from "../condition/quantifiers.ts";
import type { ActionTables } from "./action-matcher.ts";
import type { PrincipalTable } from "./principal-matcher.ts";
import type { ResourceTables } from "./resource-matcher.ts";

/**
 * What compiled policies share: equal texts are compiled once. One set of tables
 * belongs to one revision and is dropped with it; it grows with the policies, never with requests.
 */
export interface CompileTables extends ActionTables, ResourceTables, PrincipalTable {
  readonly conditions: Map<string, Condition>;
  readonly conditionBlocks: Map<string, readonly Condition[]>;
  readonly readSets: Map<string, readonly string[]>;
}

/** Returns empty tables. */
export function createCompileTables(): CompileTables {
  return {
    patterns: new Map(),
    actions: new Map(),
    actionLists: new Map(),
    resources: new Map(),
    principals: new Map(),
    conditions: new Map(),
    conditionBlocks: new Map(),
    readSets: new Map(),
  };
}
