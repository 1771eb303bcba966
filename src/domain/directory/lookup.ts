import type {
  Account,
  Directory,
  Group,
  ManagedPolicy,
  OidcProvider,
  Role,
  Service,
  TrustDomain,
  User,
  Workload,
} from "./model.ts";
import { createOrganizationTree, type PlaceOf } from "./organization-tree.ts";
import { createPoisonIndex, type PoisonIndex } from "./poison-index.ts";
import { accountOfNamespace, type TrustTable, trustTableOf } from "./trust-table.ts";

/**
 * A directory by the names and ids that requests bring. All names compare exactly, case included.
 * Every function answers in constant time, without allocating, with null for what is not there.
 */
export interface DirectoryLookup {
  readonly directory: Directory;
  userByName(account: string, name: string): User | null;
  userById(id: string): User | null;
  groupById(id: string): Group | null;
  roleByName(account: string, name: string): Role | null;
  roleByArn(arn: string): Role | null;
  roleById(id: string): Role | null;
  workloadBySpiffeId(spiffeId: string): Workload | null;
  managedPolicyById(id: string): ManagedPolicy | null;
  accountById(id: string): Account | null;
  providerById(id: string): OidcProvider | null;
  providerByArn(arn: string): OidcProvider | null;
  /** The provider of the issuer that has rules: it alone judges tokens presented directly (FILE-20). */
  providerByIssuer(issuer: string): OidcProvider | null;
  trustDomainByName(name: string): TrustDomain | null;
  /**
   * The account of the SPIFFE ids of a trust domain in a namespace (null: the id names none), by the
   * longest match; null for a foreign domain and for an id with no row (PRIN-9).
   */
  accountOfSpiffeId(trustDomain: string, namespace: string | null): string | null;
  serviceByArn(arn: string): Service | null;
  serviceByName(account: string, name: string): Service | null;
  /** ARN of the service that an identity serves, of the whole organization. */
  serviceArnOfSpiffeId(spiffeId: string): string | null;
  /** The account's place in the organization, with the SCPs and RCPs of its levels. */
  readonly placeOf: PlaceOf;
  readonly poison: PoisonIndex;
}

/** Returns the lookup of `directory`, which it borrows. Linear in the entities, about one map each. */
export function createLookup(directory: Directory): DirectoryLookup {
  const { users, groups, roles, workloads, managedPolicies, accounts, services } = directory;
  const usersByName = byAccountAndName(users);
  const usersById = indexBy(users, ({ id }) => id);
  const groupsById = indexBy(groups, ({ id }) => id);
  const rolesByName = byAccountAndName(roles);
  const rolesByArn = indexBy(roles, ({ arn }) => arn);
  const rolesById = indexBy(roles, ({ id }) => id);
  const workloadsBySpiffeId = indexBy(workloads, ({ spiffeId }) => spiffeId);
  const policiesById = indexBy(managedPolicies, ({ id }) => id);
  const accountsById = indexBy(accounts, ({ id }) => id);
  const providersById = indexBy(directory.oidcProviders, ({ id }) => id);
  const providersByArn = indexBy(directory.oidcProviders, ({ arn }) => arn);
  const judging = directory.oidcProviders.filter(({ rules }) => rules.length > 0);
  const providersByIssuer = indexBy(judging, ({ issuer }) => issuer);
  const trustDomainsByName = indexBy(directory.trustDomains, ({ name }) => name);
  const trustTables = new Map<string, TrustTable>(
    directory.trustDomains.map((domain) => [domain.name, trustTableOf(domain)]),
  );
  const servicesByArn = indexBy(services, ({ arn }) => arn);
  const servicesByName = byAccountAndName(services);
  const { serviceIdentities } = directory;
  const poison = createPoisonIndex(directory.poison);
  const accountById = (id: string) => accountsById.get(id) ?? null;
  return {
    directory,
    userByName: (account, name) => usersByName.get(account)?.get(name) ?? null,
    userById: (id) => usersById.get(id) ?? null,
    groupById: (id) => groupsById.get(id) ?? null,
    roleByName: (account, name) => rolesByName.get(account)?.get(name) ?? null,
    roleByArn: (arn) => rolesByArn.get(arn) ?? null,
    roleById: (id) => rolesById.get(id) ?? null,
    workloadBySpiffeId: (spiffeId) => workloadsBySpiffeId.get(spiffeId) ?? null,
    managedPolicyById: (id) => policiesById.get(id) ?? null,
    accountById,
    providerById: (id) => providersById.get(id) ?? null,
    providerByArn: (arn) => providersByArn.get(arn) ?? null,
    providerByIssuer: (issuer) => providersByIssuer.get(issuer) ?? null,
    trustDomainByName: (name) => trustDomainsByName.get(name) ?? null,
    accountOfSpiffeId: (trustDomain, namespace) => {
      const table = trustTables.get(trustDomain);
      return table === undefined ? null : accountOfNamespace(table, namespace);
    },
    serviceByArn: (arn) => servicesByArn.get(arn) ?? null,
    serviceByName: (account, name) => servicesByName.get(account)?.get(name) ?? null,
    serviceArnOfSpiffeId: (spiffeId) => serviceIdentities.get(spiffeId) ?? null,
    placeOf: createOrganizationTree(directory, accountById, poison),
    poison,
  };
}

function indexBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}

// Nested, so that a lookup joins no texts.
function byAccountAndName<T extends { readonly account: string; readonly name: string }>(
  items: readonly T[],
): ReadonlyMap<string, ReadonlyMap<string, T>> {
  const accounts = new Map<string, Map<string, T>>();
  for (const item of items) {
    const names = accounts.get(item.account);
    if (names === undefined) accounts.set(item.account, new Map([[item.name, item]]));
    else names.set(item.name, item);
  }
  return accounts;
}
