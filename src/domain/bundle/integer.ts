/**
 * Returns `value` as a number, null when it is negative or above 2^53 - 1: positions of a bundle beyond
 * that are nobody's, and are refused rather than rounded.
 */
export function toSafeInteger(value: bigint): number | null {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

/** The last time that a `Date` can hold, in the year 275760 (ECMA-262, 21.4.1.1). */
const maxTimeMs = 8_640_000_000_000_000n;

/** Returns `value` as milliseconds since 1970, null before then and for a time that no `Date` holds. */
export function toTimeMs(value: bigint): number | null {
  return value >= 0n && value <= maxTimeMs ? Number(value) : null;
}
