import { parsePolicyDocument } from "../../../iam/policy/parse.ts";
import type { Group, PolicyText, Role, User, Workload } from "../model.ts";
import { type IdentityEntity, identities } from "../operations/subject.ts";
import { asKind } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { namedArns, principalByArn } from "../state/trusted-principals.ts";
import { foreign, missing, type PlanContext, type PlanStep, type Steps, tagSteps } from "./step.ts";

type Wanted =
  | { readonly kind: "user"; readonly record: User }
  | { readonly kind: "group"; readonly record: Group }
  | { readonly kind: "role"; readonly record: Role }
  | { readonly kind: "workload"; readonly record: Workload };

/** Yields what makes groups, users, roles and workloads as `desired` has them. */
export function* identitySteps(context: PlanContext): Steps {
  const { groups, users, roles, workloads } = context.desired;
  const all: readonly Wanted[] = [
    ...groups.map((record) => ({ kind: "group", record }) as const),
    ...users.map((record) => ({ kind: "user", record }) as const),
    ...roles.map((record) => ({ kind: "role", record }) as const),
    ...workloads.map((record) => ({ kind: "workload", record }) as const),
  ];
  // All of them first, so that trust policies and groups find each other whatever the order.
  const created = new Set<Wanted>();
  for (const wanted of all) {
    if (find(context.state, wanted) !== null) continue;
    created.add(wanted);
    yield createStep(context.state, wanted);
  }
  for (const wanted of all) {
    yield* convergeSteps(context, wanted, created.has(wanted) ? "create" : "update");
  }
}

function find(state: OrganizationState, { kind, record }: Wanted): IdentityEntity | null {
  const name = kind === "workload" ? record.spiffeId : record.name;
  return asKind<typeof kind>(state.named(kind, record.account, nameKeyOf(name)), kind);
}

function objectOf({ kind, record }: Wanted): string {
  return `${identities[kind].title} ${record.account}/${record.name}`;
}

function subjectOf({ kind, record }: Wanted): Readonly<Record<string, unknown>> {
  const name = kind === "workload" ? record.spiffeId : record.name;
  return { account: record.account, [identities[kind].nameMember]: name };
}

function operationOf(kind: Wanted["kind"], verb: string, rest = ""): string {
  const { service, title } = identities[kind];
  return `${service}:${verb}${title}${rest}`;
}

/** Everybody is refused by it until those whom the real policy names are there. */
const placeholderTrust =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:*"}]}';

function createStep(state: OrganizationState, wanted: Wanted): PlanStep {
  const { kind, record } = wanted;
  const step = {
    object: objectOf(wanted),
    change: "create",
    operation: operationOf(kind, "Create"),
  } as const;
  const subject = subjectOf(wanted);
  switch (kind) {
    case "user":
    case "group":
      return { ...step, input: { ...subject, path: record.path } };
    case "workload":
      return { ...step, input: { ...subject, name: record.name } };
    case "role": {
      const assumeRolePolicyDocument = namesMissing(state, record.trustPolicy.text)
        ? placeholderTrust
        : record.trustPolicy.text;
      return { ...step, input: { ...subject, path: record.path, assumeRolePolicyDocument } };
    }
  }
}

function namesMissing(state: OrganizationState, text: string): boolean {
  const loaded = parsePolicyDocument(text, "trust");
  return loaded.ok && namedArns(loaded.value).some((arn) => principalByArn(state, arn) === null);
}

function* convergeSteps(context: PlanContext, wanted: Wanted, change: PlanStep["change"]): Steps {
  const { state, manager } = context;
  const found = find(state, wanted);
  if (found === null) return;
  const object = objectOf(wanted);
  if (found.record.arn !== wanted.record.arn && wanted.kind !== "user" && wanted.kind !== "group") {
    yield { object, obstacle: `it is ${found.record.arn}: its name and path never change` };
    return;
  }
  const other = foreign(object, found, manager);
  for (const step of ownSteps(context, wanted, found, { object, change })) {
    if (other !== null) yield other;
    yield step;
  }
}

type Frame = Pick<PlanStep, "object" | "change">;

function* ownSteps(
  context: PlanContext,
  wanted: Wanted,
  found: IdentityEntity,
  step: Frame,
): Steps {
  const { kind, record } = wanted;
  const subject = subjectOf(wanted);
  if ((kind === "user" || kind === "group") && found.record.arn !== record.arn) {
    // Moved first: ids of inline policies follow the path.
    const rename = kind === "user" ? "newUserName" : "newGroupName";
    const input = { ...subject, [rename]: record.name, newPath: record.path };
    yield { ...step, operation: operationOf(kind, "Update"), input };
  }
  if (kind === "user" && found.kind === "user")
    yield* groupSteps(context, record, found.record, step);
  if (kind === "role" && found.kind === "role") {
    if (found.record.trustPolicy.text !== record.trustPolicy.text) {
      const input = { ...subject, policyDocument: record.trustPolicy.text };
      yield { ...step, operation: "iam:UpdateAssumeRolePolicy", input };
    }
    const { maxSessionSeconds: maxSessionDuration, sessionBinding } = record;
    const { maxSessionSeconds, sessionBinding: binding } = found.record;
    if (maxSessionSeconds !== maxSessionDuration || binding !== sessionBinding) {
      const input = { ...subject, maxSessionDuration, sessionBinding };
      yield { ...step, operation: "iam:UpdateRole", input };
    }
  }
  yield* policySteps(context, wanted, found, step);
  if (kind !== "group" && found.kind !== "group") {
    yield* principalSteps(context, wanted, found.record, step);
  }
}

