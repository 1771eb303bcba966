import { type EntityOf, type Kind, type StateObject, storedKindOf } from "../../state/entity.ts";
import { type OrganizationState, organizationOf } from "../../state/organization-state.ts";
import { arnFacts, arnOf, permissionSetArn } from "../arn-of.ts";
import { identities } from "../subject.ts";

/** One operation of taking an object down. */
export interface Removal {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** In the order in which they can go: what refers to something before it. Never an account (FILE-6). */
const kinds: readonly Kind[] = [
  "permissionSetAssignment",
  "permissionSet",
  "service",
  "oidcProvider",
  "workload",
  "role",
  "user",
  "group",
  "trustDomain",
  "serviceControlPolicy",
  "resourceControlPolicy",
  "managedPolicy",
  "organizationalUnit",
];

/**
 * Returns the objects of `manager` that are not in `wanted` (ids), in the order in which they can go.
 * Linear in all objects of the organization: only for who asks to prune.
 */
export function unwanted(
  state: OrganizationState,
  manager: string,
  wanted: ReadonlySet<string>,
): readonly StateObject[] {
  const root = organizationOf(state)?.record.rootId;
  const found: StateObject[] = [];
  for (const kind of kinds) {
    const ofKind: StateObject[] = [];
    for (const object of state.all(kind)) {
      if (object.manager !== manager || wanted.has(object.id) || object.id === root) continue;
      // The roles of permission sets go with them.
      if (object.kind === "role" && object.permissionSetId !== null) continue;
      if (object.kind === "serviceControlPolicy" && object.record.policy === null) continue;
      ofKind.push(object);
    }
    // Units from the leaves on; everything else by name.
    const depth = (object: StateObject) => depthOf(state, object);
    ofKind.sort((a, b) => depth(b) - depth(a) || (a.nameKey < b.nameKey ? -1 : 1));
    found.push(...ofKind);
  }
  return found;
}

function depthOf(state: OrganizationState, object: StateObject): number {
  let depth = 0;
  let step: StateObject | undefined = object;
  while (step?.kind === "organizationalUnit" && step.record.parentId !== null && depth < 100) {
    step = state.get(step.record.parentId);
    depth++;
  }
  return depth;
}

/** Returns the operations that take an object down, what hangs on it first. */
export function removalsOf(state: OrganizationState, object: StateObject): readonly Removal[] {
  const none = { expectedRevision: null };
  switch (object.kind) {
    case "user":
    case "group":
    case "role":
    case "workload":
      return ofIdentity(state, object);
    case "managedPolicy": {
      const policyArn = object.record.arn;
      const versions = object.versions.filter((one) => one.versionId !== object.defaultVersionId);
      return [
        ...versions.map(({ versionId }) => ({
          operation: "iam:DeletePolicyVersion",
          input: { ...none, policyArn, versionId },
        })),
        { operation: "iam:DeletePolicy", input: { ...none, policyArn } },
      ];
    }
    case "serviceControlPolicy":
    case "resourceControlPolicy": {
      const policyId = object.id;
      return [
        ...object.record.targetIds.map((targetId) => ({
          operation: "organizations:DetachPolicy",
          input: { ...none, policyId, targetId },
        })),
        { operation: "organizations:DeletePolicy", input: { ...none, policyId } },
      ];
    }
    case "organizationalUnit": {
      const input = { ...none, organizationalUnitId: object.id };
      return [{ operation: "organizations:DeleteOrganizationalUnit", input }];
    }
    case "permissionSet": {
      const permissionSetArn = setArn(state, object.id);
      return [{ operation: "sso:DeletePermissionSet", input: { ...none, permissionSetArn } }];
    }
    case "permissionSetAssignment": {
      const { permissionSetId, principalType, principalId, targetId } = object.record;
      const principal = state.get(principalId);
      const input = {
        ...none,
        permissionSetArn: setArn(state, permissionSetId),
        principalType,
        principalId: principal === undefined ? principalId : arnOf(state, principal),
        targetType: "AWS_ACCOUNT",
        targetId,
      };
      return [{ operation: "sso:DeleteAccountAssignment", input }];
    }
    case "oidcProvider": {
      const input = { ...none, openIDConnectProviderArn: object.record.arn };
      return [{ operation: "iam:DeleteOpenIDConnectProvider", input }];
    }
    case "trustDomain": {
      const input = { ...none, name: object.record.name };
      return [{ operation: "mesh-iam:DeleteTrustDomain", input }];
    }
    case "service": {
      const { account, name: serviceName } = object.record;
      const input = { ...none, account, serviceName };
      return [{ operation: "mesh-iam:DeleteServiceDefinition", input }];
    }
    case "organization":
    case "account":
    case "poisoned":
    case "opaque":
      throw new TypeError(`no ${storedKindOf(object)} is ever pruned`);
  }
}

function setArn(state: OrganizationState, id: string): string {
  return permissionSetArn(arnFacts(state), id);
}

function ofIdentity(
  state: OrganizationState,
  { kind, record }: EntityOf<"user" | "group" | "role" | "workload">,
): readonly Removal[] {
  const { service, title, nameMember } = identities[kind];
  const name = kind === "workload" ? record.spiffeId : record.name;
  const subject = { account: record.account, [nameMember]: name, expectedRevision: null };
  const groups = kind === "user" ? record.groupIds : [];
  return [
    ...record.attachedPolicyIds.map((id) => {
      const policy = state.get(id);
      const policyArn = policy === undefined ? id : arnOf(state, policy);
      return { operation: `${service}:Detach${title}Policy`, input: { ...subject, policyArn } };
    }),
    ...record.inlinePolicies.map(({ id }) => ({
      operation: `${service}:Delete${title}Policy`,
      input: { ...subject, policyName: id.slice(record.arn.length + 1) },
    })),
    ...groups.map((id) => {
      const group = state.get(id);
      const groupName = group?.kind === "group" ? group.record.name : id;
      const { account } = record;
      const input = { account, groupName, userName: record.name, expectedRevision: null };
      return { operation: "iam:RemoveUserFromGroup", input };
    }),
    { operation: `${service}:Delete${title}`, input: subject },
  ];
}
