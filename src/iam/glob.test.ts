import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyOne,
  anyRun,
  createGlob,
  createWork,
  type GlobToken,
  matchGlob,
  parseGlob,
} from "./glob.ts";

function matches(pattern: string, text: string): boolean {
  return matchGlob(createGlob(parseGlob(pattern)), text, createWork());
}

function stepsOf(pattern: string, text: string): number {
  const work = createWork();
  matchGlob(createGlob(parseGlob(pattern)), text, work);
  return work.steps;
}

// The definition (GLOB-4): two pointers with a memory of the last star, over code points.
function naive(tokens: readonly GlobToken[], text: string): boolean {
  const pattern = joined(tokens).flatMap<GlobToken>((token) =>
    typeof token === "string" ? [...token] : [token],
  );
  const points = [...text];
  let i = 0;
  let j = 0;
  let star = -1;
  let mark = 0;
  while (j < points.length) {
    if (i < pattern.length && pattern[i] === anyRun) {
      star = i++;
      mark = j;
    } else if (i < pattern.length && (pattern[i] === anyOne || pattern[i] === points[j])) {
      i++;
      j++;
    } else if (star >= 0) {
      i = star + 1;
      j = ++mark;
    } else {
      return false;
    }
  }
  while (i < pattern.length && pattern[i] === anyRun) i++;
  return i === pattern.length;
}

// Neighbouring literals are one text: a pair of surrogates may stand across their border.
function joined(tokens: readonly GlobToken[]): readonly GlobToken[] {
  const result: GlobToken[] = [];
  for (const token of tokens) {
    const last = result.at(-1);
    if (typeof token === "string" && typeof last === "string") result.splice(-1, 1, last + token);
    else result.push(token);
  }
  return result;
}

describe("GLOB-1, GLOB-2", () => {
  test.each([
    ["", "", true],
    ["", "a", false],
    ["a", "", false],
    ["*", "", true],
    ["**", "", true],
    ["*", "anything\nat all", true],
    ["?", "", false],
    ["?", "\n", true],
    ["?*", "", false],
    ["?*", "a", true],
    ["*?", "a", true],
    ["a*b", "ab", true],
    ["a*b", "a\nb", true],
    ["a*b", "abc", false],
    ["a*a", "a", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "abcd", false],
    ["*abc", "ababc", true],
    ["abc*", "abcabc", true],
    ["*b*", "abc", true],
    ["*b*", "ac", false],
    ["*ab*ab*", "abab", true],
    ["*ab*ab*", "aba", false],
    ["a*b*c*d", "a-b-c-d", true],
    ["a*b?c*d", "a-bxc-d", true],
    ["a*b?c*d", "a-bc-d", false],
    ["*a?b*", "aab", true],
    ["*?a?*", "xay", true],
    ["*?a?*", "ay", false],
    ["x*?y", "xy", false],
    ["x*?y", "xzy", true],
  ])("%j against %j: %j", (pattern, text, want) => {
    expect(matches(pattern, text)).toBe(want);
  });

  test.each([
    ["T-ACT-08 brackets are themselves", "s3:Get[O]bject", "s3:GetObject", false],
    ["T-ACT-09 a point is itself", "s3:Get.bject", "s3:GetObject", false],
    ["T-ACT-10 an open parenthesis is itself", "s3:Get(Object", "s3:GetObject", false],
    ["POL-037 a full-width star is itself", "a＊", "abc", false],
    ["a backslash escapes nothing", "a\\*", "a\\bc", true],
    ["POL-035 no normalisation", "\u00e9", "e\u0301", false],
    ["POL-003 a newline does not stop a star", "a*b", "a\nb", true],
    ["POL-004, T-RES-19 one ? is one code point", "?", "😀", true],
    ["T-RES-19 two ? are not one code point", "??", "😀", false],
    ["a star before an astral character", "*😀", "a😀", true],
    ["half a character is not found inside a whole one", "*\ud83d*", "😀", false],
    ["half a character is found alone", "*\ud83d*", "a\ud83d-", true],
    ["a low half behind a star", "*\ude00", "😀", false],
    ["? takes a lone surrogate", "a?b", "a\ud83db", true],
    ["the last character of the basic plane is one", "?b", "\uffffb", true],
  ])("%s", (_why, pattern, text, want) => {
    expect(matches(pattern, text)).toBe(want);
  });

  test("GLOB-3 literal tokens are no wildcards", () => {
    const glob = createGlob(["a", "*", "b", anyRun]);
    expect(matchGlob(glob, "a*b-", createWork())).toBe(true);
    expect(matchGlob(glob, "aXb-", createWork())).toBe(false);
  });
});

