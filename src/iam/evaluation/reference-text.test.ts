import fc from "fast-check";
import { expect, test } from "vitest";
import { glob, patternOf, piecesOf, textOf } from "./reference-text.ts";

const noKeys = new Map<string, never>();

function matches(pattern: string, text: string): boolean {
  const tokens = patternOf(piecesOf(pattern, "2012-10-17"), noKeys);
  return tokens !== null && glob(tokens, text);
}

/** The meaning of a pattern, written as a definition: exponential, and right by inspection. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [token, ...rest] = pattern;
  if (token === undefined) return text.length === 0;
  if (token === "*") return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)));
  return text.length > 0 && (token === "?" || token === text[0]) && naive(rest, text.slice(1));
}

test("T-PROP-07 the reference's glob is the naive one, on short texts", () => {
  const letters = ["a", "b", "\n", "\u{1F600}"];
  const pattern = fc.array(fc.constantFrom(...letters, "*", "?"), { maxLength: 7 });
  const text = fc.array(fc.constantFrom(...letters), { maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (p, t) => {
      expect(matches(p.join(""), t.join(""))).toBe(naive(p, t));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  { pattern: "", text: "", want: true },
  { pattern: "*", text: "", want: true },
  { pattern: "?", text: "", want: false },
  { pattern: "a*b*c", text: "a-b-b-c", want: true },
  { pattern: "a*b*c", text: "a-b-b-", want: false },
  { pattern: "?", text: "\u{1F600}", want: true },
])("`$pattern` against `$text`", ({ pattern, text, want }) => {
  expect(matches(pattern, text)).toBe(want);
});

const variable = (keyLower: string, defaultText: string | null = null) => ({
  type: "variable",
  keyLower,
  defaultText,
});

test.each([
  ["VAR-4 a key of one letter", "${A}", [variable("a")]],
  ["VAR-6 a default", "${A, 'x, y}'}", [variable("a", "x, y}")]],
  ["VAR-6 an empty default", "${a, ''}", [variable("a", "")]],
  ["VAR-5 an escape", "${*}", [{ type: "escape", text: "*" }]],
  [
    "a comma behind the brace is none of its own",
    "${a},",
    [variable("a"), { type: "text", text: "," }],
  ],
  ["no key", "${}", [{ type: "malformed" }]],
  ["no brace", "${a", [{ type: "malformed" }]],
  ["VAR-6 a default without key", "${, 'x'}", [{ type: "malformed" }]],
  ["VAR-6 no space before the default", "${a,'x'}", [{ type: "malformed" }]],
  ["VAR-6 something behind the default", "${a, 'x'y}", [{ type: "malformed" }]],
  ["VAR-6 a quote that is never closed", "${a, 'x}", [{ type: "malformed" }]],
])("%s: %s", (_why, text, want) => {
  expect(piecesOf(text, "2012-10-17")).toEqual(want);
});

test("VAR-8 what is malformed is no text and no pattern", () => {
  const pieces = piecesOf("a${", "2012-10-17");
  expect(textOf(pieces, noKeys)).toBeNull();
  expect(patternOf(pieces, noKeys)).toBeNull();
});
