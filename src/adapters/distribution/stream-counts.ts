import type { Clock } from "./clock.ts";
import type { ServingLimits } from "./serving-limits.ts";
import type { WatchSession } from "./watch-session.ts";

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
  /** Admissions left in this moment: refilled by the second, never more than a second's worth. */
  #tokens: number;
  #refilledAtMonotonicMs: number;
  /** Until when those who were turned away have been given a moment to come again. */
  #promisedUntilMonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ServingLimits, clock: Clock, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#clock = clock;
    this.#tokens = limits.maxAdmissionsPerSecond;
    this.#refilledAtMonotonicMs = clock.monotonicMs();
  }

  get streams(): number {
    return this.#streams;
  }

  /** Returns why one more stream is not taken, null when it is; then it has been counted as admitted. */
  refusal(identity: string, instance: string): string | null {
    if (this.#streams >= this.#limits.maxStreams) return "too many streams";
    const instances = this.#identities.get(identity);
    const isNew = instances?.has(instance) !== true;
    if (isNew && (instances?.size ?? 0) >= this.#limits.maxInstances) {
      return "too many instances of this identity";
    }
    return this.#takeToken() ? null : "too many streams at this moment";
  }

  /**
   * Returns when somebody who is turned away should come again, in milliseconds: one after the other, a
   * bit slower than they are let in, so that a stampede becomes a queue. Who does not fit into the next
   * `spreadMs` comes at any moment of it: all at its end would be the next stampede.
   */
  retryAfterMs(): number {
    const { maxAdmissionsPerSecond, spreadMs } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    const paceMs = 1_000 / (queueShare * Math.max(1, maxAdmissionsPerSecond));
    const soonestMs = nowMs + minRetryMs;
    const promisedMs = Math.max(soonestMs, this.#promisedUntilMonotonicMs + paceMs);
    if (promisedMs - nowMs > spreadMs) {
      return Math.ceil(minRetryMs + this.#random() * (spreadMs - minRetryMs));
    }
    this.#promisedUntilMonotonicMs = promisedMs;
    return Math.ceil(promisedMs - nowMs);
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

  #takeToken(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const { maxAdmissionsPerSecond } = this.#limits;
    const gained = ((nowMs - this.#refilledAtMonotonicMs) / 1000) * maxAdmissionsPerSecond;
    this.#tokens = Math.min(maxAdmissionsPerSecond, this.#tokens + gained);
    this.#refilledAtMonotonicMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
