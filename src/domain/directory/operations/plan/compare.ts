import type { Entity, StateObject } from "../../state/entity.ts";
import type { OrganizationState } from "../../state/organization-state.ts";
import { compareIdentities } from "./compare-identities.ts";
import {
  compareAccounts,
  compareControlPolicies,
  compareOrganization,
  compareUnits,
} from "./compare-organization.ts";
import {
  compareAssignments,
  comparePermissionSets,
  comparePolicies,
  compareProviders,
  compareServices,
  compareTrustDomains,
} from "./compare-others.ts";
import type { Desired } from "./desired.ts";
import type { CanDeny, Comparison, Difference, Impossible } from "./difference.ts";

/** How each kind is compared. */
const comparisons: {
  readonly [K in Desired["kind"]]: Comparison<Extract<Desired, { readonly kind: K }>>;
} = {
  organization: compareOrganization,
  organizationalUnit: compareUnits,
  account: compareAccounts,
  serviceControlPolicy: compareControlPolicies,
  resourceControlPolicy: compareControlPolicies,
  managedPolicy: comparePolicies,
  user: compareIdentities,
  group: compareIdentities,
  role: compareIdentities,
  workload: compareIdentities,
  trustDomain: compareTrustDomains,
  oidcProvider: compareProviders,
  service: compareServices,
  permissionSet: comparePermissionSets,
  permissionSetAssignment: compareAssignments,
};

/** Returns the object that `desired` means, if it is there. */
export function findDesired(desired: Desired, state: OrganizationState): StateObject | undefined {
  return comparisons[desired.kind].find(desired as never, state);
}

/** Returns what is other than `desired` wants it. */
export function differencesOf(
  desired: Desired,
  current: Entity | null,
  state: OrganizationState,
  canDeny: CanDeny,
): readonly (Difference | Impossible)[] {
  return comparisons[desired.kind].differences(desired as never, current, state, canDeny);
}
