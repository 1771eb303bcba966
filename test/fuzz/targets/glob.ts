import {
  glob as matchSlowly,
  patternOf,
  piecesOf,
} from "../../../src/iam/evaluation/reference-text.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../../../src/iam/glob.ts";
import { must, pieces, type Target, unitsOf } from "../target.ts";

/** What the reference's loop is asked for at most: pattern times text. */
const maxProduct = 40_000;
const noKeys = new Map<string, never>();

/** FUZ-03: as the reference matches, and within the steps that `glob.ts` promises. */
export const glob: Target = {
  name: "glob",
  id: "FUZ-03",
  about: "a pattern, a zero byte, a text",
  words: ["*", "?", "*a", "a*?b", "**", "aab", "\u{1F600}", "\n"],
  fuzz(data) {
    const [first, second] = pieces(data, 2).map(unitsOf);
    const [pattern = "", text = ""] = [first, second];
    const work = createWork();
    const matches = matchGlob(createGlob(parseGlob(pattern)), text, work);
    const [p, t] = [pattern.length, text.length];
    // linear, and where there are question marks the bit-parallel search (`glob-search.ts`)
    const bound = 32_768 + 4 * (p + t) + (pattern.includes("?") ? (t * t) / 128 + t : 0);
    must(work.steps <= bound, `${work.steps} steps for a pattern of ${p} and a text of ${t}`);
    if (p * t > maxProduct) return;
    const wanted = matchSlowly(patternOf(piecesOf(pattern, "2008-10-17"), noKeys) ?? [], text);
    must(matches === wanted, "the engine matches as the loop of GLOB-4 does");
  },
};
