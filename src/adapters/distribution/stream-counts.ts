import type { Clock } from "./clock.ts";
import type { ServingLimits } from "./serving-limits.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { WatchSession } from "./watch-session.ts";

/** Why a stream is not taken, and when to come again. */
export interface Overload {
  readonly detail: string;
  readonly retryAfterMs: number;
}

// The rest is for those who come for the first time.
const queueShare = 0.6;
const minRetryMs = 1_000;

/** The open streams by identity and instance, and who is let in (BUN-13, BUN-35). */
export class StreamCounts {
  readonly #limits: ServingLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #identities = new Map<string, Map<string, WatchSession[]>>();
  #streams = 0;
  readonly #bucket: TokenBucket;
  /** One for each identity that ever came: service accounts, so they are few. */
  readonly #buckets = new Map<string, TokenBucket>();
  /** Until when those who were turned away have been given a moment to come again. */
  #promisedUntilMonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ServingLimits, clock: Clock, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#clock = clock;
    this.#bucket = new TokenBucket(limits.maxAdmissionsPerSecond, clock);
  }

  get streams(): number {
    return this.#streams;
  }

  /**
   * Returns why one more stream is not taken and when to come again, null when it is; then it has been
   * counted as admitted. No identity gets more than half of what there is in a second.
   */
  refusal(identity: string, instance: string): Overload | null {
    const { maxStreams, maxInstances } = this.#limits;
    const instances = this.#identities.get(identity);
    const isNew = instances?.has(instance) !== true;
    if (this.#streams >= maxStreams) return this.#sometime("too many streams");
    if (isNew && (instances?.size ?? 0) >= maxInstances) {
      return this.#sometime("too many instances of this identity");
    }
    if (!this.#bucketOf(identity).take())
      return this.#sometime("too many streams of this identity");
    if (this.#bucket.take()) return null;
    return { detail: "too many streams at this moment", retryAfterMs: this.#queueMs() };
  }

  /** Adds a stream. The oldest of an instance that has too many ends: the newest one is alive. */
  add(identity: string, instance: string, session: WatchSession): void {
    const instances = this.#identities.get(identity) ?? new Map<string, WatchSession[]>();
    const sessions = instances.get(instance) ?? [];
    sessions.push(session);
    instances.set(instance, sessions);
    this.#identities.set(identity, instances);
    this.#streams++;
    if (sessions.length > this.#limits.maxStreamsPerInstance) sessions[0]?.end();
  }

  remove(identity: string, instance: string, session: WatchSession): void {
    const instances = this.#identities.get(identity);
    const sessions = instances?.get(instance);
    const index = sessions?.indexOf(session) ?? -1;
    if (instances === undefined || sessions === undefined || index < 0) return;
    sessions.splice(index, 1);
    this.#streams--;
    if (sessions.length === 0) instances.delete(instance);
    if (instances.size === 0) this.#identities.delete(identity);
  }

  /** Every open stream. */
  all(): WatchSession[] {
    return [...this.#identities.values()].flatMap((instances) => [...instances.values()].flat());
  }

  #bucketOf(identity: string): TokenBucket {
    const known = this.#buckets.get(identity);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(this.#limits.maxAdmissionsPerSecond / 2, this.#clock);
    this.#buckets.set(identity, bucket);
    return bucket;
  }

  #sometime(detail: string): Overload {
    const { spreadMs } = this.#limits;
    const retryAfterMs = Math.ceil(minRetryMs + this.#random() * (spreadMs - minRetryMs));
    return { detail, retryAfterMs };
  }

  /**
   * When those come who found no room: one after the other, a bit slower than they are let in, so that a
   * stampede becomes a queue. Who does not fit into the next `spreadMs` comes at any moment of it: all
   * at its end would be the next stampede.
   */
  #queueMs(): number {
    const { maxAdmissionsPerSecond, spreadMs } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    const paceMs = 1_000 / (queueShare * Math.max(1, maxAdmissionsPerSecond));
    const promisedMs = Math.max(nowMs + minRetryMs, this.#promisedUntilMonotonicMs + paceMs);
    if (promisedMs - nowMs > spreadMs) return this.#sometime("").retryAfterMs;
    this.#promisedUntilMonotonicMs = promisedMs;
    return Math.ceil(promisedMs - nowMs);
  }
}