describe("the engine's matcher agrees with the definition", () => {
  const token = fc.oneof(
    fc.constantFrom<GlobToken>("a", "b", "\n", "😀", "\ud83d", "\ude00", "ab"),
    fc.constantFrom<GlobToken>(anyOne, anyRun),
  );

  test("T-PROP-07 on all short patterns and texts", () => {
    const tokens: readonly GlobToken[] = ["a", "b", anyOne, anyRun];
    const texts = sequences(["a", "b", "\n", "😀"], 4).map((parts) => parts.join(""));
    let pairs = 0;
    for (const pattern of sequences(tokens, 4)) {
      const glob = createGlob(pattern);
      for (const text of texts) {
        pairs++;
        if (matchGlob(glob, text, createWork()) !== naive(pattern, text)) {
          expect({ pattern, text }).toBe("agreed");
        }
      }
    }
    expect(pairs).toBeGreaterThan(100_000);
  });

  test("on random patterns and texts over a small alphabet", () => {
    const character = fc.constantFrom("a", "b", "\n", "😀", "\ud83d", "\ude00");
    const text = fc.array(character, { maxLength: 24 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), text, (pattern, sample) => {
        expect(matchGlob(createGlob(pattern), sample, createWork())).toBe(naive(pattern, sample));
      }),
      { numRuns: 20_000 },
    );
  });

  test("on pieces of many words, with and without ?", () => {
    const long = fc
      .array(fc.constantFrom<GlobToken>("a", "b", "ab", "aaaaaaaa", anyOne), {
        minLength: 20,
        maxLength: 90,
      })
      .map((piece) => [anyRun, ...piece, anyRun] as const);
    const text = fc
      .array(fc.constantFrom("a", "b", "ab", "aaaaaaaa"), { minLength: 20, maxLength: 160 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(long, text, fc.integer({ min: 0, max: 40 }), (pattern, sample, at) => {
        // half of the samples hold the piece, so that finding is tested as well as missing
        const piece = pattern.map((each) => (each === anyOne ? "c" : each === anyRun ? "" : each));
        for (const each of [sample, sample.slice(0, at) + piece.join("") + sample.slice(at)]) {
          expect(matchGlob(createGlob(pattern), each, createWork())).toBe(naive(pattern, each));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("above the bound of indexOf every text is read from its beginning", () => {
    const glob = createGlob(parseGlob(`*${"a".repeat(300)}b*`));
    const text = `${"a".repeat(300)}b${"c".repeat(100)}`;
    expect(matchGlob(glob, "z".repeat(900), createWork())).toBe(false);
    expect(matchGlob(glob, text, createWork())).toBe(true);
  });

  test("above the bound of indexOf, where a table is used", () => {
    const piece = `${"a".repeat(300)}b`;
    for (const text of [
      "a".repeat(900),
      `${"a".repeat(600)}b`,
      `😀${"a".repeat(400)}b${"a".repeat(9)}`,
    ]) {
      for (const pattern of [`*${piece}*`, `*${piece}*a`, `*${piece}`, `*${piece}b*`]) {
        expect(matches(pattern, text)).toBe(naive(parseGlob(pattern), text));
      }
    }
  });
});

/** The families of performance.md 1.9 and 2.8, T-RES-18, POL-020 and POL-021. */
const adversaries: readonly (readonly [
  why: string,
  pattern: string,
  text: (n: number) => string,
])[] = [
  ["POL-001 four stars", "a*a*a*a*b", (n) => "a".repeat(n)],
  ["POL-002 thirty stars", `${"*a".repeat(30)}*b`, (n) => "a".repeat(n)],
  ["POL-020 thirty stars and an end", `${"*a".repeat(30)}b`, (n) => "a".repeat(n)],
  ["T-RES-18 eight stars", "*a*a*a*a*a*a*a*a*b*", (n) => "a".repeat(n)],
  ["512 question marks", `*${"a?".repeat(512)}b`, (n) => "a".repeat(n)],
  ["512 question marks inside", `*${"a?".repeat(512)}b*`, (n) => "a".repeat(n)],
  ["an inner literal", `*${"a".repeat(10)}b${"a".repeat(1000)}*`, (n) => "a".repeat(n)],
  ["POL-021 stars and question marks", "*?".repeat(1000), (n) => "a".repeat(n)],
  ["pairs with a gap", `*${"?a".repeat(300)}*${"b?".repeat(300)}*`, (n) => "ab".repeat(n / 2)],
  ["astral text", `*${"a?".repeat(100)}b*`, (n) => "😀a".repeat(n / 2)],
];

describe("steps", () => {
  test.each(adversaries)(
    "%s: twice the text costs at most 2.3 times the steps",
    (_why, pattern, text) => {
      const [n, twice] = [stepsOf(pattern, text(8192)), stepsOf(pattern, text(16_384))];
      expect(twice).toBeLessThanOrEqual(2.3 * n + 100);
    },
  );

  test.each(adversaries)(
    "%s: 2 KB against 2 KB stays within t²/128 + 5t",
    (_why, pattern, text) => {
      const t = 2048;
      expect(stepsOf(pattern, text(t))).toBeLessThanOrEqual((t * t) / 128 + 5 * t);
    },
  );

  test("a search by table reads the text once and takes at most twice its length", () => {
    const text = `${"a".repeat(8000)}c`;
    expect(stepsOf(`*${"a".repeat(1000)}b*`, text)).toBeLessThanOrEqual(3 * text.length + 1);
  });

  test.each([
    ["one character", "*a"],
    ["so many that a table is used", "*aaaaaaaaa"],
  ])("pieces of %s that are found at once cost what is looked at, not the text each", (_, one) => {
    const text = "a".repeat(8192);
    const [n, twice] = [400, 800].map((pieces) => stepsOf(`${one.repeat(pieces)}*`, text)) as [
      number,
      number,
    ];
    expect(twice).toBeGreaterThan(n);
    expect(twice).toBeLessThanOrEqual(2.3 * n);
    expect(twice).toBeLessThanOrEqual(3 * text.length);
    // and the last piece, which is nowhere, the rest of the text once
    expect(stepsOf(`${one.repeat(400)}*b*`, text)).toBeLessThanOrEqual(n + text.length);
  });

  test("many different characters cost no table of their own", () => {
    const piece = Array.from({ length: 4000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
    const text = piece + piece;
    expect(stepsOf(`*${piece}?x*`, text)).toBeLessThanOrEqual(
      3 * Math.ceil(4002 / 32) * text.length,
    );
    expect(matches(`*${piece}?${piece.slice(1)}*`, `-${text}`)).toBe(true);
  });
});

// All sequences of at most `length` members.
function sequences<T>(members: readonly T[], length: number): readonly (readonly T[])[] {
  if (length === 0) return [[]];
  const shorter = sequences(members, length - 1);
  return [
    ...shorter,
    ...shorter
      .filter((sequence) => sequence.length === length - 1)
      .flatMap((sequence) => members.map((member) => [...sequence, member])),
  ];
}
