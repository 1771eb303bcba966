import type { OrganizationFacts } from "../../iam/request-context.ts";
import { compareText } from "./compare-text.ts";
import type { DirectoryLookup } from "./lookup.ts";
import type { Group, PolicyText, Role, Service, User, Workload } from "./model.ts";
import type { AppliedPolicy, PrincipalPolicies, ResourcePolicies } from "./policies.ts";

/**
 * Which policies apply to whom (iam-semantics 6.1). Pure: the same entity of the same directory gives
 * equal answers with the same policy records in them, so a caller may keep one for as long as the
 * directory is in force. Whether a layer counts for a caller or an action (management account,
 * service-linked role, class of the resource) is the engine's business.
 *
 * An object that cannot be used, or is referred to and not there, stands in the list as `{ id,
 * poisoned }`: it may hold a Deny, so questions it is applicable to end in an error (BUN-5).
 */

/** What has policies of its own. */
interface Owner {
  readonly id: string;
  readonly attachedPolicyIds: readonly string[];
  readonly inlinePolicies: readonly PolicyText[];
}

/** Returns what applies to a user: own policies, the groups', the boundary, the account's SCPs. */
export function policiesOfUser(lookup: DirectoryLookup, user: User): PrincipalPolicies {
  const groups: Group[] = [];
  const lost: AppliedPolicy[] = [];
  for (const id of user.groupIds) {
    const group = lookup.groupById(id);
    if (group === null) lost.push(lookup.poison.missing(id));
    else groups.push(group);
  }
  const identity = identityPolicies(lookup, [user, ...groups], lost);
  return principalPolicies(lookup, user.account, identity, user.permissionsBoundaryId);
}

/** Returns what applies to the sessions of a role; no boundary binds a service-linked one (EXC-5). */
export function policiesOfRole(lookup: DirectoryLookup, role: Role): PrincipalPolicies {
  const boundary = role.serviceLinked ? null : role.permissionsBoundaryId;
  return principalPolicies(lookup, role.account, identityPolicies(lookup, [role], []), boundary);
}

/**
 * Returns what applies to a mesh identity of `account`. `workload` is its document's record, null where
 * it has none: then only the account's SCPs bind it. While a workload is poisoned, an identity without
 * a record may be that one, and the answer says so.
 */
export function policiesOfWorkload(
  lookup: DirectoryLookup,
  workload: Workload | null,
  account: string,
): PrincipalPolicies {
  if (workload === null) {
    return principalPolicies(lookup, account, lookup.poison.ofKind("workload"), null);
  }
  const identity = identityPolicies(lookup, [workload], []);
  return principalPolicies(lookup, workload.account, identity, workload.permissionsBoundaryId);
}

/** Returns what applies to the root of an account: SCPs alone (EXC-7). */
export function policiesOfAccount(lookup: DirectoryLookup, account: string): PrincipalPolicies {
  return principalPolicies(lookup, account, [], null);
}

/**
 * Returns what applies to the resources of a service: its resource policy and the RCPs of its account.
 * The Allow that `authType: NONE` implies (EXC-10) is not in it.
 */
export function policiesOfService(lookup: DirectoryLookup, service: Service): ResourcePolicies {
  const resource = lookup.poison.byId(service.id) ?? service.resourcePolicy;
  return resourcePolicies(lookup, service.account, "ordinary", resource);
}

/** Returns what applies to a role as the resource of `sts:AssumeRole*`: its trust policy and the RCPs. */
export function trustPoliciesOfRole(lookup: DirectoryLookup, role: Role): ResourcePolicies {
  const resource = lookup.poison.byId(role.id) ?? role.trustPolicy;
  return resourcePolicies(lookup, role.account, "role-trust", resource);
}

/** Returns what applies to a resource of `account` that has no policy of its own: the RCPs alone. */
export function policiesOfResource(lookup: DirectoryLookup, account: string): ResourcePolicies {
  return resourcePolicies(lookup, account, "ordinary", null);
}

/** Returns what the engine has to know of the account's organization; null: it is in none. */
export function organizationFacts(
  lookup: DirectoryLookup,
  account: string,
): OrganizationFacts | null {
  return lookup.placeOf(account).organization;
}

function principalPolicies(
  lookup: DirectoryLookup,
  account: string,
  identity: readonly AppliedPolicy[],
  boundaryId: string | null,
): PrincipalPolicies {
  const { organization, serviceControl } = lookup.placeOf(account);
  const permissionsBoundary = boundaryId === null ? null : managedPolicy(lookup, boundaryId);
  return { identity, permissionsBoundary, session: null, serviceControl, organization };
}

function resourcePolicies(
  lookup: DirectoryLookup,
  account: string,
  resourceClass: ResourcePolicies["class"],
  resource: AppliedPolicy | null,
): ResourcePolicies {
  const { organization, resourceControl } = lookup.placeOf(account);
  return { account, class: resourceClass, resource, resourceControl, organization };
}

/** Returns attached policies before inline ones, each in the order of ids, none of them twice. */
function identityPolicies(
  lookup: DirectoryLookup,
  owners: readonly Owner[],
  lost: readonly AppliedPolicy[],
): readonly AppliedPolicy[] {
  const ids = new Set(owners.flatMap(({ attachedPolicyIds }) => attachedPolicyIds));
  const attached = [...ids].sort(compareText).map((id) => managedPolicy(lookup, id));
  const inline = owners
    .flatMap(({ inlinePolicies }) => inlinePolicies)
    .sort((a, b) => compareText(a.id, b.id));
  const poisoned = owners.map(({ id }) => lookup.poison.byId(id)).filter((one) => one !== null);
  return [...lost, ...poisoned, ...attached, ...inline];
}

/** Returns the managed policy of an id, or what stands for one that cannot be used or is not there. */
export function managedPolicy(lookup: DirectoryLookup, id: string): AppliedPolicy {
  const poisoned = lookup.poison.byId(id);
  if (poisoned !== null) return poisoned;
  return lookup.managedPolicyById(id)?.policy ?? lookup.poison.missing(id);
}
