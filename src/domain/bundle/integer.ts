/**
 * Returns `value` as a number, null when it is negative or above 2^53 - 1: positions and times of a
 * bundle beyond that are nobody's, and are refused rather than rounded.
 */
export function toSafeInteger(value: bigint): number | null {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}
