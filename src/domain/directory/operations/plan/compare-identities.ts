import { parsePolicyDocument } from "../../../../iam/policy/parse.ts";
import type { Role } from "../../model.ts";
import { asKind, type EntityOf } from "../../state/entity.ts";
import type { OrganizationState } from "../../state/organization-state.ts";
import { nameKeyOf } from "../../state/stored-form.ts";
import { effectiveRole, namedArns, principalByArn } from "../../state/trusted-principals.ts";
import { identities } from "../subject.ts";
import {
  attachments,
  boundary,
  type IdentityEntity,
  inline,
  operation,
  type Subject,
} from "./compare-attachments.ts";
import type { DesiredIdentity } from "./desired.ts";
import {
  type CanDeny,
  type Comparison,
  changed,
  type Difference,
  type Impossible,
  source,
  tagDifferences,
} from "./difference.ts";

/** Users, groups, roles and workloads with what is attached to them. */
export const compareIdentities: Comparison<DesiredIdentity> = {
  find: ({ kind, record }, state) => {
    const name = kind === "workload" ? record.spiffeId : record.name;
    return state.named(kind, record.account, nameKeyOf(name));
  },
  differences: (desired, current, state, canDeny) => {
    const entity = current as IdentityEntity | null;
    const subject = subjectOf(desired, entity);
    if (entity === null) return [creation(desired, state, subject)];
    const { kind, record } = desired;
    return [
      ...own(desired, entity, state, subject, canDeny),
      ...attachments(desired, entity, state, subject, canDeny),
      ...inline(kind, record, entity, subject, canDeny),
      ...("tags" in record && "tags" in entity.record
        ? tagDifferences(
            entity.record.tags,
            record.tags,
            { tag: operation(kind, "Tag", ""), untag: operation(kind, "Untag", "") },
            subject,
            "change",
          )
        : []),
      ...boundary(desired, entity, state, subject),
    ];
  },
};

/** The object as an input names it: under its present name, which may be spelled otherwise. */
function subjectOf({ kind, record }: DesiredIdentity, entity: IdentityEntity | null): Subject {
  const { account } = record;
  if (kind === "workload") return { account, spiffeId: record.spiffeId };
  return { account, [identities[kind].nameMember]: entity?.record.name ?? record.name };
}

function creation(
  desired: DesiredIdentity,
  state: OrganizationState,
  subject: Subject,
): Difference {
  const { kind, record, boundaryArn } = desired;
  const created = { field: "", before: null, after: record.arn, phase: "create" } as const;
  const create = operation(kind, "Create", "");
  if (kind === "group") {
    return { ...created, operation: create, input: { ...subject, path: record.path } };
  }
  const common = { ...subject, permissionsBoundary: boundaryArn, tags: record.tags };
  if (kind === "workload") {
    return { ...created, operation: create, input: { ...common, name: record.name } };
  }
  const input = { ...common, path: record.path };
  if (kind === "user") return { ...created, operation: create, input };
  const trust = namesWhoIsMissing(record, state) ? trustsNobody : record.trustPolicy.text;
  return {
    ...created,
    operation: create,
    input: {
      ...input,
      assumeRolePolicyDocument: source(trust),
      description: null,
      maxSessionDuration: record.maxSessionSeconds,
      sessionBinding: record.sessionBinding,
    },
  };
}

/** Roles may trust each other: until all are there, one of them trusts nobody. */
const trustsNobody =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}';

function namesWhoIsMissing({ trustPolicy }: Role, state: OrganizationState): boolean {
  const loaded = parsePolicyDocument(trustPolicy.text, "trust");
  return loaded.ok && namedArns(loaded.value).some((arn) => principalByArn(state, arn) === null);
}

