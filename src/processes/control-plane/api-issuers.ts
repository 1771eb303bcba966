import type { KeyCache } from "../../adapters/keys/key-cache.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import { organizationPart, recordsOf } from "../../domain/directory/state/directory-of.ts";
import type { OrganizationState } from "../../domain/directory/state/organization-state.ts";
import { IssuerTable } from "../issuers/issuer-table.ts";

/**
 * Whose tokens the API of one organization takes: those of its providers and trust domains, for the
 * audiences of the API alone, so that no token for a service is of use here (TEN-1).
 */
export class ApiIssuers {
  readonly #keys: KeyCache;
  readonly #table: IssuerTable;
  readonly #audiences: readonly string[];
  #following: Promise<void> = Promise.resolve();

  constructor(keys: KeyCache, audiences: readonly string[]) {
    this.#keys = keys;
    this.#table = new IssuerTable(keys, { embeddedKey: () => undefined }, 16_384);
    this.#audiences = audiences;
  }

  get issuers(): Issuers {
    return this.#table.issuers;
  }

  /** Takes over the providers and trust domains of `state`. Never rejects. */
  async follow(state: OrganizationState): Promise<void> {
    const audiences = this.#audiences;
    const directory = {
      oidcProviders: recordsOf(state, "oidcProvider").map((one) => ({ ...one, audiences })),
      trustDomains: recordsOf(state, "trustDomain").map((one) => ({ ...one, audiences })),
      poison: organizationPart(state).poison,
    };
    this.#following = this.#following.then(() => this.#table.follow(directory));
    await this.#following;
  }

  close(): void {
    this.#keys.close();
  }
}
