import { createGlob, createWork, matchGlob, parseGlob } from "../../src/iam/glob.ts";
import type { Subject } from "./subject.ts";

const size = 2048;

/** The families of performance 1.9 and 2.8, each with the text that it is worst on: 2 KB against 2 KB. */
const families: readonly (readonly [string, string])[] = [
  [`*${"a?".repeat(512)}b`, "a".repeat(size)],
  [`*${"?a".repeat(1000)}b*`, "a".repeat(size)],
  [`*${"a".repeat(10)}b${"a".repeat(1000)}*`, `${"a".repeat(10)}c`.repeat(186)],
  [`*${"a".repeat(1023)}b*`, "a".repeat(size)],
  [`${"*a".repeat(1024)}`, "a".repeat(size)],
  [`${"*a?".repeat(680)}b`, "a".repeat(size)],
  [`*${"?".repeat(1000)}a${"?".repeat(40)}b*`, "a".repeat(size)],
  [`*${"ab?".repeat(300)}c*`, "ab".repeat(size / 2)],
];

const repeats = 31;

/** Milliseconds of the slowest of the families, the median of 31 matches of it. */
export function worstGlob(): Subject {
  const pairs = families.map(([pattern, text]) => ({ glob: createGlob(parseGlob(pattern)), text }));
  return {
    type: "figure",
    read: () =>
      Math.max(
        ...pairs.map(({ glob, text }) => medianMs(() => matchGlob(glob, text, createWork()))),
      ),
  };
}

function medianMs(match: () => boolean): number {
  const times = Array.from({ length: repeats }, () => {
    const before = process.hrtime.bigint();
    match();
    return Number(process.hrtime.bigint() - before) / 1e6;
  });
  return times.toSorted((a, b) => a - b)[repeats >> 1] as number;
}
