import { nearestWord } from "../../iam/nearest-word.ts";

/** Above so many names none is suggested for an unknown one: a suggestion is not worth the work. */
const maxNames = 2_000;

/** Returns the name that `word` was probably meant to be; null for none, or too many to compare. */
export function nearest(word: string, names: readonly string[]): string | null {
  return names.length > maxNames ? null : nearestWord(word, names);
}
