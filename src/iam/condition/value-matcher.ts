import type { MatchScope } from "../pattern.ts";
import { resolveVariable } from "../pattern.ts";
import type { TemplatePart } from "../policy/variables.ts";
import type { ContextKeys } from "../request-context.ts";

/**
 * The values of one condition, prepared for its operator in the positive form: whether one request
 * value fits one of them. Values that are malformed or whose variables have none fit nothing (CON-4,
 * VAR-8), on either side.
 */
export interface ValueMatcher {
  matches(text: string, scope: MatchScope): boolean;
}

/**
 * A policy value as written, and its parts under the rules of the document's version; null where it
 * holds no variable and no escape, which is nearly always.
 */
export interface PolicyValue {
  readonly text: string;
  readonly template: readonly TemplatePart[] | null;
}

/** Returns the text of a value without variables, else null. */
export function literalText(value: PolicyValue): string | null {
  if (value.template === null) return value.text;
  let text = "";
  for (const part of value.template) {
    if (part.type === "variable") return null;
    text += part.text;
  }
  return text;
}

/** Returns the text of a value with its variables replaced, null where one has no value. */
export function resolvedText(value: PolicyValue, keys: ContextKeys): string | null {
  if (value.template === null) return value.text;
  let text = "";
  for (const part of value.template) {
    if (part.type !== "variable") {
      text += part.text;
      continue;
    }
    const resolved = resolveVariable(part, keys);
    if (resolved === null) return null;
    text += resolved;
  }
  return text;
}

/**
 * Returns `parse` with a memory of the last text: however many statements ask, a request value is
 * parsed once. The values must be frozen or never changed.
 */
export function rememberLast<T>(parse: (text: string) => T): (text: string) => T {
  let lastText = "";
  let last = parse("");
  return (text) => {
    if (text !== lastText) {
      last = parse(text);
      lastText = text;
    }
    return last;
  };
}
