import { sortedById } from "../compare-text.ts";
import type { Directory, Organization, Poison } from "../model.ts";
import { type Kind, type RecordOf, storedKindOf } from "./entity.ts";
import { kindCodecs } from "./kinds/registry.ts";
import { entitiesOf, type OrganizationState, organizationOf } from "./organization-state.ts";
import { effectiveRole } from "./trusted-principals.ts";

/**
 * Returns the directory that `state` holds: the shape from which slices are built. Records are shared;
 * a role whose trusted principals are gone has them replaced by their unique ids (PRIN-3). What cannot be
 * read is in `poison`. Permission sets are in no directory: their provisioned roles are.
 *
 * Cost: linear in the objects, times the logarithm of their number for the order of ids.
 */
export function directoryOf(state: OrganizationState): Directory {
  const roles = [...entitiesOf(state.all("role"), "role")];
  const services = recordsOf(state, "service");
  return Object.freeze({
    ...organizationPart(state),
    accounts: recordsOf(state, "account"),
    users: recordsOf(state, "user"),
    groups: recordsOf(state, "group"),
    roles: sortedById(roles.map((role) => effectiveRole(state, role))),
    workloads: recordsOf(state, "workload"),
    managedPolicies: recordsOf(state, "managedPolicy"),
    oidcProviders: recordsOf(state, "oidcProvider"),
    trustDomains: recordsOf(state, "trustDomain"),
    services,
    serviceIdentities: serviceIdentitiesOf(services),
  });
}

/** The part of a directory that places accounts: small, whatever the number of principals. */
export type OrganizationPart = Pick<
  Directory,
  | "org"
  | "partition"
  | "organization"
  | "organizationalUnits"
  | "serviceControlPolicies"
  | "resourceControlPolicies"
  | "poison"
>;

/** Returns that part of the directory of `state`; linear in units, SCPs and RCPs. */
export function organizationPart(state: OrganizationState): OrganizationPart {
  const stored = organizationOf(state);
  const organization: Organization | null = stored?.record ?? null;
  return {
    org: stored?.id ?? "local",
    partition: stored?.partition ?? "aws",
    organization,
    organizationalUnits: recordsOf(state, "organizationalUnit").flatMap(({ id, name, parentId }) =>
      parentId === null ? [] : [{ id, name, parentId }],
    ),
    serviceControlPolicies: recordsOf(state, "serviceControlPolicy"),
    resourceControlPolicies: recordsOf(state, "resourceControlPolicy"),
    poison: poisonOf(state),
  };
}

/** Returns the records of a kind in the order of their ids. */
export function recordsOf<K extends Kind>(
  state: OrganizationState,
  kind: K,
): readonly RecordOf<K>[] {
  const records: RecordOf<K>[] = [];
  for (const { record } of entitiesOf(state.all(kind), kind)) records.push(record);
  return sortedById(records);
}

/** Returns the table of `mesh:SourceServiceArn`; an identity of two services is in neither's (KEY-3). */
export function serviceIdentitiesOf(services: Directory["services"]): ReadonlyMap<string, string> {
  const owners = new Map<string, string | null>();
  for (const { workloads, arn } of services) {
    for (const identity of workloads) owners.set(identity, owners.has(identity) ? null : arn);
  }
  const known = [...owners].filter((entry): entry is [string, string] => entry[1] !== null);
  return new Map(known.sort());
}

/** Permission sets decide nothing themselves: their provisioned roles do. */
const decidingKinds = Object.keys(kindCodecs).filter((kind) => !kind.startsWith("permissionSet"));

/** Returns what cannot be read, in the order of ids. */
function poisonOf(state: OrganizationState): readonly Poison[] {
  const poison: Poison[] = [];
  for (const object of state.unreadable()) {
    const kind = storedKindOf(object);
    if (!decidingKinds.includes(kind)) continue;
    const { path, message } = object.problem;
    poison.push({
      objectId: object.id,
      kind,
      reason: path === "" ? message : `${path}: ${message}`,
    });
  }
  return poison.sort((a, b) => (a.objectId < b.objectId ? -1 : 1));
}
