import type { KeyCache } from "../../adapters/keys/key-cache.ts";
import type { KeySourceSpec } from "../../adapters/keys/key-source.ts";
import {
  type CredentialListener,
  createIssuers,
  type Issuers,
} from "../../domain/credentials/issuers.ts";
import type { DirectoryLookup } from "../../domain/directory/lookup.ts";
import type { Directory } from "../../domain/directory/model.ts";

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
    this.#issuers = this.#make([], [], () => null);
  }

  get issuers(): Issuers {
    return this.#issuers;
  }

  /**
   * Makes the directory's providers and trust domains the issuers in force. Resolves when each new key
   * source was tried once; never rejects: keys that cannot be had deny their tokens, no others.
   */
  async follow(directory: Directory, lookup: DirectoryLookup): Promise<void> {
    const { oidcProviders, trustDomains } = directory;
    await this.#keys.configure(keySources(directory));
    const fingerprint = JSON.stringify([oidcProviders, trustDomains], mapsAsLists);
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#issuers = this.#make(oidcProviders, trustDomains, lookup.accountOfSpiffeId);
  }

  #make(
    providers: Directory["oidcProviders"],
    trustDomains: Directory["trustDomains"],
    accountOfSpiffeId: DirectoryLookup["accountOfSpiffeId"],
  ): Issuers {
    return createIssuers({
      providers,
      trustDomains,
      accountOfSpiffeId,
      keys: this.#keys,
      listener: this.#listener,
      maxTokenChars: this.#maxTokenChars,
    });
  }
}

/** The key sources of providers whose tokens are judged, and of trust domains that sign JWT-SVIDs. */
function keySources(directory: Directory): KeySourceSpec[] {
  const providers = directory.oidcProviders
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
  const domains = directory.trustDomains.flatMap((domain): KeySourceSpec[] =>
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
