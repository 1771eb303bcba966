import { quote } from "./problem.ts";

/** Longest word that is compared: a hostile key costs no more than this squared. */
const maxLength = 64;

/**
 * Returns the word of `known` that `word` was probably meant to be, or null when none is near.
 *
 * Near means: equal when case, `-` and `_` are ignored, or at most a third of the letters (at least
 * one, at most three) inserted, removed, replaced or swapped with a neighbour. Of several equally near
 * ones the first in `known` wins. Words above 64 UTF-16 units are near to nothing.
 * Cost: length² for each word of `known`; meant for error messages, never for a request.
 */
export function nearestWord(word: string, known: readonly string[]): string | null {
  if (word.length > maxLength) return null;
  const plain = fold(word);
  if (plain === "") return null;
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(plain.length / 3))) + 1;
  for (const candidate of known) {
    if (candidate.length > maxLength) continue;
    const distance = editDistance(plain, fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Returns the end of a message that tells what was probably meant; nothing for null. */
export function meant(near: string | null): string {
  return near === null ? "" : `, did you mean ${quote(near)}?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "").replaceAll("_", "");
}

/** Optimal string alignment: Levenshtein's distance with neighbours that may swap places once. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (row[j - 1] ?? 0) + 1,
        (last[j] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
