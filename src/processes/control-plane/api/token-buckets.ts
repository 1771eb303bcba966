/** How fast one caller may call. */
export interface Rate {
  readonly perSecond: number;
  /** Calls at once after a rest. */
  readonly burst: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

const maxBuckets = 10_000;

/** A token bucket for each key (API-6). Buckets that are full again are forgotten; memory is bounded. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #monotonicMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, monotonicMs: () => number) {
    this.#rate = rate;
    this.#monotonicMs = monotonicMs;
  }

  /** Takes one call from the bucket of `key`; false: there is none left. */
  take(key: string): boolean {
    const nowMs = this.#monotonicMs();
    const bucket = this.#buckets.get(key) ?? this.#add(key, nowMs);
    const left = this.#leftAt(bucket, nowMs);
    bucket.atMs = nowMs;
    bucket.left = left < 1 ? left : left - 1;
    return left >= 1;
  }

  #add(key: string, nowMs: number): Bucket {
    if (this.#buckets.size >= maxBuckets) this.#forget(nowMs);
    const made = { left: this.#rate.burst, atMs: nowMs };
    this.#buckets.set(key, made);
    return made;
  }

  #leftAt({ left, atMs }: Bucket, nowMs: number): number {
    const { perSecond, burst } = this.#rate;
    return Math.min(burst, left + ((nowMs - atMs) / 1000) * perSecond);
  }

  /** Full ones say nothing. Where all are in use the oldest go: so many callers are no flood of one. */
  #forget(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#leftAt(bucket, nowMs) >= this.#rate.burst) this.#buckets.delete(key);
    }
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < maxBuckets) return;
      this.#buckets.delete(key);
    }
  }
}
