import type { KeyCache } from "../../adapters/keys/key-cache.ts";
import type { KeySourceSpec } from "../../adapters/keys/key-source.ts";
import {
  type CredentialListener,
  createIssuers,
  type Issuers,
} from "../../domain/credentials/issuers.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { accountOfNamespace, trustTableOf } from "../../domain/directory/trust-table.ts";

/**
 * The issuers of the snapshots, the same object for as long as nothing about them changes: its identity
 * is the claims stamp of the token cache, so a change of policies must not renew it (performance 2.4).
 */
export class IssuerTable {
  readonly #keys: KeyCache;
  readonly #listener: CredentialListener;
  readonly #maxTokenChars: number;
  #fingerprint = "";
  #issuers: Issuers;

  constructor(keys: KeyCache, listener: CredentialListener, maxTokenChars: number) {
    this.#keys = keys;
    this.#listener = listener;
    this.#maxTokenChars = maxTokenChars;
    this.#issuers = this.#make([], [], true);
  }

  get issuers(): Issuers {
    return this.#issuers;
  }

  /**
   * Makes the directory's providers and trust domains the issuers in force when the promise ends, with
   * the keys that are there (`KeyCache.configure`). Never rejects: keys that are not there yet, or cannot
   * be had, deny their tokens, no others.
   */
  async follow({
    oidcProviders,
    trustDomains,
    poison,
  }: Pick<Directory, "oidcProviders" | "trustDomains" | "poison">): Promise<void> {
    await this.#keys.configure(keySources(oidcProviders, trustDomains));
    const allTrustDomains = !poison.some(({ kind }) => kind === "trustDomain");
    const parts = [oidcProviders, trustDomains, allTrustDomains];
    const fingerprint = JSON.stringify(parts, mapsAsLists);
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#issuers = this.#make(oidcProviders, trustDomains, allTrustDomains);
  }

  /** Borrows nothing of a directory but these records: the rest of it dies with its snapshot. */
  #make(
    providers: Directory["oidcProviders"],
    trustDomains: Directory["trustDomains"],
    allTrustDomains: boolean,
  ): Issuers {
    const tables = new Map(trustDomains.map((domain) => [domain.name, trustTableOf(domain)]));
    return createIssuers({
      providers,
      trustDomains,
      allTrustDomains,
      accountOfSpiffeId(trustDomain, namespace) {
        const table = tables.get(trustDomain);
        return table === undefined ? null : accountOfNamespace(table, namespace);
      },
      keys: this.#keys,
      listener: this.#listener,
      maxTokenChars: this.#maxTokenChars,
    });
  }
}

/** The key sources of providers whose tokens are judged, and of trust domains that sign JWT-SVIDs. */
function keySources(
  oidcProviders: Directory["oidcProviders"],
  trustDomains: Directory["trustDomains"],
): KeySourceSpec[] {
  const providers = oidcProviders
    .filter((provider) => provider.rules.length > 0)
    .map(
      (provider): KeySourceSpec => ({
        issuerId: provider.id,
        alias: provider.name,
        form: "jwks",
        issuer: provider.issuer,
        source: provider.keys,
        refreshHintSeconds: null,
      }),
    );
  const domains = trustDomains.flatMap((domain): KeySourceSpec[] =>
    domain.keys === null
      ? []
      : [
          {
            issuerId: domain.id,
            alias: domain.name,
            form: "spiffe",
            issuer: `spiffe://${domain.name}`,
            source: domain.keys,
            refreshHintSeconds: domain.refreshHintSeconds,
          },
        ],
  );
  return [...providers, ...domains];
}

function mapsAsLists(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}
