/** A wait that its owner can cut short. */
export class Interruptible {
  #interrupted = false;
  #wake: (() => void) | null = null;

  /** Resolves after `ms`, or at once when interrupted, now or before. */
  async sleep(ms: number): Promise<void> {
    if (this.#interrupted || ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  get isInterrupted(): boolean {
    return this.#interrupted;
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#wake?.();
  }
}

/** Returns a log that passes at most one line every `intervalMs`, for what a peer can cause at will. */
export function rateLimited(
  log: (message: string, cause?: unknown) => void,
  intervalMs: number,
): (message: string, cause?: unknown) => void {
  let nextAtMs = 0;
  return (message, cause) => {
    const nowMs = performance.now();
    if (nowMs < nextAtMs) return;
    nextAtMs = nowMs + intervalMs;
    log(message, cause);
  };
}
