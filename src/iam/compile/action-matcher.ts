import { foldAscii } from "../ascii.ts";
import { type Glob, matchGlob, type Work } from "../glob.ts";
import { internGlob, type PatternTable } from "../pattern.ts";
import type { ListElement } from "../policy/document.ts";
import { intern } from "./intern.ts";

/** `Action` or `NotAction`, prepared. */
export interface ActionMatcher {
  readonly negated: boolean;
  readonly patterns: readonly ActionPattern[];
}

/** Service and name are globs of their own, in lower case (ACT-3). */
export interface ActionPattern {
  readonly service: Glob;
  readonly name: Glob;
}

/** Actions that compiled policies share, by their texts. */
export interface ActionTables extends PatternTable {
  readonly actions: Map<string, ActionPattern>;
  readonly actionLists: Map<string, ActionMatcher>;
}

/** A request's action in the form matchers take. */
export interface ActionName {
  readonly service: string;
  readonly name: string;
}

/** Returns the action of `text`, split at the first colon and ASCII-lower-cased (ACT-1). */
export function parseActionName(text: string): ActionName {
  const folded = foldAscii(text);
  const colon = folded.indexOf(":");
  if (colon < 0) return { service: folded, name: "" };
  return { service: folded.slice(0, colon), name: folded.slice(colon + 1) };
}

/** Returns the matcher of `element`. An entry without colon, but for `*`, matches nothing. */
export function createActionMatcher(
  { negated, entries }: ListElement,
  tables: ActionTables,
): ActionMatcher {
  const texts = entries
    .map(({ text }) => text)
    .filter((text) => text === "*" || text.includes(":")); // ACT-6, LOAD-4
  return intern(tables.actionLists, JSON.stringify([negated, texts]), () => {
    const create = (text: string): ActionPattern =>
      intern(tables.actions, text, () => createActionPattern(text, tables));
    return { negated, patterns: texts.map(create) };
  });
}

/** Returns whether the statement's actions take in `action` (ACT-2 to ACT-5). */
export function matchesAction(matcher: ActionMatcher, action: ActionName, work: Work): boolean {
  for (const { service, name } of matcher.patterns) {
    if (matchGlob(service, action.service, work) && matchGlob(name, action.name, work)) {
      return !matcher.negated;
    }
  }
  return matcher.negated;
}

function createActionPattern(text: string, tables: ActionTables): ActionPattern {
  const { service, name } = text === "*" ? { service: "*", name: "*" } : parseActionName(text);
  return { service: internGlob(service, tables), name: internGlob(name, tables) };
}
