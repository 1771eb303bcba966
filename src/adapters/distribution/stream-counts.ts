import type { Clock } from "./clock.ts";
import type { ServingLimits } from "./serving-limits.ts";
import type { WatchSession } from "./watch-session.ts";

/** The open streams by identity and instance, and who is let in (BUN-13, BUN-35). */
export class StreamCounts {
  readonly #limits: ServingLimits;
  readonly #clock: Clock;
  readonly #identities = new Map<string, Map<string, WatchSession[]>>();
  #streams = 0;
  /** Admissions left in this moment: refilled by the second, never more than a second's worth. */
  #tokens: number;
  #refilledAtMonotonicMs: number;

  constructor(limits: ServingLimits, clock: Clock) {
    this.#limits = limits;
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
