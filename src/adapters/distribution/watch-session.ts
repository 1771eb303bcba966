import type { Clock, Timer } from "./clock.ts";
import type { EventObjects } from "./published-slice.ts";
import type { ServingLimits } from "./serving-limits.ts";

/** One event of a stream, before any wire format. */
export type ServedEvent =
  | {
      readonly type: "head";
      readonly sealedHead: Uint8Array;
      readonly objects: EventObjects;
      readonly promptStatus: boolean;
      /** Number of the newest key set. */
      readonly keySet: number;
    }
  | { readonly type: "go-away"; readonly retryAfterMs: number };

/** What a stream shows of its slice at this moment; null while there is nothing to show. */
export interface SliceView {
  readonly sealedHead: Uint8Array;
  readonly manifestDigest: string;
  readonly promptStatus: boolean;
  readonly keySet: number;
  missingFor(heldManifest: string): EventObjects;
}

export interface SessionParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: ServingLimits;
  /** Looked at whenever the stream has drained: what it was not shown meanwhile is never queued. */
  readonly view: () => SliceView | null;
  /** Called once, whyever the stream ended. */
  readonly ended: () => void;
  /** Cuts the connection of a peer that drains nothing; `next` may never be called again. */
  readonly stalled: () => void;
}

/**
 * One open stream. It keeps no events: whoever writes to the peer asks for the next one when the last
 * has drained, and gets the newest state then (BUN-34). Ends itself at a random age (BUN-13).
 */
export class WatchSession {
  readonly #parts: SessionParts;
  readonly #ageTimer: Timer;
  #drainTimer: Timer | null = null;
  #wake: (() => void) | null = null;
  #shownHead: Uint8Array | null = null;
  #shownPrompt = false;
  #heldManifest: string;
  #goAway: number | null = null;
  #ended = false;

  constructor(parts: SessionParts, heldManifest: string) {
    this.#parts = parts;
    this.#heldManifest = heldManifest;
    const { minAgeMs, maxAgeMs } = parts.limits;
    const ageMs = minAgeMs + parts.random() * (maxAgeMs - minAgeMs);
    this.#ageTimer = parts.clock.after(ageMs, () => this.goAway(1_000 * parts.random()));
  }

  /**
   * Resolves to the next event when there is one, null at the end of the stream. Calling it says that
   * the event before has drained.
   */
  async next(): Promise<ServedEvent | null> {
    this.#drainTimer?.cancel();
    for (;;) {
      const event = this.#event();
      if (this.#ended || event !== null) return event;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = null;
    }
  }

  /** Something may have changed. */
  wake(): void {
    this.#wake?.();
  }

  /** Asks the peer to come again after `retryAfterMs`, maybe elsewhere, and ends. */
  goAway(retryAfterMs: number): void {
    this.#goAway ??= retryAfterMs;
    this.wake();
  }

  /** Ends without a word, as when the peer has gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ageTimer.cancel();
    this.#drainTimer?.cancel();
    this.#parts.ended();
    this.wake();
  }

  #event(): ServedEvent | null {
    if (this.#ended) return null;
    if (this.#goAway !== null) {
      const retryAfterMs = this.#goAway;
      this.end();
      return { type: "go-away", retryAfterMs };
    }
    const view = this.#parts.view();
    if (view === null) return null;
    const { sealedHead, manifestDigest, promptStatus, keySet } = view;
    if (sealedHead === this.#shownHead && promptStatus === this.#shownPrompt) return null;
    const isHeld = manifestDigest === this.#heldManifest;
    const objects = isHeld ? [] : view.missingFor(this.#heldManifest);
    this.#shownHead = sealedHead;
    this.#shownPrompt = promptStatus;
    this.#heldManifest = manifestDigest;
    const { clock, limits } = this.#parts;
    this.#drainTimer = clock.after(limits.drainMs, () => {
      this.end();
      this.#parts.stalled();
    });
    return { type: "head", sealedHead, objects, promptStatus, keySet };
  }
}
