import fc from "fast-check";
import { expect, test } from "vitest";
import { compareDecimals, parseDecimal } from "./numeric.ts";

test.each([
  ["0", { negative: false, whole: "", fraction: "" }],
  ["-0", { negative: false, whole: "", fraction: "" }],
  ["-0.00", { negative: false, whole: "", fraction: "" }],
  ["10", { negative: false, whole: "10", fraction: "" }],
  ["10.0", { negative: false, whole: "10", fraction: "" }],
  ["0010", { negative: false, whole: "10", fraction: "" }],
  ["-0.50", { negative: true, whole: "", fraction: "5" }],
  ["9".repeat(64), { negative: false, whole: "9".repeat(64), fraction: "" }],
  [`-${"9".repeat(64)}`, { negative: true, whole: "9".repeat(64), fraction: "" }],
  [
    `-${"9".repeat(32)}.${"9".repeat(32)}`,
    { negative: true, whole: "9".repeat(32), fraction: "9".repeat(32) },
  ],
])("VAL-1 the number %s", (text, want) => {
  expect(parseDecimal(text)).toEqual(want);
});

test.each([
  ["POL-006 empty", ""],
  ["POL-006 blanks", " 12 "],
  ["POL-006 hexadecimal", "0x10"],
  ["POL-006 letters behind", "12abc"],
  ["a plus", "+1"],
  ["US-06 an exponent", "1e3"],
  ["NaN", "NaN"],
  ["Infinity", "Infinity"],
  ["a minus alone", "-"],
  ["two minuses", "--1"],
  ["a point alone", "."],
  ["no whole part", ".5"],
  ["no fraction", "1."],
  ["two points", "1.2.3"],
  ["a comma", "1,000"],
  ["Arabic-Indic digits", "٩"],
  ["a newline behind", "1\n"],
  ["65 digits", "1".repeat(65)],
  ["65 digits around the point", `${"1".repeat(32)}.${"1".repeat(33)}`],
])("VAL-1 no number: %s", (_why, text) => {
  expect(parseDecimal(text)).toBeNull();
});

function compare(a: string, b: string): number {
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === null || right === null) throw new Error("expected numbers");
  return Math.sign(compareDecimals(left, right));
}

test.each([
  ["10", "10.0", 0],
  ["-0", "0", 0],
  ["007", "7", 0],
  ["9", "10", -1],
  ["-9", "-10", 1],
  ["-1", "1", -1],
  ["0.5", "1", -1],
  ["0.5", "0.05", 1],
  ["1.10", "1.1", 0],
  ["1.2", "1.15", 1],
  ["-1.2", "-1.15", -1],
] as const)("%s against %s: %i", (a, b, want) => {
  expect(compare(a, b)).toBe(want);
});

test("POL-041, T-CON-32 numbers beyond 2^53 are not rounded", () => {
  expect(compare("9007199254740993", "9007199254740992")).toBe(1);
  expect(compare("0.30000000000000001", "0.3")).toBe(1);
});

test("integers order like BigInts", () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
      fc.pre(`${a}`.length < 64 && `${b}`.length < 64);
      expect(compare(`${a}`, `${b}`)).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});