function* groupSteps(
  { desired, state }: PlanContext,
  wanted: User,
  found: User,
  step: Frame,
): Steps {
  const { account, name: userName } = wanted;
  const names = new Map(desired.groups.map(({ id, name }) => [id, name]));
  const nameOf = (id: string) => asKind(state.get(id), "group")?.record.name ?? id;
  const wantedNames = wanted.groupIds.map((id) => names.get(id) ?? id);
  const has = found.groupIds.map(nameOf);
  for (const groupName of missing(wantedNames, has)) {
    yield { ...step, operation: "iam:AddUserToGroup", input: { account, groupName, userName } };
  }
  for (const groupName of missing(has, wantedNames)) {
    yield {
      ...step,
      operation: "iam:RemoveUserFromGroup",
      input: { account, groupName, userName },
    };
  }
}

/** Denials that are added come before grants that are: inline policies are put before all else. */
function* policySteps(
  { desired, state }: PlanContext,
  wanted: Wanted,
  found: IdentityEntity,
  step: Frame,
): Steps {
  const { kind, record } = wanted;
  const subject = subjectOf(wanted);
  const has = inlineOf(found.record);
  const inline = inlineOf(record);
  for (const [policyName, policyDocument] of inline) {
    if (has.get(policyName) === policyDocument) continue;
    const input = { ...subject, policyName, policyDocument };
    yield { ...step, operation: operationOf(kind, "Put", "Policy"), input };
  }
  for (const policyName of missing(has.keys(), inline.keys())) {
    const input = { ...subject, policyName };
    yield { ...step, operation: operationOf(kind, "Delete", "Policy"), input };
  }
  const arns = new Map(desired.managedPolicies.map(({ id, arn }) => [id, arn]));
  const attached = found.record.attachedPolicyIds.map((id) => policyArnOf(state, id));
  const attach = record.attachedPolicyIds.map((id) => arns.get(id) ?? id);
  for (const policyArn of missing(attach, attached)) {
    const input = { ...subject, policyArn };
    yield { ...step, operation: operationOf(kind, "Attach", "Policy"), input };
  }
  for (const policyArn of missing(attached, attach)) {
    const input = { ...subject, policyArn };
    yield { ...step, operation: operationOf(kind, "Detach", "Policy"), input };
  }
}

function inlineOf(record: {
  readonly arn: string;
  readonly inlinePolicies: readonly PolicyText[];
}): ReadonlyMap<string, string> {
  const prefix = record.arn.length + 1;
  return new Map(record.inlinePolicies.map(({ id, text }) => [id.slice(prefix), text]));
}

function policyArnOf(state: OrganizationState, id: string): string {
  return asKind(state.get(id), "managedPolicy")?.record.arn ?? id;
}

/** Yields boundary, tags and state of a user, role or workload. */
function* principalSteps(
  { desired, state }: PlanContext,
  wanted: Exclude<Wanted, { readonly kind: "group" }>,
  found: User | Role | Workload,
  step: Frame,
): Steps {
  const { kind, record } = wanted;
  const subject = subjectOf(wanted);
  const { permissionsBoundaryId: id } = record;
  const boundary = id && (desired.managedPolicies.find((one) => one.id === id)?.arn ?? id);
  const has = found.permissionsBoundaryId && policyArnOf(state, found.permissionsBoundaryId);
  if (boundary !== null && boundary !== has) {
    const input = { ...subject, permissionsBoundary: boundary };
    yield { ...step, operation: operationOf(kind, "Put", "PermissionsBoundary"), input };
  } else if (boundary === null && has !== null) {
    const operation = operationOf(kind, "Delete", "PermissionsBoundary");
    yield { ...step, operation, input: subject };
  }
  const operations = { tag: operationOf(kind, "Tag"), untag: operationOf(kind, "Untag") };
  yield* tagSteps(step, operations, subject, found.tags, record.tags);
  const isRenamed = kind === "workload" && found.name !== record.name;
  if (found.state === record.state && !isRenamed) return;
  const name = isRenamed ? { name: record.name } : {};
  const input = { ...subject, ...name, state: record.state };
  yield { ...step, operation: operationOf(kind, "Update"), input };
}
