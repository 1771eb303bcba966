import { describe, expect, test } from "vitest";
import { createWork } from "../glob.ts";
import type { Effect } from "../policy/document.ts";
import type { ContextValue } from "../request-context.ts";
import { operators, parseOperator } from "./operators.ts";
import { type Condition, evaluateCondition } from "./quantifiers.ts";

function condition(text: string, values: readonly string[]): Condition {
  const name = parseOperator(text);
  if (!name.ok) throw new Error(name.message);
  const prepared = values.map((value) => ({ text: value, template: null }));
  const { operator, base, negated, ifExists, quantifier } = name.value;
  const matcher = operators[base].matcher?.(prepared) ?? null;
  return {
    operator,
    negated,
    ifExists,
    quantifier,
    key: "K",
    keyLower: "k",
    values: prepared,
    matcher,
  };
}

type Found = string | readonly string[] | null;

function holds(
  text: string,
  values: readonly string[],
  found: Found,
  effect: Effect = "Allow",
): boolean {
  const keys = new Map<string, ContextValue>();
  if (typeof found === "string") keys.set("k", { multivalued: false, values: [found] });
  else if (found !== null) keys.set("k", { multivalued: true, values: found });
  return evaluateCondition(condition(text, values), { keys, work: createWork() }, effect);
}

/** The table of iam-semantics 5.4, POL-055: key missing, key present with an empty list. */
describe("5.4 missing keys", () => {
  const positive = [
    "StringEquals",
    "NumericLessThan",
    "DateGreaterThan",
    "Bool",
    "IpAddress",
    "ArnLike",
  ];
  const negated = [
    "StringNotEquals",
    "NumericNotEquals",
    "DateNotEquals",
    "NotIpAddress",
    "ArnNotLike",
  ];
  const rows: [operator: string, want: boolean][] = [
    ...positive.map((name): [string, boolean] => [name, false]),
    ...negated.map((name): [string, boolean] => [name, true]),
    ...[...positive, ...negated].flatMap((name): [string, boolean][] => [
      [`${name}IfExists`, true],
      [`ForAllValues:${name}`, true],
      [`ForAnyValue:${name}`, false],
      [`ForAllValues:${name}IfExists`, true],
      [`ForAnyValue:${name}IfExists`, true],
    ]),
  ];

  test.each(rows)("%s: %s", (operator, want) => {
    const value = operator.includes("Numeric") ? "1" : operator.includes("Date") ? "2024" : "x";
    for (const effect of ["Allow", "Deny"] as const) {
      expect(holds(operator, [value], null, effect)).toBe(want);
      expect(holds(operator, [value], [], effect)).toBe(want);
    }
  });

  test.each([
    ["true", null, true],
    ["false", null, false],
    ["true", [], true],
    ["false", [], false],
    ["T-CON-13 true", "", true],
    ["T-CON-13 false", "", false],
    ["true", "x", false],
    ["false", "x", true],
    ["true", [""], true],
    ["false", ["", "a"], true],
  ])("Null %s against %j: %s", (word, found, want) => {
    expect(holds("Null", [word.split(" ").at(-1) ?? ""], found)).toBe(want);
  });
});

describe("CON-1 values of one key", () => {
  test.each([
    ["one of them", "StringEquals", ["a", "b"], "b", true],
    ["none of them", "StringEquals", ["a", "b"], "c", false],
    ["T-CON-04 NOR", "StringNotEquals", ["a", "b"], "b", false],
    ["NOR, all differ", "StringNotEquals", ["a", "b"], "c", true],
    ["T-CON-57 an empty list", "StringEquals", [], "x", false],
    ["T-CON-57 an empty list, negated", "StringNotEquals", [], "x", true],
    ["T-CON-58 an empty list and a present key", "StringEqualsIfExists", [], "x", false],
    ["CON-5 the empty string is a value", "StringEquals", [""], "", true],
    ["CON-5 IfExists sees a present key", "StringEqualsIfExists", ["x"], "", false],
    ["T-CON-30 a malformed value, negated", "NumericNotEquals", ["10"], "abc", true],
    ["T-CON-56 no ARN, negated", "ArnNotLike", ["arn:aws:sns:*:*:*"], "not-an-arn", true],
    ["T-CON-47 the other family, negated", "NotIpAddress", ["10.0.0.0/8"], "2001:db8::1", true],
  ])("%s", (_why, operator, values, found, want) => {
    expect(holds(operator, values, found)).toBe(want);
  });
});

