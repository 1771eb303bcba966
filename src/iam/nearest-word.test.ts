import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestWord } from "./nearest-word.ts";

const known = ["region", "partition", "services", "drainSeconds", "log", "addr", "tls"];

test.each([
  { why: "itself", word: "region", want: "region" },
  { why: "a letter too many", word: "regionn", want: "region" },
  { why: "a letter missing", word: "partiton", want: "partition" },
  { why: "two letters swapped", word: "serivces", want: "services" },
  { why: "another case", word: "DRAINSECONDS", want: "drainSeconds" },
  { why: "kebab for camel", word: "drain-seconds", want: "drainSeconds" },
  { why: "snake for camel", word: "drain_seconds", want: "drainSeconds" },
  { why: "one letter of three", word: "lag", want: "log" },
  { why: "two letters of three", word: "lax", want: null },
  { why: "a word of its own", word: "colour", want: null },
  { why: "nothing", word: "", want: null },
  { why: "dashes alone", word: "------------", want: null },
  { why: "a megabyte", word: "region".repeat(180_000), want: null },
  { why: "a name of every object", word: "__proto__", want: null },
])("the nearest known word: $why", ({ word, want }) => {
  expect(nearestWord(word, known)).toBe(want);
});

test("of two equally near words the first one known wins", () => {
  expect(nearestWord("bat", ["cat", "hat"])).toBe("cat");
  expect(nearestWord("bat", ["hat", "cat"])).toBe("hat");
});

test("nothing is near to an empty list", () => {
  expect(nearestWord("region", [])).toBeNull();
});

test("one edit of a long enough word finds it back", () => {
  fc.assert(
    fc.property(fc.constantFrom("partition", "services", "drainSeconds"), fc.nat(), (word, at) => {
      const place = at % word.length;
      const cut = word.slice(0, place) + word.slice(place + 1);
      expect(nearestWord(cut, known)).toBe(word);
    }),
  );
});
