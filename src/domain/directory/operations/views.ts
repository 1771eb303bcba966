import { asKind, type EntityOf } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { referencesOf } from "../state/stored-form.ts";
import { effectiveRole } from "../state/trusted-principals.ts";

/** Objects as answers show them: AWS's member names in lowerCamelCase, tags as a list. */

type Described = Readonly<Record<string, unknown>>;

/** Returns tags as AWS lists them. */
export function describeTags(tags: ReadonlyMap<string, string>): readonly Described[] {
  return [...tags].map(([key, value]) => ({ key, value }));
}

function boundaryOf(state: OrganizationState, id: string | null): Described {
  if (id === null) return {};
  const policy = asKind(state.get(id), "managedPolicy");
  return {
    permissionsBoundary: {
      permissionsBoundaryType: "Policy",
      permissionsBoundaryArn: policy?.record.arn ?? id,
    },
  };
}

function common(entity: {
  readonly createdAtMs: number;
  readonly modRevision: number;
  readonly manager: string;
}): Described {
  const { createdAtMs, modRevision, manager } = entity;
  return { createDate: createdAtMs, revision: modRevision, manager };
}

export function describeUser(state: OrganizationState, user: EntityOf<"user">): Described {
  const { id, arn, name, path, tags, state: active, permissionsBoundaryId } = user.record;
  return {
    userId: id,
    arn,
    userName: name,
    path,
    state: active,
    tags: describeTags(tags),
    ...boundaryOf(state, permissionsBoundaryId),
    ...common(user),
  };
}

export function describeGroup(group: EntityOf<"group">): Described {
  const { id, arn, name, path } = group.record;
  return { groupId: id, arn, groupName: name, path, ...common(group) };
}

export function describeRole(state: OrganizationState, role: EntityOf<"role">): Described {
  const { id, arn, name, path, tags, state: active, permissionsBoundaryId } = role.record;
  return {
    roleId: id,
    arn,
    roleName: name,
    path,
    // Whom it trusted and is gone stands in it by its unique id, as at AWS (PRIN-3).
    assumeRolePolicyDocument: effectiveRole(state, role).trustPolicy.text,
    description: role.description,
    maxSessionDuration: role.record.maxSessionSeconds,
    sessionBinding: role.record.sessionBinding,
    state: active,
    tags: describeTags(tags),
    ...boundaryOf(state, permissionsBoundaryId),
    ...common(role),
  };
}

export function describeWorkload(
  state: OrganizationState,
  workload: EntityOf<"workload">,
): Described {
  const { id, arn, name, spiffeId, tags, state: active, permissionsBoundaryId } = workload.record;
  return {
    workloadId: id,
    arn,
    name,
    spiffeId,
    state: active,
    tags: describeTags(tags),
    ...boundaryOf(state, permissionsBoundaryId),
    ...common(workload),
  };
}

/** `attachmentCount` and `permissionsBoundaryUsageCount` are counted anew: one pass over who refers. */
export function describePolicy(
  state: OrganizationState,
  policy: EntityOf<"managedPolicy">,
): Described {
  const { id, arn, name, path } = policy.record;
  let attachmentCount = 0;
  let permissionsBoundaryUsageCount = 0;
  for (const from of state.referrers(id)) {
    const object = state.get(from);
    if (object === undefined) continue;
    const references = referencesOf(object).filter(({ to }) => to === id);
    if (references.some(({ rel }) => rel === "attached")) attachmentCount++;
    if (references.some(({ rel }) => rel === "boundary")) permissionsBoundaryUsageCount++;
  }
  return {
    policyId: id,
    arn,
    policyName: name,
    path,
    defaultVersionId: policy.defaultVersionId,
    attachmentCount,
    permissionsBoundaryUsageCount,
    isAttachable: true,
    description: policy.description,
    ...common(policy),
  };
}
