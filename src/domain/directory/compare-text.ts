/**
 * Returns a negative number, 0 or a positive number as `a` stands before, at or after `b` in the order
 * of UTF-16 units: the same on every machine, whatever its language.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Returns a new array of `items` in the order of their ids. */
export function sortedById<T extends { readonly id: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => compareText(a.id, b.id));
}
