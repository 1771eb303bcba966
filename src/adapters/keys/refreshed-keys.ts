import type { FetchText } from "./fetch-text.ts";
import {
  type KeySet,
  type KeySetLimits,
  type LoadedKeySet,
  loadKeySet,
  type RefusedKey,
} from "./key-set.ts";
import { type KeySourceSpec, readKeySetText } from "./key-source.ts";

/** When keys are fetched, and how long they live without news. All in seconds. */
export interface RefreshOptions {
  /** Default 300: a key that its provider removed dies within this time. */
  readonly refreshSeconds: number;
  /** Bounds of what a trust bundle may ask for instead. Defaults 30 and 3,600. */
  readonly minRefreshSeconds: number;
  readonly maxRefreshSeconds: number;
  /** Default 86,400: how long keys serve while their issuer cannot be reached. */
  readonly maxStaleSeconds: number;
  /** Default 30: unknown key ids cause at most one fetch in this time. */
  readonly unknownKeySeconds: number;
  /** Default 5: the first wait after a failed fetch; it doubles up to the refresh interval. */
  readonly retrySeconds: number;
}

export const defaultRefreshOptions: RefreshOptions = Object.freeze({
  refreshSeconds: 300,
  minRefreshSeconds: 30,
  maxRefreshSeconds: 3600,
  maxStaleSeconds: 86_400,
  unknownKeySeconds: 30,
  retrySeconds: 5,
});

/** Told of what happens to key sets; called between requests, never by one. */
export interface KeyListener {
  /** A fetch or load ended; `code` says why it failed. `alias` is the name in the documents. */
  refreshed(alias: string, result: RefreshResult, nowMs: number): void;
  /** An accepted set leaves this entry out; told when the set's refusals change. */
  keyRefused(alias: string, refused: RefusedKey): void;
  /** A key that had been removed is served again (JWT-248). */
  keyReturned(alias: string, keyId: string | null): void;
}

export type RefreshResult =
  | { readonly type: "ok"; readonly changed: boolean }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/** What the keys of an issuer live on. */
export interface KeyEnvironment {
  readonly fetchText: FetchText;
  readonly nowMs: () => number;
  /** Calls `run` once after `delayMs`; returns the cancellation. Must not keep the process alive. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly listener: KeyListener;
  readonly limits: KeySetLimits;
  readonly refresh: RefreshOptions;
}

/** For `/status`. Times in milliseconds since 1970, null for never. */
export interface KeySourceStatus {
  readonly alias: string;
  readonly keys: number;
  readonly lastSuccessMs: number | null;
  readonly lastFailure: string | null;
}

/** Removed keys remembered to notice their return; fingerprints of about 500 bytes. */
const maxRemembered = 256;

/**
 * The keys of one issuer: fetched in the background, served at once, for as long as they may be stale.
 * Starts with no keys and no timer; `refresh` fetches and from then on repeats itself until `close`.
 */
export class RefreshedKeys {
  readonly spec: KeySourceSpec;
  readonly #on: KeyEnvironment;
  readonly #nextStamp: () => number;
  #keys: KeySet | null = null;
  #stamp: number;
  #sequence: number | null = null;
  #intervalMs: number;
  #lastSuccessMs: number | null = null;
  #lastFailure: string | null = null;
  #failures = 0;
  #lastUnknownMs: number | null = null;
  #inFlight: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #closed = false;
  #refusals = "";
  readonly #removed = new Set<string>();

  /** `nextStamp` returns a number that no source of the cache has had. */
  constructor(spec: KeySourceSpec, environment: KeyEnvironment, nextStamp: () => number) {
    this.spec = spec;
    this.#on = environment;
    this.#nextStamp = nextStamp;
    this.#stamp = nextStamp();
    this.#intervalMs = this.#intervalFor(null);
  }

  /** The keys in force, null before the first success and after `maxStaleSeconds` without one. */
  get keys(): KeySet | null {
    this.#dropStale();
    return this.#keys;
  }

  /** Another, higher number whenever `keys` becomes another set, or none. */
  get stamp(): number {
    this.#dropStale();
    return this.#stamp;
  }

  /** True while a fetch is under way. */
  get isBusy(): boolean {
    return this.#inFlight !== null;
  }

  get status(): KeySourceStatus {
    return {
      alias: this.spec.alias,
      keys: this.keys?.all.length ?? 0,
      lastSuccessMs: this.#lastSuccessMs,
      lastFailure: this.#lastFailure,
    };
  }

