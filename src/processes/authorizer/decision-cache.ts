import { type CachedDecision, isSameQuestion } from "./cached-decision.ts";
import type { Caller } from "./caller.ts";
import { Doorkeeper } from "./doorkeeper.ts";

export interface DecisionCacheOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxTargetsPerPrincipal: number;
}

/** Why answers left: room was needed, or their time had passed. */
export type Eviction = "capacity" | "ttl";

/** What became of an answer that was to be kept. */
export type Stored = "added" | "replaced" | "refused";

/** By raw target, oldest first; a short list each, since method, host or a varying key may differ. */
type Targets = Map<string, CachedDecision[]>;

const maxPerTarget = 4;
const none: readonly CachedDecision[] = Object.freeze([]);

/**
 * The decisions of one snapshot (performance 2.11), by caller and raw target; whether one of them is
 * the answer is found by comparing every part of the question in full (`cached-decision.ts`). It hangs
 * off the caller, so a principal that floods paths turns over only its own entries, and it dies with
 * the snapshot, so an answer never outlives its revision.
 *
 * INVARIANT: `entries` and `bytes` are exactly the sums over what is stored, and within their bounds
 * whenever a call returns. An own map and not lru-cache: that one keeps the size which an entry had
 * when it was first set, and a caller's entry grows.
 */
export class DecisionCache {
  /** Least recently used first. */
  readonly #callers = new Map<Caller, Targets>();
  readonly #options: DecisionCacheOptions;
  readonly #evicted: (reason: Eviction, entries: number) => void;
  readonly #doorkeeper = new Doorkeeper();
  #latest: Caller | null = null;
  #entries = 0;
  #bytes = 0;

  constructor(options: DecisionCacheOptions, evicted: (reason: Eviction, entries: number) => void) {
    this.#options = options;
    this.#evicted = evicted;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the few answers that this caller was given for the target; borrowed until the next call. */
  answersFor(caller: Caller, target: string): readonly CachedDecision[] {
    const targets = this.#callers.get(caller);
    if (targets === undefined) return none;
    this.#use(caller, targets);
    return targets.get(target) ?? none;
  }

  /**
   * Returns whether an answer for the target is worth keeping. While there is room, always; where the
   * cache, or the caller's part of it, is half full, only from the second time on that somebody asks for
   * the target: targets that are asked for once would else push out what is asked for again and again.
   */
  wants(caller: Caller, target: string): boolean {
    const { maxEntries, maxBytes, maxTargetsPerPrincipal } = this.#options;
    const own = this.#callers.get(caller);
    const hasRoom =
      2 * this.#entries <= maxEntries &&
      2 * this.#bytes <= maxBytes &&
      2 * (own?.size ?? 0) <= maxTargetsPerPrincipal;
    return hasRoom || own?.has(target) === true || this.#doorkeeper.knows(target);
  }

  /** Keeps an answer that may be kept (`isCacheable`); refused where it is too large for that. */
  store(caller: Caller, answer: CachedDecision): Stored {
    if (answer.bytes > this.#options.maxBytes) return "refused";
    const targets: Targets = this.#callers.get(caller) ?? new Map();
    this.#use(caller, targets);
    const replaced = this.#insert(targets, answer);
    this.#makeRoom(targets);
    return replaced ? "replaced" : "added";
  }

  #insert(targets: Targets, answer: CachedDecision): boolean {
    const list = targets.get(answer.target);
    this.#count(1, answer.bytes);
    if (list === undefined) {
      if (targets.size >= this.#options.maxTargetsPerPrincipal) this.#dropOldest(targets);
      targets.set(answer.target, [answer]);
      return false;
    }
    const at = list.findIndex((stored) => isSameQuestion(stored, answer));
    if (at < 0 && list.length < maxPerTarget) {
      list.push(answer);
      return false;
    }
    const [gone] = list.splice(Math.max(0, at), 1, ...(at < 0 ? [] : [answer]));
    if (at < 0) list.push(answer);
    this.#count(-1, -(gone?.bytes ?? 0));
    this.#evicted(at < 0 ? "capacity" : "ttl", 1);
    return at >= 0;
  }

  /** Callers leave whole, the least recently used first; the one at hand loses its oldest targets. */
  #makeRoom(own: Targets): void {
    const { maxEntries, maxBytes } = this.#options;
    while (this.#entries > maxEntries || this.#bytes > maxBytes) {
      const [oldest] = this.#callers;
      if (oldest === undefined) return;
      const [caller, targets] = oldest;
      if (targets === own) {
        this.#dropOldest(targets);
      } else {
        this.#callers.delete(caller);
        for (const list of targets.values()) this.#drop(list);
      }
    }
  }

  #dropOldest(targets: Targets): void {
    const [oldest] = targets;
    if (oldest === undefined) return;
    const [target, list] = oldest;
    targets.delete(target);
    this.#drop(list);
  }

  #drop(list: readonly CachedDecision[]): void {
    for (const { bytes } of list) this.#count(-1, -bytes);
    this.#evicted("capacity", list.length);
  }

  #count(entries: number, bytes: number): void {
    this.#entries += entries;
    this.#bytes += bytes;
  }

  #use(caller: Caller, targets: Targets): void {
    if (this.#latest === caller) return;
    this.#latest = caller;
    this.#callers.delete(caller);
    this.#callers.set(caller, targets);
  }
}
