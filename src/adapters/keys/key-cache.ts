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
  readonly #sources = new Map<string, RefreshedKeys>();
  #lastStamp = 0;

  constructor(environment: KeyEnvironment) {
    this.#environment = environment;
  }

  /**
   * Makes `specs` the issuers in force. Keys of a source that is spelled as before stay; those of a
   * removed issuer are gone when this returns, and those of a changed source too, since whoever changes
   * a source may have reason to distrust the old one. The promise ends when each new source was tried
   * once, at most the time-outs of its fetches; it never rejects.
   */
  configure(specs: readonly KeySourceSpec[]): Promise<void> {
    const wanted = new Map(specs.map((spec) => [spec.issuerId, spec]));
    for (const [issuerId, source] of this.#sources) {
      const spec = wanted.get(issuerId);
      if (spec !== undefined && isSameSource(spec, source.spec)) continue;
      source.close();
      this.#sources.delete(issuerId);
    }
    const first: Promise<void>[] = [];
    for (const spec of wanted.values()) {
      if (this.#sources.has(spec.issuerId)) continue;
      const source = new RefreshedKeys(spec, this.#environment, () => ++this.#lastStamp);
      this.#sources.set(spec.issuerId, source);
      first.push(source.refresh());
    }
    return Promise.all(first).then(() => undefined);
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
    for (const source of this.#sources.values()) source.close();
    this.#sources.clear();
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
