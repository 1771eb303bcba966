import {
  anyOne,
  anyRun,
  createGlob,
  type Glob,
  type GlobToken,
  matchGlob,
  parseGlob,
  type Work,
} from "./glob.ts";
import type { TemplatePart, VariablePart } from "./policy/variables.ts";
import type { ContextKeys } from "./request-context.ts";

/** What matching needs of one evaluation: the values of variables, and the count of steps. */
export interface MatchScope {
  readonly keys: ContextKeys;
  readonly work: Work;
}

/** A pattern that may hold variables: `glob` where it holds none, else the tokens to resolve. */
export type Pattern =
  | { readonly glob: Glob; readonly tokens: null }
  | { readonly glob: null; readonly tokens: readonly PatternToken[] };

export type PatternToken = GlobToken | VariablePart;

/** Patterns of texts without variables, so that a text and its search tables exist once. */
export interface PatternTable {
  readonly patterns: Map<string, Pattern & { readonly tokens: null }>;
}

/**
 * Returns the pattern of `text`, whose parts are `template`, null where it holds neither variable
 * nor escape. Wildcards count in its plain text only (VAR-3, VAR-5).
 */
export function createPattern(
  text: string,
  template: readonly TemplatePart[] | null,
  table?: PatternTable,
): Pattern {
  if (template === null) return plainPattern(text, table);
  const tokens = template.flatMap(tokensOf);
  return tokens.every(isGlobToken)
    ? { glob: createGlob(tokens), tokens: null }
    : { glob: null, tokens };
}

/** Returns the glob of `text`, the table's where it has one. */
export function internGlob(text: string, table: PatternTable): Glob {
  return plainPattern(text, table).glob;
}

function plainPattern(text: string, table?: PatternTable): Pattern & { readonly tokens: null } {
  const known = table?.patterns.get(text);
  if (known !== undefined) return known;
  const pattern = { glob: createGlob(parseGlob(text)), tokens: null };
  table?.patterns.set(text, pattern);
  return pattern;
}

/** Returns the literal text every match begins with: up to the first wildcard or variable. */
export function literalPrefix(pattern: Pattern): string {
  if (pattern.glob !== null) {
    const { literal, startsWithRun, pieces } = pattern.glob;
    if (literal !== null) return literal;
    return startsWithRun ? "" : leadingText(pieces[0]);
  }
  let prefix = "";
  for (const token of pattern.tokens) {
    if (typeof token !== "string") break;
    prefix += token;
  }
  return prefix;
}

/**
 * Returns the value of the variable, or null where it has none (VAR-7, VAR-8): the key is absent or
 * holds the empty string, and there is no default. A multivalued key never has one (VAR-4).
 */
export function resolveVariable(variable: VariablePart, keys: ContextKeys): string | null {
  const found = keys.get(variable.keyLower);
  if (found === undefined) return variable.defaultText;
  return found.multivalued ? null : found.values[0] || variable.defaultText;
}

/** Returns whether every variable of the pattern has a value. */
export function isResolved(pattern: Pattern, keys: ContextKeys): boolean {
  if (pattern.tokens === null) return true;
  for (const token of pattern.tokens) {
    if (!isGlobToken(token) && resolveVariable(token, keys) === null) return false;
  }
  return true;
}

/**
 * Returns whether `text` matches the pattern; never, where a variable has no value (VAR-8). What
 * stands before the first wildcard is compared in place; only a variable behind one costs a glob
 * made for this match.
 */
export function matchPattern(pattern: Pattern, text: string, scope: MatchScope): boolean {
  if (pattern.glob !== null) return matchGlob(pattern.glob, text, scope.work);
  const { tokens } = pattern;
  let at = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    scope.work.steps++;
    const literal = isGlobToken(token) ? token : resolveVariable(token, scope.keys);
    if (literal === null) return false;
    // a wildcard, or a value that may end inside a character: the general way for what is left
    if (typeof literal !== "string" || !literal.isWellFormed()) {
      if (i === tokens.length - 1 && literal === anyRun) return true;
      return matchRest(tokens.slice(i), text.slice(at), scope);
    }
    if (!text.startsWith(literal, at)) return false;
    at += literal.length;
  }
  return at === text.length;
}

/** Returns whether some values of the variables make `text` match: each counts as any text. */
export function couldMatch(pattern: Pattern, text: string, work: Work): boolean {
  if (pattern.glob !== null) return matchGlob(pattern.glob, text, work);
  const tokens = pattern.tokens.map((token) => (isGlobToken(token) ? token : anyRun));
  return matchGlob(createGlob(tokens), text, work);
}

/** Adds the keys of the pattern's variables to `keys`. */
export function addVariableKeys(pattern: Pattern, keys: Set<string>): void {
  for (const token of pattern.tokens ?? []) if (!isGlobToken(token)) keys.add(token.keyLower);
}

function matchRest(tokens: readonly PatternToken[], text: string, scope: MatchScope): boolean {
  const resolved: GlobToken[] = [];
  for (const token of tokens) {
    const literal = isGlobToken(token) ? token : resolveVariable(token, scope.keys);
    if (literal === null) return false;
    if (literal !== "") resolved.push(literal);
  }
  scope.work.steps += resolved.length;
  return matchGlob(createGlob(resolved), text, scope.work);
}

function leadingText(piece: Glob["pieces"][number] | undefined): string {
  if (piece === undefined) return "";
  if (piece.text !== null) return piece.text;
  const points = piece.points ?? [];
  return String.fromCodePoint(...points.slice(0, points.indexOf(-1)));
}

function tokensOf(part: TemplatePart): readonly PatternToken[] {
  switch (part.type) {
    case "text":
      return parseGlob(part.text);
    case "escape":
      return [part.text];
    case "variable":
      return [part];
  }
}

function isGlobToken(token: PatternToken): token is GlobToken {
  return typeof token === "string" || token === anyOne || token === anyRun;
}
