import type { Clock, Timer } from "../../src/adapters/distribution/clock.ts";

interface Waiting {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  #monotonicMs = 0;
  #wallMs: number;

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    // A timer may be due between two milliseconds; a machine's wall clock shows whole ones.
    return Math.floor(this.#wallMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const waiting = { atMs: this.#monotonicMs + delayMs, run };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Moves both clocks on and runs what becomes due, in order, each to its end. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const next = this.#earliest();
      if (next === undefined || next.atMs > untilMs) break;
      this.#waiting.delete(next);
      this.#move(Math.max(0, next.atMs - this.#monotonicMs));
      next.run();
    }
    this.#move(untilMs - this.#monotonicMs);
  }

  // Of two that are due together the one that was set first: a set keeps the order.
  #earliest(): Waiting | undefined {
    let earliest: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (earliest === undefined || waiting.atMs < earliest.atMs) earliest = waiting;
    }
    return earliest;
  }

  /** Sets the wall clock alone, as an operator or a time server does. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #move(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }
}

/** Lets everything that waits for nothing but promises run to its end. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
