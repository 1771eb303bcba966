/** What a row came to: one figure a round, and their middle and ends. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns median, minimum and maximum. Throws for an empty list: a row without rounds is a bug. */
export function figureOf(values: readonly number[]): Figure {
  if (values.length === 0) throw new Error("no rounds were measured");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle] as number;
  return {
    median: (lower + upper) / 2,
    min: sorted[0] as number,
    max: sorted[sorted.length - 1] as number,
  };
}

/** Returns ours ÷ theirs, round by round: never of medians (performance 4.1). */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): number[] {
  if (ours.length !== theirs.length) throw new Error("rounds that do not belong together");
  return ours.map((value, round) => value / (theirs[round] as number));
}

/** Returns the value below which `share` of the sorted values lie. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}
