import type { MatchScope } from "../pattern.ts";
import type { Effect, Quantifier } from "../policy/document.ts";
import type { ContextValue } from "../request-context.ts";
import type { PolicyValue, ValueMatcher } from "./value-matcher.ts";

/** One condition entry, prepared: shared by all statements that have it. */
export interface Condition {
  readonly operator: string;
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier: Quantifier | null;
  readonly key: string;
  readonly keyLower: string;
  readonly values: readonly PolicyValue[];
  /** Null for the operator `Null`. */
  readonly matcher: ValueMatcher | null;
}

/** Returns whether the key has no value at all: absent, or an empty list. */
export function isMissing(value: ContextValue | undefined): value is undefined {
  return value === undefined || (value.multivalued && value.values.length === 0);
}

/**
 * Returns whether the condition holds (CON-9). `effect` is the statement's: a multivalued key without
 * set operator satisfies a negated operator in a Deny only (SET-5). Reads one key and the keys of
 * variables; allocates nothing.
 */
export function evaluateCondition(
  condition: Condition,
  scope: MatchScope,
  effect: Effect,
): boolean {
  scope.work.steps++;
  const { matcher, negated, quantifier } = condition;
  const value = scope.keys.get(condition.keyLower);
  if (matcher === null) {
    return (condition.values[0]?.text === "true") === isNullSet(value);
  }
  const missing = isMissing(value);
  if (missing && condition.ifExists) return true;
  switch (quantifier) {
    case "ForAllValues": // SET-1
      return isNullSet(value) || everyFits(matcher, negated, value?.values ?? none, scope);
    case "ForAnyValue": // SET-2
      return !isNullSet(value) && someFits(matcher, negated, value?.values ?? none, scope);
    case null:
      if (missing) return negated;
      if (value.multivalued) return negated && effect === "Deny";
      return matcher.matches(value.values[0] ?? "", scope) !== negated;
  }
}

const none: readonly string[] = [];

// CON-5: missing, or nothing but empty strings.
function isNullSet(value: ContextValue | undefined): boolean {
  if (value === undefined) return true;
  for (const each of value.values) if (each !== "") return false;
  return true;
}

// SET-3: the negation is inside, one request value against all policy values.
function everyFits(
  matcher: ValueMatcher,
  negated: boolean,
  values: readonly string[],
  scope: MatchScope,
): boolean {
  for (const each of values) if (matcher.matches(each, scope) === negated) return false;
  return true;
}

function someFits(
  matcher: ValueMatcher,
  negated: boolean,
  values: readonly string[],
  scope: MatchScope,
): boolean {
  for (const each of values) if (matcher.matches(each, scope) !== negated) return true;
  return false;
}
