import { quote } from "../../iam/problem.ts";
import type { Account, Directory, Poison } from "../directory/model.ts";
import type { PartContent, VerifiedPart } from "./part-content.ts";
import { type Refusal, refuse } from "./refusal.ts";

type Content<T extends PartContent["type"]> = Extract<PartContent, { readonly type: T }>;

/**
 * Returns the directory that `parts`, complete and verified, say, or `bundle-parse` when a unique id
 * occurs twice, `bundle-incomplete` when an account of an organization has no place in it, which would
 * free it of every SCP and RCP. Entities keep the order of the parts.
 *
 * An account that is not in the slice has only its place: name and e-mail are empty. A policy or
 * group that is referred to and absent gets a poison marker: an absent object is never an empty one.
 * Linear in the entities.
 */
export function assembleDirectory(
  org: string,
  parts: readonly VerifiedPart[],
): { readonly ok: true; readonly directory: Directory } | Refusal {
  const of = <T extends PartContent["type"]>(type: T): Content<T>[] =>
    parts.map(({ content }) => content).filter((content) => content.type === type) as Content<T>[];
  const [organization] = of("organization");
  const [providers] = of("providers");
  if (organization === undefined || providers === undefined) {
    return refuse("bundle-incomplete", "organization or providers are missing");
  }
  const indexes = of("account-index");
  const unplaced = unplacedAccountOf(organization, indexes, parts);
  if (unplaced !== null) {
    return refuse(
      "bundle-incomplete",
      `account ${quote(unplaced)} has no place in the organization`,
    );
  }
  const buckets = of("principal-bucket");
  const directory: Directory = {
    org,
    partition: organization.partition,
    organization: organization.organization,
    organizationalUnits: organization.organizationalUnits,
    accounts: accountsOf(organization, indexes),
    serviceControlPolicies: organization.serviceControlPolicies,
    resourceControlPolicies: organization.resourceControlPolicies,
    users: buckets.flatMap(({ users }) => users),
    groups: buckets.flatMap(({ groups }) => groups),
    roles: buckets.flatMap(({ roles }) => roles),
    workloads: buckets.flatMap(({ workloads }) => workloads),
    managedPolicies: of("policy-group").flatMap(({ managedPolicies }) => managedPolicies),
    oidcProviders: providers.oidcProviders,
    trustDomains: providers.trustDomains,
    services: of("service").flatMap(({ service }) => (service === null ? [] : [service])),
    serviceIdentities: providers.serviceIdentities,
    poison: [],
  };
  const twice = duplicateIdOf(directory);
  if (twice !== null) return refuse("bundle-parse", `the id ${quote(twice)} occurs twice`);
  const poison = [...parts.flatMap((part) => part.poison), ...danglingReferences(directory)];
  return { ok: true, directory: Object.freeze({ ...directory, poison }) };
}

/** Returns an account that has an index, and neither a place nor a marker for one; null for none. */
function unplacedAccountOf(
  { organization, places }: Content<"organization">,
  indexes: readonly Content<"account-index">[],
  parts: readonly VerifiedPart[],
): string | null {
  if (organization === null) return null;
  const known = new Set(places.map(({ id }) => id));
  for (const { poison } of parts) for (const { objectId } of poison) known.add(objectId);
  return indexes.find(({ account }) => !known.has(account))?.account ?? null;
}

function accountsOf(
  organization: Content<"organization">,
  indexes: readonly Content<"account-index">[],
): readonly Account[] {
  const facts = new Map(indexes.map((index) => [index.account, index]));
  return organization.places.map(({ id, parentId, state }) => {
    const { name = "", email = "", tags = new Map() } = facts.get(id) ?? {};
    return Object.freeze({ id, name, parentId, email, tags, state });
  });
}

function duplicateIdOf(directory: Directory): string | null {
  const seen = new Set<string>();
  const lists = [
    directory.organizationalUnits,
    directory.accounts,
    directory.serviceControlPolicies,
    directory.resourceControlPolicies,
    directory.users,
    directory.groups,
    directory.roles,
    directory.workloads,
    directory.managedPolicies,
    directory.oidcProviders,
    directory.trustDomains,
    directory.services,
  ];
  for (const { id } of lists.flat()) {
    if (seen.has(id)) return id;
    seen.add(id);
  }
  return null;
}

/** Markers for what principals refer to and nothing in the slice is. */
function danglingReferences(directory: Directory): Poison[] {
  const policies = new Set(directory.managedPolicies.map(({ id }) => id));
  const groups = new Set(directory.groups.map(({ id }) => id));
  const missing = new Map<string, Poison>();
  const miss = (kind: string, objectId: string) => {
    missing.set(objectId, { objectId, kind, reason: "referred to, but not in the bundle" });
  };
  const { users, roles, workloads } = directory;
  for (const identity of [...users, ...directory.groups, ...roles, ...workloads]) {
    for (const id of identity.attachedPolicyIds) if (!policies.has(id)) miss("managedPolicy", id);
  }
  for (const { permissionsBoundaryId: id } of [...users, ...roles, ...workloads]) {
    if (id !== null && !policies.has(id)) miss("managedPolicy", id);
  }
  for (const { groupIds } of users) {
    for (const id of groupIds) if (!groups.has(id)) miss("group", id);
  }
  return [...missing.values()];
}