  /** Fetches now, or joins the fetch that is under way. Never rejects. */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#inFlight ??= this.#load().finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Starts a fetch, unless one was started for this reason within `unknownKeySeconds`. */
  noteUnknownKey(): void {
    if (this.spec.source.type === "keys") return;
    const now = this.#on.nowMs();
    const waitedMs = this.#lastUnknownMs === null ? null : now - this.#lastUnknownMs;
    // A clock that stepped back makes the wait negative; it must not silence this for as long.
    const isTooSoon =
      waitedMs !== null && waitedMs >= 0 && waitedMs < this.#on.refresh.unknownKeySeconds * 1000;
    if (isTooSoon || this.#inFlight !== null) return;
    this.#lastUnknownMs = now;
    void this.refresh();
  }

  /** Ends the refreshing; keys that were handed out stay usable by whoever has them. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  async #load(): Promise<void> {
    const { fetchText, limits } = this.#on;
    const text = await readKeySetText(this.spec, fetchText, limits.maxBytes);
    const loaded = text.ok
      ? await loadKeySet(text.value, this.spec.form, limits, this.#keys)
      : text;
    if (this.#closed) return;
    if (!loaded.ok) return this.#fail(loaded.code, loaded.message);
    const { sequence } = loaded.value;
    if (sequence !== null && this.#sequence !== null && sequence < this.#sequence) {
      return this.#fail(
        "sequence",
        `expected sequence ${this.#sequence} or later, got ${sequence}`,
      );
    }
    this.#accept(loaded.value);
  }

  #accept({ keys, refused, sequence, refreshHintSeconds }: LoadedKeySet): void {
    const now = this.#on.nowMs();
    const { alias } = this.spec;
    const changed = keys !== this.#keys;
    if (changed) this.#compare(keys);
    this.#keys = keys;
    if (changed) this.#stamp = this.#nextStamp();
    this.#sequence = sequence ?? this.#sequence;
    this.#intervalMs = this.#intervalFor(refreshHintSeconds);
    this.#lastSuccessMs = now;
    this.#lastFailure = null;
    this.#failures = 0;
    const refusals = JSON.stringify(refused);
    if (refusals !== this.#refusals) {
      this.#refusals = refusals;
      for (const entry of refused) this.#on.listener.keyRefused(alias, entry);
    }
    this.#on.listener.refreshed(alias, { type: "ok", changed }, now);
  }

  /** Remembers the keys that go, and tells of those that come back. */
  #compare(next: KeySet): void {
    for (const [fingerprint, key] of next.byFingerprint) {
      if (this.#removed.delete(fingerprint)) {
        this.#on.listener.keyReturned(this.spec.alias, key.id);
      }
    }
    for (const fingerprint of this.#keys?.byFingerprint.keys() ?? []) {
      if (next.byFingerprint.has(fingerprint)) continue;
      if (this.#removed.size >= maxRemembered) this.#removed.clear();
      this.#removed.add(fingerprint);
    }
  }

  #fail(code: string, message: string): void {
    this.#failures++;
    this.#lastFailure = code;
    this.#dropStale();
    const result = { type: "failed", code, message } as const;
    this.#on.listener.refreshed(this.spec.alias, result, this.#on.nowMs());
  }

  #dropStale(): void {
    if (this.#keys === null || this.spec.source.type === "keys") return;
    const age = this.#on.nowMs() - (this.#lastSuccessMs ?? 0);
    if (age <= this.#on.refresh.maxStaleSeconds * 1000) return;
    this.#keys = null;
    this.#stamp = this.#nextStamp();
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#closed || this.spec.source.type === "keys") return;
    this.#cancelTimer = this.#on.setTimer(() => void this.refresh(), this.#delayMs());
  }

  /** Jitter only shortens the wait: the interval is a promise (JWT-246). */
  #delayMs(): number {
    const jitter = 1 - 0.1 * this.#on.random();
    if (this.#failures === 0) return this.#intervalMs * jitter;
    const doubledMs = this.#on.refresh.retrySeconds * 1000 * 2 ** Math.min(this.#failures - 1, 20);
    return Math.min(doubledMs, this.#intervalMs) * (1 - 0.5 * this.#on.random());
  }

  /** A provider's set keeps the cache's pace; a trust domain's documents or bundle may ask for another. */
  #intervalFor(hintSeconds: number | null): number {
    const { refreshSeconds, minRefreshSeconds, maxRefreshSeconds } = this.#on.refresh;
    const asked = this.spec.refreshHintSeconds ?? hintSeconds;
    if (this.spec.form === "jwks" || asked === null) return refreshSeconds * 1000;
    return Math.min(Math.max(asked, minRefreshSeconds), maxRefreshSeconds) * 1000;
  }
}
