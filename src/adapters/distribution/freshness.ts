import type { Clock } from "./clock.ts";
import type { HeadFacts } from "./source.ts";

/** How far ahead of our clock a head may be issued and still prove freshness (BUN-31). */
export const maxFutureMs = 300_000;

/**
 * Returns the age of a head in milliseconds: what it was at receipt, and what the monotonic clock
 * says has passed since (BUN-11). A jump of the wall clock changes nothing.
 */
export function ageOf(head: HeadFacts, clock: Clock): number {
  return head.ageAtReceiptMs + (clock.monotonicMs() - head.receivedAtMonotonicMs);
}

/** Returns whether `head` proves now that its manifest is the current one (BUN-31). */
export function isFresh(head: HeadFacts, clock: Clock): boolean {
  return head.fresh && ageOf(head, clock) < head.expiresAtMs - head.issuedAtMs;
}
