/** A timer that runs once. */
export interface Timer {
  /** Stops it; no effect once it has run. */
  cancel(): void;
}

/** Time as bundle sources see it: injected, so that a test or a simulation owns it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  nowMs(): number;
  /** Milliseconds of a clock that never goes back; ages are reckoned with it (BUN-11). */
  monotonicMs(): number;
  /** Runs `run` once, after at least `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
}
