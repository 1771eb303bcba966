import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWork } from "../glob.ts";
import type { BaseOperator } from "../policy/document.ts";
import type { ContextValue } from "../request-context.ts";
import { clockDependence, nextFlipMs, unknownDependence } from "./clock.ts";
import { operators } from "./operators.ts";

const noon = Date.parse("2026-11-24T12:00:00Z");

function next(
  key: string,
  base: BaseOperator,
  values: readonly string[],
  nowMs: number,
  age?: string,
): number {
  const dependence = clockDependence(key, base, values);
  if (dependence === null) return Number.POSITIVE_INFINITY;
  const keys = new Map<string, ContextValue>();
  if (age !== undefined) keys.set(key, { multivalued: false, values: [age] });
  return nextFlipMs(dependence, keys, nowMs);
}

describe("KEY-5 the next instant at which a condition can change", () => {
  test.each<readonly [string, string, BaseOperator, readonly string[], number]>([
    [
      "before the instant",
      "aws:currenttime",
      "DateLessThan",
      ["2026-11-24T12:00:01Z"],
      noon + 1000,
    ],
    ["at the instant", "aws:currenttime", "DateLessThanEquals", ["2026-11-24T12:00:00Z"], noon + 1],
    ["after the instant", "aws:currenttime", "DateLessThan", ["2026-11-24T11:59:00Z"], Infinity],
    [
      "the nearest of several",
      "aws:epochtime",
      "DateEquals",
      ["1795600000", "1795521700"],
      1_795_521_700_000,
    ],
    ["a number of seconds", "aws:epochtime", "NumericLessThan", ["1795521700"], 1_795_521_700_000],
    ["four digits are seconds as a number", "aws:epochtime", "NumericLessThan", ["2027"], Infinity],
    [
      "four digits are a year as a date",
      "aws:epochtime",
      "DateLessThan",
      ["2027"],
      Date.UTC(2027, 0),
    ],
    ["a fraction", "aws:epochtime", "NumericLessThan", ["1795521600.5"], noon + 500],
    [
      "a date that is no number",
      "aws:currenttime",
      "NumericLessThan",
      ["2026-11-24T12:00:01.5Z"],
      noon,
    ],
    ["any other operator", "aws:currenttime", "StringLike", ["2026-*"], noon],
    ["a malformed value", "aws:currenttime", "DateLessThan", ["soon"], noon],
    ["a number too large for a date", "aws:epochtime", "NumericLessThan", ["9".repeat(60)], noon],
    ["whether the key is there", "aws:currenttime", "Null", ["true"], Infinity],
    ["another key", "aws:tokenissuetime", "DateLessThan", ["2027"], Infinity],
    ["no values", "aws:currenttime", "DateLessThan", [], Infinity],
  ])("%s", (_why, key, base, values, want) => {
    expect(next(key, base, values, noon)).toBe(want);
  });

  test.each([
    ["an hour after ten minutes", ["3600"], "600", noon + 2_999_000],
    ["an age past the bound", ["3600"], "3601", Infinity],
    ["an age just below the bound", ["3600"], "3599", noon],
    ["an age at the bound", ["3600"], "3600", noon],
    ["the nearer bound", ["3600", "700"], "600", noon + 99_000],
    ["no age", ["3600"], undefined, Infinity],
    ["a malformed age", ["3600"], "young", Infinity],
    ["a negative bound", ["-1"], "0", Infinity],
    ["a negative age", ["-0.5"], "-3", noon + 1_000],
    ["a negative age between seconds", ["5"], "-0.5", noon + 5_000],
    ["a malformed bound", ["x"], "0", Infinity],
  ])("MFA age: %s", (_why, values, age, want) => {
    expect(next("aws:multifactorauthage", "NumericLessThan", values, noon, age)).toBe(want);
  });

  test("a key cut to seconds reaches an instant between them at the next second", () => {
    const dependence = clockDependence("aws:epochtime", "NumericLessThan", ["1795521600.5"]);
    expect(dependence).toEqual({ type: "instants", atMs: [noon + 500, noon + 501, noon + 1000] });
  });

  test("an age that no number compares", () => {
    expect(clockDependence("aws:multifactorauthage", "StringLike", ["1*"])).toBe(unknownDependence);
  });
});

// The clock runs from `nowMs`, the answer must be the same until just before the promised instant.
function staysSame(
  key: string,
  base: BaseOperator,
  values: readonly string[],
  valueAt: (ms: number) => string,
  nowMs: number,
  steps: readonly number[],
): void {
  const dependence = clockDependence(key, base, values);
  const matcher = operators[base].matcher?.(values.map((text) => ({ text, template: null })));
  if (dependence === null || matcher === undefined) throw new Error("expected a condition on time");
  const answer = (ms: number): boolean =>
    matcher.matches(valueAt(ms), { keys: new Map(), work: createWork() });
  const keys = new Map([[key, { multivalued: false, values: [valueAt(nowMs)] }]]);
  const until = nextFlipMs(dependence, keys, nowMs);
  for (const step of steps) {
    const ms = nowMs + step;
    if (ms < until) expect({ ms, answer: answer(ms) }).toEqual({ ms, answer: answer(nowMs) });
  }
}

describe("POL-085 a kept answer is never a late one", () => {
  const steps = Array.from({ length: 60 }, (_, i) => i * 97);
  const grains: readonly ((ms: number) => string)[] = [
    (ms) => new Date(ms).toISOString(),
    (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`,
    (ms) => `${Math.floor(ms / 1000)}`,
    (ms) => `${Math.floor(ms / 1000)}.${`${ms % 1000}`.padStart(3, "0")}`,
  ];

  test("of the time, written at any grain", () => {
    const bases = fc.constantFrom<BaseOperator>(
      "DateEquals",
      "DateLessThan",
      "DateLessThanEquals",
      "DateGreaterThan",
      "DateGreaterThanEquals",
    );
    const instant = fc
      .integer({ min: noon - 3000, max: noon + 6000 })
      .map((ms) => new Date(ms).toISOString());
    fc.assert(
      fc.property(
        bases,
        fc.array(instant, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...grains),
        fc.nat(2000),
        (base, values, grain, start) => {
          staysSame("aws:currenttime", base, values, grain, noon + start, steps);
        },
      ),
    );
  });

  test("of an age, whole or with a fraction", () => {
    const bases = fc.constantFrom<BaseOperator>(
      "NumericEquals",
      "NumericLessThan",
      "NumericLessThanEquals",
      "NumericGreaterThan",
      "NumericGreaterThanEquals",
    );
    const bound = fc.integer({ min: -20, max: 120 }).map((tenths) => `${tenths / 10}`);
    const ages: readonly ((ms: number) => string)[] = [
      (ms) => `${Math.floor((ms - noon) / 1000)}`,
      (ms) => `${(ms - noon) / 1000}`,
    ];
    fc.assert(
      fc.property(
        bases,
        fc.array(bound, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...ages),
        fc.nat(9000),
        (base, values, age, start) => {
          staysSame("aws:multifactorauthage", base, values, age, noon + start, steps);
        },
      ),
    );
  });
});
