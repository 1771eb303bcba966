import { fullAccessId } from "../../full-access.ts";
import { asKind, type EntityOf } from "../../state/entity.ts";
import { type OrganizationState, organizationOf } from "../../state/organization-state.ts";
import { nameKeyOf } from "../../state/stored-form.ts";
import type { Desired } from "./desired.ts";
import {
  type Comparison,
  changed,
  type Difference,
  type Impossible,
  tagDifferences,
} from "./difference.ts";
import { unitsByPath } from "./existing-objects.ts";

type Of<K extends Desired["kind"]> = Extract<Desired, { readonly kind: K }>;

export const compareOrganization: Comparison<Of<"organization">> = {
  find: (_desired, state) => organizationOf(state) ?? undefined,
  differences: ({ record, id, rootId }, current) => {
    const { name, managementAccountId } = record;
    if (current === null) {
      const input = { name, managementAccountId, id, rootId };
      const operation = "organizations:CreateOrganization";
      return [{ phase: "place", operation, input, field: "", before: null, after: name }];
    }
    const before = (current as EntityOf<"organization">).record;
    if (before.managementAccountId === managementAccountId) return [];
    const impossible = `the management account is ${before.managementAccountId} and cannot be changed`;
    return [{ impossible, field: "spec.managementAccountId" }];
  },
};

/** Returns the id of the root (`/`) or of the unit at a path; undefined where there is none yet. */
function idOfPath(state: OrganizationState, path: string): string | undefined {
  if (path === "/") return organizationOf(state)?.record.rootId;
  return unitsByPath(state).get(path);
}

function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export const compareUnits: Comparison<Of<"organizationalUnit">> = {
  find: ({ path, name }, state) => {
    const parentId = idOfPath(state, parentPath(path));
    if (parentId === undefined) return undefined;
    return state.named("organizationalUnit", "", nameKeyOf(`${parentId}/${name}`));
  },
  differences: ({ path, name, id }, current, state) => {
    const field = "metadata.name";
    if (current !== null) {
      const input = { organizationalUnitId: current.id, name, expectedRevision: null };
      const operation = "organizations:UpdateOrganizationalUnit";
      const before = (current as EntityOf<"organizationalUnit">).record.name;
      return changed(before, name, { phase: "place", operation, input, field });
    }
    const parentId = idOfPath(state, parentPath(path));
    if (parentId === undefined)
      return [{ impossible: `there is no unit ${parentPath(path)}`, field }];
    const input = { parentId, name, id };
    const operation = "organizations:CreateOrganizationalUnit";
    return [{ phase: "place", operation, input, field: "", before: null, after: path }];
  },
};

export const compareAccounts: Comparison<Of<"account">> = {
  find: ({ record }, state) => state.named("account", "", record.id),
  differences: ({ record, parentPath: wantedPath }, current, state) => {
    const { id: accountId, name, email, tags, state: active } = record;
    const parentId = idOfPath(state, wantedPath ?? "/");
    if (parentId === undefined) {
      return [{ impossible: `there is no unit ${wantedPath ?? "/"}`, field: "spec.parentIds" }];
    }
    if (current === null) {
      const input = { accountName: name, email, accountId, parentId, tags };
      const operation = "organizations:CreateAccount";
      return [{ phase: "place", operation, input, field: "", before: null, after: accountId }];
    }
    const before = (current as EntityOf<"account">).record;
    const subject = { accountId, expectedRevision: null };
    const update = { phase: "place", operation: "organizations:UpdateAccount" } as const;
    const same = { ...subject, accountName: null, email: null };
    return [
      ...changed(before.name, name, {
        ...update,
        input: { ...same, accountName: name },
        field: "metadata.name",
      }),
      ...changed(before.email, email, {
        ...update,
        input: { ...same, email },
        field: "spec.email",
      }),
      ...changed(before.parentId, parentId, {
        phase: "place",
        operation: "organizations:MoveAccount",
        input: { ...subject, sourceParentId: before.parentId, destinationParentId: parentId },
        field: "spec.parentIds",
      }),
      ...tagDifferences(
        before.tags,
        tags,
        { tag: "organizations:TagAccount", untag: "organizations:UntagAccount" },
        { accountId },
        "place",
      ),
      ...changed(before.state, active, {
        phase: active === "disabled" ? "restrict" : "release",
        operation: `organizations:${active === "disabled" ? "CloseAccount" : "ReopenAccount"}`,
        input: subject,
        field: "spec.state",
      }),
    ];
  },
};

type ControlPolicies = Of<"serviceControlPolicy" | "resourceControlPolicy">;

export const compareControlPolicies: Comparison<ControlPolicies> = {
  find: ({ kind, record }, state) => {
    if (record.policy === null) return state.get(fullAccessId);
    return state.named(kind, "", nameKeyOf(record.name));
  },
  differences: (desired, current, state) => {
    const { kind, record, targets } = desired;
    const { name, policy } = record;
    if (policy === null)
      return targetDifferences(targets, fullAccessTargets(state), fullAccessId, state);
    if (current === null) {
      const type =
        kind === "serviceControlPolicy" ? "SERVICE_CONTROL_POLICY" : "RESOURCE_CONTROL_POLICY";
      const input = { name, type, content: policy.text, description: null };
      const operation = "organizations:CreatePolicy";
      return [{ phase: "guard", operation, input, field: "", before: null, after: name }];
    }
    const before = (current as EntityOf<typeof kind>).record;
    const same = {
      policyId: current.id,
      name: null,
      content: null,
      description: null,
      expectedRevision: null,
    };
    const update = { phase: "guard", operation: "organizations:UpdatePolicy" } as const;
    return [
      ...changed(before.name, name, {
        ...update,
        input: { ...same, name },
        field: "metadata.name",
      }),
      ...changed(before.policy?.text, policy.text, {
        ...update,
        input: { ...same, content: policy.text },
        field: "spec.content",
      }),
      ...targetDifferences(targets, before.targetIds, current.id, state),
    ];
  },
};

/** Where FullAWSAccess is attached: everywhere while it has no record (FILE-25). */
function fullAccessTargets(state: OrganizationState): readonly string[] {
  const record = asKind(state.get(fullAccessId), "serviceControlPolicy")?.record;
  if (record !== undefined) return record.targetIds;
  return [...state.list("organizationalUnit", ""), ...state.list("account", "")].map(
    ({ id }) => id,
  );
}

/** An SCP that is attached restricts; FullAWSAccess is what the others restrict, so it is the reverse. */
function targetDifferences(
  wanted: readonly string[],
  before: readonly string[],
  policyId: string,
  state: OrganizationState,
): readonly (Difference | Impossible)[] {
  const ids: string[] = [];
  const field = "spec.targetIds";
  for (const target of wanted) {
    const id = target.startsWith("/") ? idOfPath(state, target) : target;
    if (id === undefined) return [{ impossible: `there is no unit ${target}`, field }];
    ids.push(id);
  }
  const isFullAccess = policyId === fullAccessId;
  const input = (targetId: string) => ({ policyId, targetId, expectedRevision: null });
  const attach = ids.filter((id) => !before.includes(id));
  const detach = before.filter((id) => !ids.includes(id));
  return [
    ...attach.map(
      (id): Difference => ({
        phase: isFullAccess ? "release" : "guard",
        operation: "organizations:AttachPolicy",
        input: input(id),
        field,
        before: null,
        after: id,
      }),
    ),
    ...detach.map(
      (id): Difference => ({
        phase: isFullAccess ? "guard" : "release",
        operation: "organizations:DetachPolicy",
        input: input(id),
        field,
        before: id,
        after: null,
      }),
    ),
  ];
}