/** Members that belong to one kind. */
function own(
  desired: DesiredIdentity,
  entity: IdentityEntity,
  state: OrganizationState,
  subject: Subject,
  canDeny: CanDeny,
): readonly (Difference | Impossible)[] {
  const update = operation(desired.kind, "Update", "");
  const none = { ...subject, expectedRevision: null };
  const stateOf = (wanted: string): "restrict" | "release" =>
    wanted === "disabled" ? "restrict" : "release";
  if (desired.kind === "user" && entity.kind === "user") {
    const { name, path, state: active } = desired.record;
    const before = entity.record;
    const same = { ...none, newUserName: null, newPath: null, state: null };
    const at = { operation: update, phase: "change" } as const;
    return [
      ...changed(before.name, name, {
        ...at,
        field: "metadata.name",
        input: { ...same, newUserName: name },
      }),
      ...changed(before.path, path, {
        ...at,
        field: "metadata.path",
        input: { ...same, newPath: path },
      }),
      ...changed(before.state, active, {
        operation: update,
        phase: stateOf(active),
        field: "spec.state",
        input: { ...same, state: active },
      }),
      ...memberships(desired, entity, state, canDeny),
    ];
  }
  if (desired.kind === "group" && entity.kind === "group") {
    const { name, path } = desired.record;
    const same = { ...none, newGroupName: null, newPath: null };
    const at = { operation: update, phase: "change" } as const;
    const { name: oldName, path: oldPath } = entity.record;
    return [
      ...changed(oldName, name, {
        ...at,
        field: "metadata.name",
        input: { ...same, newGroupName: name },
      }),
      ...changed(oldPath, path, {
        ...at,
        field: "metadata.path",
        input: { ...same, newPath: path },
      }),
    ];
  }
  if (desired.kind === "workload" && entity.kind === "workload") {
    const { name, state: active } = desired.record;
    const same = { ...none, name: null, state: null };
    return [
      ...changed(entity.record.name, name, {
        operation: update,
        phase: "change",
        field: "metadata.name",
        input: { ...same, name },
      }),
      ...changed(entity.record.state, active, {
        operation: update,
        phase: stateOf(active),
        field: "spec.state",
        input: { ...same, state: active },
      }),
    ];
  }
  return desired.kind === "role" && entity.kind === "role"
    ? ownOfRole(desired.record, entity, state, subject)
    : [];
}

function ownOfRole(
  wanted: Role,
  entity: EntityOf<"role">,
  state: OrganizationState,
  subject: Subject,
): readonly (Difference | Impossible)[] {
  const before = entity.record;
  if (before.arn !== wanted.arn) {
    const field = before.name === wanted.name ? "metadata.path" : "metadata.name";
    const impossible = `the role is ${before.arn}: neither its path nor the spelling of its name can be changed, delete it first`;
    return [{ impossible, field }];
  }
  const same = {
    ...subject,
    expectedRevision: null,
    description: null,
    maxSessionDuration: null,
    sessionBinding: null,
    state: null,
  };
  const update = { operation: "iam:UpdateRole" } as const;
  const trust = effectiveRole(state, entity).trustPolicy.text;
  const after = wanted.trustPolicy.text;
  return [
    ...changed(before.maxSessionSeconds, wanted.maxSessionSeconds, {
      ...update,
      phase: "change",
      field: "spec.maxSessionDuration",
      input: { ...same, maxSessionDuration: wanted.maxSessionSeconds },
    }),
    ...changed(before.sessionBinding, wanted.sessionBinding, {
      ...update,
      phase: "change",
      field: "spec.sessionBinding",
      input: { ...same, sessionBinding: wanted.sessionBinding },
    }),
    ...changed(before.state, wanted.state, {
      ...update,
      phase: wanted.state === "disabled" ? "restrict" : "release",
      field: "spec.state",
      input: { ...same, state: wanted.state },
    }),
    ...changed(trust, after, {
      operation: "iam:UpdateAssumeRolePolicy",
      phase: "change",
      field: "spec.assumeRolePolicyDocument",
      input: { ...subject, expectedRevision: null, policyDocument: source(after) },
    }),
  ];
}

function memberships(
  { record, groupNames }: DesiredIdentity,
  entity: EntityOf<"user">,
  state: OrganizationState,
  canDeny: CanDeny,
): readonly Difference[] {
  const groups = entity.record.groupIds.map((id) => asKind(state.get(id), "group"));
  const present = groups.filter((group) => group !== null);
  const keys = new Set(present.map(({ nameKey }) => nameKey));
  const wanted = new Set(groupNames.map(nameKeyOf));
  const input = (groupName: string) => ({
    account: record.account,
    groupName,
    userName: entity.record.name,
    expectedRevision: null,
  });
  const field = "spec.groups";
  return [
    ...present
      .filter(({ nameKey }) => !wanted.has(nameKey))
      .map(
        (group): Difference => ({
          phase: groupDenies(group, state, canDeny) ? "release" : "restrict",
          operation: "iam:RemoveUserFromGroup",
          input: input(group.record.name),
          field,
          before: group.record.name,
          after: null,
        }),
      ),
    ...groupNames
      .filter((name) => !keys.has(nameKeyOf(name)))
      .map(
        (name): Difference => ({
          phase: "change",
          operation: "iam:AddUserToGroup",
          input: input(name),
          field,
          before: null,
          after: name,
        }),
      ),
  ];
}

function groupDenies(
  { record }: EntityOf<"group">,
  state: OrganizationState,
  canDeny: CanDeny,
): boolean {
  const attached = record.attachedPolicyIds.map((id) => asKind(state.get(id), "managedPolicy"));
  const texts = attached.map((policy) => policy?.record.policy.text ?? "");
  return [...texts, ...record.inlinePolicies.map(({ text }) => text)].some(canDeny);
}
