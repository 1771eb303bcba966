export interface BackoffOptions {
  /** The longest first wait. Default 200 ms. */
  readonly firstMs: number;
  /** The longest wait at all. Default 30 s. */
  readonly maxMs: number;
}

/** The bounds of BUN-13. */
export const defaultBackoff: BackoffOptions = Object.freeze({ firstMs: 200, maxMs: 30_000 });

// Nobody keeps a sidecar away for longer by asking for it.
const maxRetryAfterMs = 60_000;
// Who is told the same whole second as others still comes in a moment of its own.
const minSpreadMs = 1_000;

/**
 * How long to wait after failures in a row: full jitter under a bound that doubles, so that a fleet
 * that lost its server together does not come back together (istio#35263, opal#915).
 */
export class Backoff {
  readonly #random: () => number;
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(random: () => number, options: BackoffOptions = defaultBackoff) {
    this.#random = random;
    this.#options = options;
  }

  /**
   * Returns the next wait in milliseconds. With `retryAfterMs`, if the server named one, it is that and a
   * quarter of it at most: whoever says when has spread its peers already.
   */
  nextMs(retryAfterMs: number | null = null): number {
    const { firstMs, maxMs } = this.#options;
    // 2^30 is beyond any bound, and a number for ever.
    const boundMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    if (retryAfterMs === null) return this.#random() * boundMs;
    const askedMs = Math.min(Math.max(retryAfterMs, 0), maxRetryAfterMs);
    return askedMs + this.#random() * Math.min(boundMs, Math.max(minSpreadMs, askedMs / 4));
  }

  /** The other side works again. */
  reset(): void {
    this.#failures = 0;
  }
}
