import fc from "fast-check";
import { expect, test } from "vitest";
import { createSearch, findPiece, type Search } from "./glob-search.ts";

const codes = (text: string): number[] => Array.from(text, (each) => each.charCodeAt(0));

/** `?` fits every character. */
const searchFor = (piece: string): Search =>
  createSearch(codes(piece).map((code) => (code === 0x3f ? -1 : code)));

function find(search: Search, text: string, from = 0, end = text.length, work = { steps: 0 }) {
  return findPiece(search, Uint32Array.from(codes(text)), from, end, work);
}

// The definition: each place from left to right, each character of the piece.
function naive(piece: string, text: string, from: number, end: number): number {
  for (let at = from; at + piece.length <= end; at++) {
    if ([...piece].every((each, i) => each === "?" || each === text[at + i])) {
      return at + piece.length;
    }
  }
  return -1;
}

const letters = (alphabet: string, minLength: number, maxLength: number) =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength, maxLength })
    .map((characters) => characters.join(""));

test.each([
  ["literal pieces", letters("ab", 1, 8), letters("ab", 0, 60)],
  ["pieces with ?", letters("ab?", 1, 8), letters("abc", 0, 60)],
  ["long literal pieces", letters("aab", 30, 70), letters("aaab", 30, 200)],
  ["pieces with ? of several words", letters("aaab?", 30, 110), letters("aaab", 30, 240)],
  ["pieces of many characters", letters("abcdefgh?", 30, 80), letters("abcdefgh", 30, 160)],
])("GLOB-4 %s are found at their leftmost place within the borders", (_what, pieces, texts) => {
  const number = fc.nat({ max: 300 });
  fc.assert(
    fc.property(pieces, texts, number, number, number, (piece, scrap, at, from, cut) => {
      // half of the texts hold the piece, so that finding is tested as well as missing; one search
      // serves them all: nothing must be left of the text before
      const search = searchFor(piece);
      const held = piece.replaceAll("?", "b");
      const place = at % (scrap.length + 1);
      const holding = scrap.slice(0, place) + held + scrap.slice(place);
      for (const text of [scrap, holding, scrap, held]) {
        const begin = from % (text.length + 1);
        const end = Math.max(begin, text.length - (cut % 4));
        expect(find(search, text, begin, end)).toBe(naive(piece, text, begin, end));
      }
    }),
    { numRuns: 1_500 },
  );
});

test("a search of several words begins anew: a start that was open is forgotten", () => {
  const search = searchFor(`b${"?".repeat(39)}`);
  expect(find(search, `bb${"x".repeat(60)}`)).toBe(40);
  expect(find(search, "x".repeat(80))).toBe(-1);
});

test("a beginning that fails is not taken for a shorter one that it is not", () => {
  expect(find(searchFor("aabc"), "aababc")).toBe(-1);
});

test.each([
  ["a character is a step", "ab", "xxxx", 4],
  ["and so is falling back to a shorter beginning", "aab", "aaaa", 6],
  ["the search ends where the piece is found", "ab", "abxxxx", 2],
  ["with ?: a word a character", "a?", "xxxx", 4],
  ["with ?: and each place of the character", "a?b", "aaaa", 8],
  // the second word from character 32 on, the first one until no start is left for it, at 72
  ["with ?: the words of the band", `a${"?".repeat(40)}`, "x".repeat(80), 32 + 2 * 40 + 8],
  ["with ?: no room for the piece", "a??", "xx", 0],
])("IMP-6 %s", (_why, piece, text, want) => {
  const work = { steps: 0 };
  find(searchFor(piece), text, 0, text.length, work);
  expect(work.steps).toBe(want);
});