describe("5.5 set operators", () => {
  test.each<readonly [string, string, readonly string[], Found, boolean]>([
    ["T-CON-16 all listed", "ForAllValues:StringEquals", ["a", "b", "c"], ["a", "b"], true],
    ["T-CON-17 one not listed", "ForAllValues:StringEquals", ["a", "b"], ["a", "z"], false],
    ["one listed", "ForAnyValue:StringEquals", ["a"], ["a", "z"], true],
    ["none listed", "ForAnyValue:StringEquals", ["a"], ["y", "z"], false],
    ["T-CON-18 the negation is inside", "ForAnyValue:StringNotEquals", ["a"], ["a", "z"], true],
    ["T-CON-19 the negation is inside", "ForAllValues:StringNotEquals", ["a"], ["a", "z"], false],
    ["none of the values is listed", "ForAllValues:StringNotEquals", ["a"], ["y", "z"], true],
    ["every value is listed", "ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], false],
    ["T-CON-26 only empty strings", "ForAllValues:StringEquals", ["a"], [""], true],
    ["T-CON-26 only empty strings", "ForAnyValue:StringEquals", [""], [""], false],
    ["CON-5 an empty string among others", "ForAnyValue:StringEquals", [""], ["", "a"], true],
    ["CON-5 an empty string among others", "ForAllValues:StringEquals", ["a"], ["", "a"], false],
    ["SET-6 a single-valued key", "ForAllValues:StringEquals", ["a"], "a", true],
    ["SET-6 a single-valued key", "ForAnyValue:StringEquals", ["a"], "b", false],
    ["SET-6 the empty string", "ForAllValues:StringEquals", ["a"], "", true],
    ["IfExists and a list that is there", "ForAnyValue:StringEqualsIfExists", ["a"], ["b"], false],
    ["DOC-16 an empty list", "ForAllValues:StringEquals", [], ["a"], false],
    ["DOC-16 an empty list", "ForAllValues:StringNotEquals", [], ["a"], true],
    ["DOC-16 an empty list", "ForAnyValue:StringEquals", [], ["a"], false],
    ["DOC-16 an empty list", "ForAnyValue:StringNotEquals", [], ["a"], true],
  ])("%s: %s %j on %j", (_why, operator, values, found, want) => {
    expect(holds(operator, values, found)).toBe(want);
  });

  test.each([
    ["T-CON-21 positive", "StringEquals", "Allow", false],
    ["T-CON-21 positive", "StringEquals", "Deny", false],
    ["T-CON-21 negated", "StringNotEquals", "Allow", false],
    ["T-CON-21 negated", "StringNotEquals", "Deny", true],
    ["IfExists does not help", "StringEqualsIfExists", "Allow", false],
  ] as const)(
    "SET-5 a multivalued key without set operator, %s %s in an %s: %s",
    (_why, operator, effect, want) => {
      expect(holds(operator, ["x"], ["a"], effect)).toBe(want);
      expect(holds(operator, ["a"], ["a"], effect)).toBe(want);
    },
  );
});

test("IMP-6 a condition is a step, and each comparison with a policy value another", () => {
  const steps = (text: string, values: readonly string[], found: readonly string[]): number => {
    const work = createWork();
    const keys = new Map([["k", { multivalued: true, values: found }]]);
    evaluateCondition(condition(text, values), { keys, work }, "Allow");
    return work.steps;
  };
  expect(steps("Null", ["true"], ["a"])).toBe(1);
  expect(steps("ForAnyValue:StringEquals", ["x", "y"], ["a", "b", "c"])).toBe(7);
});
