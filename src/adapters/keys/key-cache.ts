import type { KeySet } from "./key-set.ts";
import type { KeySourceSpec } from "./key-source.ts";
import { type KeyEnvironment, type KeySourceStatus, RefreshedKeys } from "./refreshed-keys.ts";

/**
 * The keys of every issuer in force. Reading is one map lookup and never waits: keys are fetched in the
 * background, one fetch an issuer at a time, served on while their issuer fails, and dropped when they
 * are too old (security-and-reliability 3.1, JWKS).
 */
export class KeyCache {
  readonly #environment: KeyEnvironment;
  #sources: ReadonlyMap<string, RefreshedKeys> = new Map();
  /** Sources that are tried for the first time, and those that stay, by the last `configure`. */
  #next: ReadonlyMap<string, RefreshedKeys> = new Map();
  #lastStamp = 0;
  /** Some issuers were put in force. */
  #serves = false;

  constructor(environment: KeyEnvironment) {
    this.#environment = environment;
  }

  /**
   * Makes `specs` the issuers in force, all at once and when the promise ends: when the pinned keys of new
   * sources are loaded, which takes no network. What is fetched is fetched meanwhile and after; until it
   * is there its issuer has no keys, so that an address that hangs holds up nobody's policies. Only the
   * first call, which nothing serves before, ends when each source was tried once. It never rejects.
   *
   * Until then everybody's keys serve on; then those of removed issuers are gone, and those of a changed
   * source too, since whoever changes a source may have reason to distrust the old one. A later call
   * takes an earlier one's place.
   */
  async configure(specs: readonly KeySourceSpec[]): Promise<void> {
    const next = new Map<string, RefreshedKeys>();
    for (const spec of specs) next.set(spec.issuerId, this.#sourceOf(spec));
    this.#closeBut(next, this.#next);
    this.#next = next;
    const fresh = [...next].filter(([issuerId, source]) => this.#sources.get(issuerId) !== source);
    const tries = fresh.map(([, source]) => ({ source, tried: source.refresh() }));
    const awaited = tries.filter(
      ({ source }) => !this.#serves || source.spec.source.type === "keys",
    );
    await Promise.all(awaited.map(({ tried }) => tried));
    if (this.#next !== next) return;
    this.#serves = true;
    const before = this.#sources;
    this.#sources = next;
    this.#closeBut(next, before);
  }

  /** Returns the source that is spelled like `spec`, if there is one, with its keys. */
  #sourceOf(spec: KeySourceSpec): RefreshedKeys {
    for (const sources of [this.#next, this.#sources]) {
      const known = sources.get(spec.issuerId);
      if (known !== undefined && isSameSource(spec, known.spec)) return known;
    }
    return new RefreshedKeys(spec, this.#environment, () => ++this.#lastStamp);
  }

  /** Closes those of `sources` that are neither in `kept` nor in force. */
  #closeBut(
    kept: ReadonlyMap<string, RefreshedKeys>,
    sources: ReadonlyMap<string, RefreshedKeys>,
  ): void {
    for (const [issuerId, source] of sources) {
      if (kept.get(issuerId) === source || this.#sources.get(issuerId) === source) continue;
      source.close();
    }
  }

  /** Returns the keys in force of an issuer; null: unknown, never loaded, or too old. */
  keysOf(issuerId: string): KeySet | null {
    return this.#sources.get(issuerId)?.keys ?? null;
  }

  /** A token named a key that the issuer's set lacks; may start a fetch, within the token bucket. */
  noteUnknownKey(issuerId: string): void {
    this.#sources.get(issuerId)?.noteUnknownKey();
  }

  /**
   * Returns the number that rises whenever the issuer's keys or their source change; 0 for an issuer
   * not in force. No two states of an issuer share one, so equal stamps mean equal keys.
   */
  stampOf(issuerId: string): number {
    return this.#sources.get(issuerId)?.stamp ?? 0;
  }

  /** Ends when no fetch is under way; those that begin meanwhile are waited for too. */
  async idle(): Promise<void> {
    for (;;) {
      const busy = [...this.#sources.values()].filter((source) => source.isBusy);
      if (busy.length === 0) return;
      await Promise.all(busy.map((source) => source.refresh()));
    }
  }

  /** Returns how each source fares, in no order. */
  get status(): readonly KeySourceStatus[] {
    return [...this.#sources.values()].map((source) => source.status);
  }

  close(): void {
    for (const source of [...this.#sources.values(), ...this.#next.values()]) source.close();
    this.#sources = new Map();
    this.#next = new Map();
  }
}

function isSameSource(a: KeySourceSpec, b: KeySourceSpec): boolean {
  return (
    a.alias === b.alias &&
    a.form === b.form &&
    a.issuer === b.issuer &&
    a.refreshHintSeconds === b.refreshHintSeconds &&
    a.source.type === b.source.type &&
    (a.source.type !== "uri" || b.source.type !== "uri" || a.source.uri === b.source.uri) &&
    (a.source.type !== "keys" || b.source.type !== "keys" || a.source.json === b.source.json)
  );
}
