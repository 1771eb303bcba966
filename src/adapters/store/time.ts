/** What the store asks of time: it trusts the database's clock for everything that is kept. */
export interface StoreClock {
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
  /** Runs `run` once, after at least `delayMs`. */
  after(delayMs: number, run: () => void): { cancel(): void };
}

/** What is injected into a store. */
export interface StoreSurroundings {
  readonly clock: StoreClock;
  /** From 0 up to, but not, 1: jitter. */
  readonly random: () => number;
  /** The instance: unique among all processes that ever open the store, a UUID. */
  readonly instance: string;
}

export function delay(clock: StoreClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}
