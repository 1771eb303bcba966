import type { BundleLimits } from "../../domain/bundle/limits.ts";
import type { Carrier } from "./carrier.ts";
import type { Clock } from "./clock.ts";
import { createObjectFetcher, fetchKeySets } from "./fetch-ahead.ts";
import type { BundleFollower } from "./follower.ts";
import type { PullResult } from "./source.ts";

/** What came with a head. All of it untrusted. */
export interface WithHead {
  /** Frames by hex digest. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** The newest key set that the carrier speaks of, 0 when it does not. */
  readonly keySetHint: number;
}

export const nothingWithHead: WithHead = Object.freeze({ objects: new Map(), keySetHint: 0 });

/** A newer key set is asked for at least this often (BUN-30). */
const keySetIntervalMs = 3_600_000;
/** A newer key set may be all that is missing after these. */
const mendedByKeySet: ReadonlySet<PullResult> = new Set(["signature", "rollback", "expired"]);

/** Turns a head that a network carrier brought into an offer: fetches what it needs besides. */
export class RemoteOffers {
  readonly #follower: BundleFollower;
  readonly #org: string;
  readonly #limits: BundleLimits;
  readonly #clock: Clock;
  #askedAtMonotonicMs = Number.NEGATIVE_INFINITY;
  #lastResult: PullResult | null = null;

  constructor(follower: BundleFollower, org: string, limits: BundleLimits, clock: Clock) {
    this.#follower = follower;
    this.#org = org;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Offers `head` with key sets and objects from `carrier`, and returns how it ended. */
  async take(carrier: Carrier, head: Uint8Array, besides: WithHead): Promise<PullResult> {
    const keySets = this.#wantsKeySet(head, besides.keySetHint)
      ? await this.#newerKeySets(carrier)
      : new Map<number, Uint8Array>();
    const object = createObjectFetcher(carrier, besides.objects);
    const result = await this.#follower.offer({ head, keySets, object });
    this.#lastResult = result;
    return result;
  }

  #wantsKeySet(head: Uint8Array, hint: number): boolean {
    const held = this.#follower.keySetNumber();
    if (held === 0 || hint > held || this.#follower.lacksKeyOf(head)) return true;
    if (this.#lastResult !== null && mendedByKeySet.has(this.#lastResult)) return true;
    return this.#clock.monotonicMs() - this.#askedAtMonotonicMs >= keySetIntervalMs;
  }

  #newerKeySets(carrier: Carrier): Promise<ReadonlyMap<number, Uint8Array>> {
    this.#askedAtMonotonicMs = this.#clock.monotonicMs();
    return fetchKeySets(carrier, this.#org, this.#follower.keySetNumber(), this.#limits);
  }
}
