import type { Position } from "../../../iam/problem.ts";

/**
 * Returns a function from an offset in `text` (UTF-16 units) to its line and column, both from 1.
 * Lines end with LF or CR LF. Cost: one pass over the text now, a binary search a call.
 */
export function createPositions(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return Object.freeze({ line: low + 1, column: offset - (starts[low] ?? 0) + 1, offset });
  };
}
