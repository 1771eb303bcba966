import type { Steps } from "../../domain/directory/steps.ts";
import type { Clock } from "./clock.ts";

/** How long the event loop is kept at a time: what a Check may have to wait. */
const sliceMs = 4;
/** The same where the others kept it for longer: a busy process must not put a new policy off for ever. */
const maxSliceMs = 50;

/**
 * Lets the event loop run every few milliseconds of a long piece of work, so that Checks are answered
 * while a bundle is made ready.
 */
export class Breather {
  readonly #clock: Clock;
  #sinceMs: number;
  #sliceMs = sliceMs;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Resolves when it is time to go on: at once, or after everybody else had a turn. */
  async breathe(): Promise<void> {
    if (!this.#isDue()) return;
    const leftMs = this.#clock.monotonicMs();
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#sinceMs = this.#clock.monotonicMs();
    // Half of the time is the work's, however much the others have to do.
    this.#sliceMs = Math.min(maxSliceMs, Math.max(sliceMs, this.#sinceMs - leftMs));
  }

  #isDue(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= this.#sliceMs;
  }

  /** Returns what `steps` come to. */
  async finish<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      // Asked first: a promise a piece would cost more than many a piece.
      if (this.#isDue()) await this.breathe();
    }
  }
}
