import type { Condition } from "../condition/quantifiers.ts";
import type { PatternTable } from "../pattern.ts";
import type { ActionMatcher, ActionPattern } from "./action-matcher.ts";
import type { PrincipalMatcher } from "./principal-matcher.ts";
import type { ResourcePattern } from "./resource-matcher.ts";

/**
 * What compiled policies share: equal texts are compiled once. One set of tables
 * belongs to one revision and is dropped with it; it grows with the policies, never with requests.
 */
export interface CompileTables extends PatternTable {
  readonly actions: Map<string, ActionPattern>;
  readonly actionLists: Map<string, ActionMatcher>;
  readonly resources: Map<string, ResourcePattern>;
  readonly principals: Map<string, PrincipalMatcher>;
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
