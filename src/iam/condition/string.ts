import { foldAscii } from "../ascii.ts";
import { createPattern, type MatchScope, matchPattern } from "../pattern.ts";
import { literalText, type PolicyValue, resolvedText, type ValueMatcher } from "./value-matcher.ts";

/** Above this many values a set is faster than comparing one by one. */
const maxCompared = 8;

/** Returns the matcher of `StringEquals`: equal code point by code point (5.2). */
export function createStringEquals(values: readonly PolicyValue[]): ValueMatcher {
  return createEquality(values, (text) => text);
}

/** Returns the matcher of `StringEqualsIgnoreCase`: equal after ASCII folding (US-19). */
export function createStringEqualsIgnoreCase(values: readonly PolicyValue[]): ValueMatcher {
  return createEquality(values, foldAscii);
}

/** Returns the matcher of `StringLike`: globs that cross `/` and `:` (5.2). */
export function createStringLike(values: readonly PolicyValue[]): ValueMatcher {
  const patterns = values.map((value) => createPattern(value.text, value.template));
  return {
    matches(text: string, scope: MatchScope): boolean {
      if (!text.isWellFormed()) return false; // VAL-8
      const { work } = scope;
      for (const pattern of patterns) {
        if (work.steps > work.limit) return false;
        if (matchPattern(pattern, text, scope)) return true;
      }
      return false;
    },
  };
}

function createEquality(
  values: readonly PolicyValue[],
  fold: (text: string) => string,
): ValueMatcher {
  const literals: string[] = [];
  const templates: PolicyValue[] = [];
  for (const value of values) {
    const literal = literalText(value);
    if (literal === null) templates.push(value);
    else literals.push(fold(literal));
  }
  const set = literals.length > maxCompared ? new Set(literals) : null;
  return {
    matches(text: string, scope: MatchScope): boolean {
      if (!text.isWellFormed()) return false; // VAL-8
      const wanted = fold(text);
      scope.work.steps += set === null ? values.length : templates.length + 1;
      if (set === null ? literals.includes(wanted) : set.has(wanted)) return true;
      for (const template of templates) {
        const resolved = resolvedText(template, scope.keys);
        if (resolved !== null && fold(resolved) === wanted) return true;
      }
      return false;
    },
  };
}
