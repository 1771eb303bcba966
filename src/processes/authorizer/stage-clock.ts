import type { Stage } from "../../adapters/telemetry/metric-words.ts";

/**
 * Times the stages of one Check in `every`, since each costs a clock read (performance 2.12). A stage
 * lasts until the next one is entered; a Check that is answered early, or from memory, leaves some out.
 */
export class StageClock {
  readonly #every: number;
  readonly #nowNs: () => number;
  readonly #record: (stage: Stage, durationNs: number) => void;
  #checks = 0;
  #isSampled = false;
  #stage: Stage | null = null;
  #sinceNs = 0;

  /** `nowNs` is monotonic. */
  constructor(
    every: number,
    nowNs: () => number,
    record: (stage: Stage, durationNs: number) => void,
  ) {
    this.#every = every;
    this.#nowNs = nowNs;
    this.#record = record;
  }

  /** A Check begins; no stage is entered yet. */
  start(): void {
    this.#checks = (this.#checks + 1) % this.#every;
    this.#isSampled = this.#checks === 0;
    this.#stage = null;
  }

  enter(stage: Stage): void {
    if (!this.#isSampled) return;
    const nowNs = this.#nowNs();
    if (this.#stage !== null) this.#record(this.#stage, nowNs - this.#sinceNs);
    this.#stage = stage;
    this.#sinceNs = nowNs;
  }

  /** The Check is answered. */
  end(): void {
    if (!this.#isSampled) return;
    if (this.#stage !== null) this.#record(this.#stage, this.#nowNs() - this.#sinceNs);
    this.#isSampled = false;
  }
}
