import { createGlob, createWork, matchGlob, parseGlob } from "../../glob.ts";
import type { Located } from "../document.ts";
import { hasVariable } from "../variables.ts";

/** Every pair is looked at: longer lists are left alone. */
const maxEntries = 200;

/**
 * Returns the entries that another entry of the list takes in, each with that one. Sound, not
 * complete: a pattern whose only wildcard is `*` takes in every pattern that it matches as text.
 */
export function findRedundant(
  entries: readonly Located[],
  fold: (text: string) => string = (text) => text,
): readonly (readonly [entry: Located, by: Located])[] {
  if (entries.length < 2 || entries.length > maxEntries) return [];
  const texts = entries.map((entry) => fold(entry.text));
  const globs = texts.map((text) =>
    text.includes("?") || hasVariable(text) ? null : createGlob(parseGlob(text)),
  );
  return entries.flatMap((entry, i) => {
    const text = texts[i] ?? "";
    const by = entries.find((_, j) => {
      const glob = globs[j];
      if (i === j || !glob || !matchGlob(glob, text, createWork())) return false;
      return texts[j] !== text || j < i; // of two equal ones the second
    });
    return by === undefined ? [] : [[entry, by] as const];
  });
}
