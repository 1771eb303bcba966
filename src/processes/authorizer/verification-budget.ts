/** Bounds of the work spent on tokens that were never seen before. */
export interface BudgetOptions {
  /** Share of wall time that unknown tokens may take, 0 to 1. Default 0.25. */
  readonly share: number;
  /** Length of the window in ms over which the share is reckoned. Default 1000. */
  readonly windowMs: number;
  /** Peers remembered within a window; further ones share one entry. Default 1024. */
  readonly maxPeers: number;
}

export const defaultBudget: BudgetOptions = { share: 0.25, windowMs: 1000, maxPeers: 1024 };

export interface VerificationBudget {
  /** False: this peer's unknown tokens are to be answered with `throttled`. */
  admits(peer: string, nowMs: number): boolean;
  /** Charges the time that verifying one token took. */
  spend(peer: string, elapsedMs: number): void;
}

/**
 * Returns the budget of signature checks for unknown tokens (performance 2.1, H2-023): anybody can
 * send any number of bad tokens with a good `kid`, so their cost is capped and shared fairly by
 * downstream peer. A peer is refused only when the window is spent **and** it has had its share;
 * known tokens never come here. Time is the caller's monotonic clock.
 */
export function createVerificationBudget(
  options: BudgetOptions = defaultBudget,
): VerificationBudget {
  const allowance = options.share * options.windowMs;
  const spent = new Map<string, number>();
  let windowStart = 0;
  let total = 0;

  const keyOf = (peer: string): string =>
    spent.has(peer) || spent.size < options.maxPeers ? peer : "";

  return {
    admits(peer, nowMs) {
      if (nowMs - windowStart >= options.windowMs) {
        windowStart = nowMs;
        total = 0;
        spent.clear();
      }
      if (total < allowance) return true;
      const own = spent.get(keyOf(peer)) ?? 0;
      return own < allowance / Math.max(2, spent.size + 1);
    },
    spend(peer, elapsedMs) {
      const key = keyOf(peer);
      total += elapsedMs;
      spent.set(key, (spent.get(key) ?? 0) + elapsedMs);
    },
  };
}
