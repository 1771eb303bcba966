import type { Clock, Timer } from "./clock.ts";
import type { ReportedPosition } from "./fleet.ts";
import type { ActiveBundle, HeadFacts, RefusedBundle } from "./source.ts";
import type { OwnReport } from "./watch-messages.ts";

export interface StatusReporterParts {
  readonly org: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Returns whether the report arrived; false while there is no connection. */
  readonly send: (report: OwnReport) => Promise<boolean>;
}

const changedMs = 15_000;
const promptMs = 1_000;
const idleMs = 300_000;
const maxNacks = 16;
const maxPoisoned = 1_000;

/**
 * Tells the control plane what is active and what was refused (BUN-36): a refusal at once, a new
 * position within 15 s, within one while somebody waits, and every 5 minutes in any case. What did not
 * arrive goes with the next report.
 */
export class StatusReporter {
  readonly #parts: StatusReporterParts;
  #slice = "";
  #active: ReportedPosition | null = null;
  #poisoned: OwnReport["poisoned"] = [];
  #nacks: OwnReport["nacks"] = [];
  #isAwaited = false;
  #due: { readonly atMonotonicMs: number; readonly timer: Timer } | null = null;
  #sending: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: StatusReporterParts) {
    this.#parts = parts;
  }

  activated(bundle: ActiveBundle): void {
    this.#poisoned = bundle.directory.poison
      .slice(0, maxPoisoned)
      .map(({ objectId, kind, reason }) => ({ objectId, kind, reason }));
    this.#move(bundle);
    this.#within(this.#isAwaited ? promptMs : changedMs);
  }

  refreshed(head: HeadFacts): void {
    this.#move(head);
    if (this.#isAwaited) this.#within(promptMs);
  }

  /** `revision` is that of the head refused, 0 when it is not known. */
  refused(refusal: RefusedBundle, revision: number): void {
    const { code, partId, detail, repeated } = refusal;
    if (repeated) return;
    const nack = { revision, partId: partId ?? "", code, detail };
    this.#nacks = [...this.#nacks, nack].slice(-maxNacks);
    this.#within(0);
  }

  /** Somebody waits for positions, or no longer does. */
  setAwaited(isAwaited: boolean): void {
    if (isAwaited && !this.#isAwaited) this.#within(promptMs);
    this.#isAwaited = isAwaited;
  }

  /** A connection is there: what could not be sent is now. */
  connected(): void {
    this.#within(this.#nacks.length > 0 ? 0 : changedMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#due?.timer.cancel();
    await this.#sending;
  }

  #move(head: HeadFacts): void {
    const { slice, epoch, revision, coveredRevision, manifestDigest, chain } = head;
    this.#slice = slice;
    this.#active = { epoch, revision, coveredRevision, manifestDigest, chain };
  }

  /** Sends at a random moment of the next `ms`, unless that is to happen sooner anyhow. */
  #within(ms: number): void {
    this.#at(ms * (0.5 + 0.5 * this.#parts.random()));
  }

  #at(delayMs: number): void {
    if (this.#closed) return;
    const { clock } = this.#parts;
    const atMonotonicMs = clock.monotonicMs() + delayMs;
    if (this.#due !== null && this.#due.atMonotonicMs <= atMonotonicMs) return;
    this.#due?.timer.cancel();
    const timer = clock.after(delayMs, () => {
      this.#due = null;
      this.#sending = this.#sending.then(() => this.#send());
    });
    this.#due = { atMonotonicMs, timer };
  }

  async #send(): Promise<void> {
    if (this.#closed) return;
    const { org, instance, random } = this.#parts;
    const nacks = this.#nacks;
    const isSent = await this.#parts
      .send({
        org,
        instance,
        slice: this.#slice,
        active: this.#active,
        nacks,
        poisoned: this.#poisoned,
        activity: [],
        selfCheckMismatches: 0,
      })
      .catch(() => false);
    if (isSent) this.#nacks = this.#nacks.filter((nack) => !nacks.includes(nack));
    this.#at((isSent ? idleMs : changedMs) * (0.9 + 0.2 * random()));
  }
}
