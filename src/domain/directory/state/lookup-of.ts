import { parseArn } from "../../../iam/arn.ts";
import { parseSpiffeId, tableNamespaceOf } from "../../request/spiffe-id.ts";
import type { DirectoryLookup } from "../lookup.ts";
import type { Directory, OidcProvider } from "../model.ts";
import { createOrganizationTree, type PlaceOf } from "../organization-tree.ts";
import { createPoisonIndex } from "../poison-index.ts";
import { accountOfNamespace, type TrustTable, trustTableOf } from "../trust-table.ts";
import {
  directoryOf,
  type OrganizationPart,
  organizationPart,
  recordsOf,
  serviceIdentitiesOf,
} from "./directory-of.ts";
import { asKind, type EntityOf, type Kind, type RecordOf } from "./entity.ts";
import type { OrganizationState } from "./organization-state.ts";
import { nameKeyOf } from "./stored-form.ts";
import { effectiveRole, principalByArn } from "./trusted-principals.ts";

/**
 * Returns the lookup of `state` as it is now, for questions to the engine under the lock: equal to the
 * lookup of `directoryOf(state)`, at the cost of units, SCPs, RCPs, providers and trust domains. The
 * directory itself, and the table of the services' identities, are made when they are first asked for.
 */
export function lookupOf(state: OrganizationState): DirectoryLookup {
  const part = organizationPart(state);
  const poison = createPoisonIndex(part.poison);
  const providers = once(() => indexProviders(state));
  const tables = once(() => indexTables(state));
  const identities = once(() => serviceIdentitiesOf(recordsOf(state, "service")));
  const byId = <K extends Kind>(kind: K, id: string): RecordOf<K> | null =>
    asKind(state.get(id), kind)?.record ?? null;
  const byName = <K extends Kind>(kind: K, account: string, name: string): EntityOf<K> | null => {
    const found = asKind(state.named(kind, account, nameKeyOf(name)), kind);
    return found !== null && found.record.name === name ? found : null;
  };
  const roleOf = (stored: EntityOf<"role"> | null) =>
    stored === null ? null : effectiveRole(state, stored);
  const accountById = (id: string) => byId("account", id);
  const placeOf: PlaceOf = createOrganizationTree({ ...emptyLists, ...part }, accountById, poison);
  return {
    directory: lazyDirectory(state, part),
    userByName: (account, name) => byName("user", account, name)?.record ?? null,
    userById: (id) => byId("user", id),
    groupById: (id) => byId("group", id),
    roleByName: (account, name) => roleOf(byName("role", account, name)),
    roleByArn: (arn) => {
      const found = principalByArn(state, arn);
      return found?.kind === "role" ? effectiveRole(state, found) : null;
    },
    roleById: (id) => roleOf(asKind(state.get(id), "role")),
    workloadBySpiffeId: (spiffeId) => workloadOf(state, tables(), spiffeId),
    managedPolicyById: (id) => byId("managedPolicy", id),
    accountById,
    providerById: (id) => byId("oidcProvider", id),
    providerByArn: (arn) => providers().byArn.get(arn) ?? null,
    providerByIssuer: (issuer) => providers().judging.get(issuer) ?? null,
    trustDomainByName: (name) => byName("trustDomain", "", name)?.record ?? null,
    accountOfSpiffeId: (trustDomain, namespace) => {
      const table = tables().get(trustDomain);
      return table === undefined ? null : accountOfNamespace(table, namespace);
    },
    serviceByArn: (text) => {
      const arn = parseArn(text);
      if (!arn.ok || !arn.value.resource.startsWith("service/")) return null;
      const name = arn.value.resource.slice("service/".length);
      const found = byName("service", arn.value.account, name)?.record ?? null;
      return found?.arn === text ? found : null;
    },
    serviceByName: (account, name) => byName("service", account, name)?.record ?? null,
    serviceArnOfSpiffeId: (spiffeId) => identities().get(spiffeId) ?? null,
    placeOf,
    poison,
  };
}

const emptyLists = {
  accounts: [],
  users: [],
  groups: [],
  roles: [],
  workloads: [],
  managedPolicies: [],
  oidcProviders: [],
  trustDomains: [],
  services: [],
  serviceIdentities: new Map<string, string>(),
};

/** A workload stands in the account that the tables give its id (FILE-22), so that one is asked. */
function workloadOf(
  state: OrganizationState,
  tables: ReadonlyMap<string, TrustTable>,
  spiffeId: string,
): EntityOf<"workload">["record"] | null {
  const id = parseSpiffeId(spiffeId);
  const table = id.ok ? tables.get(id.value.trustDomain) : undefined;
  if (!id.ok || table === undefined) return null;
  const account = accountOfNamespace(table, tableNamespaceOf(id.value));
  if (account === null) return null;
  const found = asKind(state.named("workload", account, nameKeyOf(spiffeId)), "workload");
  return found?.record.spiffeId === spiffeId ? found.record : null;
}

/** Partition and organization at hand; lists are made when something walks over them. */
function lazyDirectory(state: OrganizationState, part: OrganizationPart): Directory {
  const whole = once(() => directoryOf(state));
  const lazy = { ...emptyLists, ...part };
  for (const name of Object.keys(emptyLists) as (keyof typeof emptyLists)[]) {
    Object.defineProperty(lazy, name, { enumerable: true, get: () => whole()[name] });
  }
  return lazy;
}

function indexProviders(state: OrganizationState) {
  const all = recordsOf(state, "oidcProvider");
  return {
    byArn: new Map<string, OidcProvider>(all.map((one) => [one.arn, one])),
    judging: new Map<string, OidcProvider>(
      all.filter(({ rules }) => rules.length > 0).map((one) => [one.issuer, one]),
    ),
  };
}

function indexTables(state: OrganizationState): ReadonlyMap<string, TrustTable> {
  const all = recordsOf(state, "trustDomain");
  return new Map(all.map((domain) => [domain.name, trustTableOf(domain)]));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
