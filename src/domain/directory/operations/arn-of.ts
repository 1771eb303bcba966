import { type EntityType, entityArn, organizationPolicyArn } from "../arns.ts";
import type { StateObject } from "../state/entity.ts";
import { type OrganizationState, organizationOf } from "../state/organization-state.ts";

/** The organization's facts that ARNs are made of. */
export interface ArnFacts {
  readonly partition: string;
  readonly organization: string;
  readonly managementAccount: string;
}

/** Returns those facts; of a state without an organization, the defaults. */
export function arnFacts(state: OrganizationState): ArnFacts {
  const found = organizationOf(state);
  return {
    partition: found?.partition ?? "aws",
    organization: found?.id ?? "local",
    managementAccount: found?.record.managementAccountId ?? "",
  };
}

/** Returns the ARN of an object of AWS Organizations: `account`, `ou`, `root` or `organization`. */
export function organizationsArn(facts: ArnFacts, type: string, id: string | null): string {
  const { partition, managementAccount, organization } = facts;
  const rest = id === null ? "" : `/${id}`;
  return `arn:${partition}:organizations::${managementAccount}:${type}/${organization}${rest}`;
}

/** Returns the ARN of a permission set; the organization stands where AWS has an instance. */
export function permissionSetArn(facts: ArnFacts, id: string): string {
  return `arn:${facts.partition}:sso:::permissionSet/${facts.organization}/${id}`;
}

/** Returns the ARN of a trust domain, which is the organization's. */
export function trustDomainArn(facts: ArnFacts, name: string): string {
  return `arn:${facts.partition}:mesh-iam::${facts.managementAccount}:trust-domain/${name}`;
}

/** Returns the ARN of a user, group, role or policy of whichever path it is created under. */
export function arnOfName(
  state: OrganizationState,
  account: string,
  type: EntityType,
  path: string,
  name: string,
): string {
  return entityArn(arnFacts(state).partition, account, type, path, name);
}

/** Returns the ARN of an object, its id where it has none. */
export function arnOf(state: OrganizationState, object: StateObject): string {
  const facts = arnFacts(state);
  const { id } = object;
  switch (object.kind) {
    case "user":
    case "group":
    case "role":
    case "workload":
    case "managedPolicy":
    case "oidcProvider":
    case "service":
      return object.record.arn;
    case "organization":
      return organizationsArn(facts, "organization", null);
    case "organizationalUnit":
      return organizationsArn(facts, object.record.parentId === null ? "root" : "ou", id);
    case "account":
      return organizationsArn(facts, "account", id);
    case "serviceControlPolicy":
    case "resourceControlPolicy": {
      const type =
        object.kind === "serviceControlPolicy"
          ? "service_control_policy"
          : "resource_control_policy";
      const { partition, managementAccount, organization } = facts;
      if (object.record.policy === null) return id;
      return organizationPolicyArn(partition, managementAccount, organization, type, id);
    }
    case "permissionSet":
      return permissionSetArn(facts, id);
    case "trustDomain":
      return trustDomainArn(facts, object.record.name);
    case "permissionSetAssignment":
    case "poisoned":
    case "opaque":
      return id;
  }
}
