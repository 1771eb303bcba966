interface Window {
  startMs: number;
  passed: number;
  suppressed: number;
}

/** Keys are `component event`, both constants of the code; the bound is for what nobody foresaw. */
const maxKeys = 1_024;

/** Lets at most `most` occurrences of a key pass in each window and counts the others. */
export class RepeatLimit {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /**
   * Returns null when this occurrence is to be held back, else how many were held back since the
   * last one that passed.
   */
  take(key: string, nowMs: number): number | null {
    let window = this.#windows.get(key);
    if (window === undefined) {
      if (this.#windows.size >= maxKeys) this.#windows.clear();
      window = { startMs: nowMs, passed: 0, suppressed: 0 };
      this.#windows.set(key, window);
    }
    // A clock that was set back starts a new window rather than holding lines for ever.
    if (nowMs - window.startMs >= this.#windowMs || nowMs < window.startMs) {
      window.startMs = nowMs;
      window.passed = 0;
    }
    if (window.passed >= this.#most) {
      window.suppressed++;
      return null;
    }
    window.passed++;
    const { suppressed } = window;
    window.suppressed = 0;
    return suppressed;
  }
}
