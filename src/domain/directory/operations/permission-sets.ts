import { parseArn } from "../../../iam/arn.ts";
import { quote } from "../../../iam/problem.ts";
import type { PolicyName } from "../document-options.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { accountId, entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record as shapeOfRecord } from "../shape/record.ts";
import { text, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags as tagsShape } from "../shape/tags.ts";
import { asKind, type EntityOf } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { principalByArn } from "../state/trusted-principals.ts";
import { arnFacts, organizationsArn, permissionSetArn } from "./arn-of.ts";
import { checkAccount, checkRoom, checkTitle, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import { done, type Operation, type OperationContext, type Success } from "./operation.ts";
import { mergedTags, tagKeyList, withoutTags } from "./principal-facts.ts";
import { draftWith, provision, provisionedRole, provisionedRoleName } from "./provisioning.ts";
import { question, requestTags, tagKeys } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { descriptionMember } from "./roles-and-workloads.ts";
import { newEntity, store, withRecord } from "./store-entity.ts";
import { identified, type Subject } from "./subject.ts";
import { tagsMember } from "./users-and-groups.ts";
import { describeTags } from "./views.ts";

type PermissionSetEntity = EntityOf<"permissionSet">;

const setArn = text(
  "the ARN of a permission set",
  /^arn:[a-z0-9-]+:sso:::permissionSet\/[a-z0-9-]+\/ps-[a-z0-9]+$/,
  256,
);
const duration = text("a duration from `PT1H` to `PT12H`", /^PT([1-9]|1[0-2])H$/, 5);
const policyReference = shapeOfRecord({
  name: required(entityName(128), "Name of a managed policy of each target account."),
  path: optional(text("a path", /^\/([!-~]*\/)?$/, 512), "/", "Its path."),
});

function secondsOf(written: string): number {
  return Number(written.slice(2, -1)) * 3600;
}

/** The subject of operations on a permission set. */
export const permissionSetSubject: Subject<"permissionSet"> = {
  kind: "permissionSet",
  members: { permissionSetArn: required(setArn, "The permission set.") },
  find: (input, { state }) => permissionSetByArn(state, String(input.permissionSetArn)),
  arn: (input) => String(input.permissionSetArn),
  account: (_input, { state }) => arnFacts(state).managementAccount,
};

function permissionSetByArn(state: OrganizationState, arn: string): PermissionSetEntity | Refusal {
  const id = arn.slice(arn.lastIndexOf("/") + 1);
  if (permissionSetArn(arnFacts(state), id) !== arn) {
    return refuse("NoSuchEntity", `no permission set ${quote(arn)}`, { resource: arn });
  }
  return identified(state, "permissionSet", id, "permission set");
}

const createPermissionSet = operation({
  name: "CreatePermissionSet",
  service: "sso",
  access: "Permissions management",
  members: {
    name: required(entityName(32), "Unique in the organization, ignoring case."),
    sessionDuration: optional(duration, "PT1H", "Length of a session."),
    description: descriptionMember,
    tags: tagsMember,
  },
  questions: (input, { state }) => {
    const account = arnFacts(state).managementAccount;
    return [question("sso:CreatePermissionSet", "*", account, requestTags(input.tags))];
  },
  run: (input, context) => {
    const { name, tags } = input;
    const max = context.quotas.permissionSets;
    const room = {
      kind: "permissionSet",
      account: "",
      name,
      max,
      title: "permission set",
    } as const;
    const full = checkRoom(context, room);
    if (full !== null) return full;
    const made = newEntity(
      context,
      "permissionSet",
      {
        id: context.newId("permissionSet"),
        name,
        sessionSeconds: secondsOf(input.sessionDuration),
        managedPolicies: [],
        inlinePolicy: null,
        permissionsBoundary: null,
        tags,
      },
      {},
      input.description ?? "",
    );
    return stored(context, made, { permissionSet: describePermissionSet(context.state, made) });
  },
});

/** Returns a permission set as Identity Center shows it. */
export function describePermissionSet(
  state: OrganizationState,
  { record, description, createdAtMs, modRevision }: PermissionSetEntity,
): Readonly<Record<string, unknown>> {
  const { permissionsBoundary: boundary } = record;
  return {
    permissionSetArn: permissionSetArn(arnFacts(state), record.id),
    name: record.name,
    description,
    sessionDuration: `PT${record.sessionSeconds / 3600}H`,
    customerManagedPolicyReferences: record.managedPolicies,
    inlinePolicy: record.inlinePolicy ?? "",
    permissionsBoundary: boundary === null ? null : { customerManagedPolicyReference: boundary },
    tags: describeTags(record.tags),
    createdDate: createdAtMs,
    revision: modRevision,
  };
}

/** Returns the success that stores a set and brings its roles up to date, in one commit. */
function storeSet(context: OperationContext, set: PermissionSetEntity): Success | Refusal {
  const change = store(context, set);
  if (isRefused(change)) return change;
  const draft = draftWith(context, [change]);
  const current = asKind(draft.get(set.id), "permissionSet") ?? set;
  return provision(context, draft, current) ?? done(draft.changes());
}

const common = {
  service: "sso",
  access: "Permissions management",
  subject: permissionSetSubject,
} as const;

const updatePermissionSet = mutation({
  ...common,
  name: "UpdatePermissionSet",
  members: {
    description: descriptionMember,
    sessionDuration: optional(duration, null, "Absent: as it is."),
  },
  change: (set, input, context) => {
    const { sessionDuration: written } = input;
    const sessionSeconds = written === null ? set.record.sessionSeconds : secondsOf(written);
    const next = withRecord(set, { sessionSeconds });
    return storeSet(context, { ...next, description: input.description ?? set.description });
  },
});

const putInline = mutation({
  ...common,
  name: "PutInlinePolicyToPermissionSet",
  members: { inlinePolicy: required(policy("identity"), "The policy, as JSON text.") },
  change: (set, input, context) => {
    const { text: inlinePolicy } = input.inlinePolicy;
    const max = context.quotas.permissionSetInlineCharacters;
    const characters = countWithoutWhiteSpace(inlinePolicy);
    if (characters > max) {
      const message = `expected at most ${max} characters, got ${characters}`;
      return refuse("LimitExceeded", message, { field: "inlinePolicy" });
    }
    return storeSet(context, withRecord(set, { inlinePolicy }));
  },
});

const deleteInline = mutation({
  ...common,
  name: "DeleteInlinePolicyFromPermissionSet",
  members: {},
  change: (set, _input, context) =>
    set.record.inlinePolicy === null
      ? refuse("NoSuchEntity", "no inline policy")
      : storeSet(context, withRecord(set, { inlinePolicy: null })),
});

const reference = {
  customerManagedPolicyReference: required(policyReference, "A policy of each target account."),
};

function sameReference(a: PolicyName, b: PolicyName): boolean {
  return a.name === b.name && a.path === b.path;
}

const attachReference = mutation({
  ...common,
  name: "AttachCustomerManagedPolicyReferenceToPermissionSet",
  members: reference,
  change: (set, input, context) => {
    const added = input.customerManagedPolicyReference;
    const { managedPolicies } = set.record;
    if (managedPolicies.some((one) => sameReference(one, added))) return done([]);
    const max = context.quotas.managedPoliciesPerPermissionSet;
    if (managedPolicies.length >= max) {
      return refuse("LimitExceeded", `expected at most ${max} managed policies`);
    }
    return storeSet(context, withRecord(set, { managedPolicies: [...managedPolicies, added] }));
  },
});

const detachReference = mutation({
  ...common,
  name: "DetachCustomerManagedPolicyReferenceFromPermissionSet",
  members: reference,
  change: (set, input, context) => {
    const gone = input.customerManagedPolicyReference;
    const { managedPolicies: before } = set.record;
    const managedPolicies = before.filter((one) => !sameReference(one, gone));
    if (managedPolicies.length === before.length) {
      return refuse("NoSuchEntity", `${quote(gone.path + gone.name)} is not attached`);
    }
    return storeSet(context, withRecord(set, { managedPolicies }));
  },
});

const putBoundary = mutation({
  ...common,
  name: "PutPermissionsBoundaryToPermissionSet",
  members: {
    permissionsBoundary: required(shapeOfRecord(reference), "The boundary of the roles."),
  },
  change: (set, input, context) => {
    const { customerManagedPolicyReference: permissionsBoundary } = input.permissionsBoundary;
    return storeSet(context, withRecord(set, { permissionsBoundary }));
  },
});

const deleteBoundary = mutation({
  ...common,
  name: "DeletePermissionsBoundaryFromPermissionSet",
  members: {},
  change: (set, _input, context) =>
    set.record.permissionsBoundary === null
      ? refuse("NoSuchEntity", "no permissions boundary")
      : storeSet(context, withRecord(set, { permissionsBoundary: null })),
});

const tagPermissionSet = mutation({
  ...common,
  access: "Tagging",
  name: "TagPermissionSet",
  members: { tags: required(tagsShape, "Tags that are added or replaced.") },
  keys: (input) => requestTags(input.tags),
  change: (set, input) => {
    const merged = mergedTags(set.record.tags, input.tags, set.id);
    return isRefused(merged) ? merged : withRecord(set, { tags: merged });
  },
});

const untagPermissionSet = mutation({
  ...common,
  access: "Tagging",
  name: "UntagPermissionSet",
  members: { tagKeys: required(tagKeyList, "Keys of the tags to remove.") },
  keys: (input) => [tagKeys(input.tagKeys)],
  change: (set, input) => withRecord(set, { tags: withoutTags(set.record.tags, input.tagKeys) }),
});

const deletePermissionSet = mutation({
  ...common,
  name: "DeletePermissionSet",
  members: {},
  change: (set, _input, context) => removed(context, set),
});

const assignmentMembers = {
  principalType: required(word("USER", "GROUP"), "What `principalId` names."),
  principalId: required(
    text(
      "the ARN of a user or group",
      /^arn:[a-z0-9-]+:iam::[0-9]{12}:(user|group)\/[!-~]+$/,
      2048,
    ),
    "ARN of the user or group, of any account.",
  ),
  targetType: required(word("AWS_ACCOUNT"), "`AWS_ACCOUNT`."),
  targetId: required(accountId, "The account in which the permissions hold."),
};

interface AssignmentInput {
  readonly principalType: "USER" | "GROUP";
  readonly principalId: string;
  readonly targetId: string;
}

function aboutAccount(action: string) {
  return (input: { readonly targetId?: unknown }, { state }: OperationContext) => {
    const facts = arnFacts(state);
    const arn = organizationsArn(facts, "account", String(input.targetId));
    return [question(action, arn, facts.managementAccount)];
  };
}

/** Returns the user or group of an ARN, or `NoSuchEntity`. */
function assignee(
  state: OrganizationState,
  { principalType, principalId: arn }: AssignmentInput,
): EntityOf<"user" | "group"> | Refusal {
  const user = principalType === "USER" ? principalByArn(state, arn) : groupByArn(state, arn);
  if (user?.kind === "user" || user?.kind === "group") return user;
  const what = principalType.toLowerCase();
  return refuse("NoSuchEntity", `no ${what} ${quote(arn)}`, {
    resource: arn,
    field: "principalId",
  });
}

function groupByArn(state: OrganizationState, arn: string): EntityOf<"group"> | null {
  const parsed = parseArn(arn);
  if (!parsed.ok) return null;
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  const found = asKind(state.named("group", parsed.value.account, nameKeyOf(name)), "group");
  return found?.record.arn === arn ? found : null;
}

const createAssignment = mutation({
  ...common,
  name: "CreateAccountAssignment",
  members: {
    ...assignmentMembers,
    name: optional(entityName(128), "", "Its name in documents."),
  },
  also: aboutAccount("sso:CreateAccountAssignment"),
  change: (set, input, context) => {
    const { state, quotas } = context;
    const { targetId, principalType, name } = input;
    const principal = assignee(state, input);
    if (isRefused(principal)) return principal;
    const refused = checkAccount(state, targetId);
    if (refused !== null) return refused;
    const key = `${set.id}/${targetId}/${principal.id}`;
    const full = checkRoom(context, {
      kind: "permissionSetAssignment",
      account: "",
      name: key,
      max: quotas.permissionSetAssignments,
      title: "assignment",
    });
    const taken = full ?? checkTitle(state, "permissionSetAssignment", "", name);
    if (taken !== null) return taken;
    // The role first: the assignment refers to it.
    const role = provisionedRole(context, state, set, targetId, [principal.id]);
    if (isRefused(role)) return role;
    const roleChange = store(context, role);
    if (isRefused(roleChange)) return roleChange;
    const assignment = newEntity(
      context,
      "permissionSetAssignment",
      {
        id: context.newId("permissionSetAssignment"),
        name,
        permissionSetId: set.id,
        principalType,
        principalId: principal.id,
        targetId,
        roleId: role.id,
      },
      {},
    );
    const change = store(context, assignment);
    if (isRefused(change)) return change;
    const draft = draftWith(context, [roleChange, change]);
    const failed = provision(context, draft, set);
    const answer = { accountAssignmentCreationStatus: { status: "SUCCEEDED" } };
    return failed ?? done(draft.changes(), answer);
  },
});

const deleteAssignment = mutation({
  ...common,
  name: "DeleteAccountAssignment",
  members: assignmentMembers,
  also: aboutAccount("sso:DeleteAccountAssignment"),
  change: (set, input, context) => {
    const { state } = context;
    const principal = assignee(state, input);
    if (isRefused(principal)) return principal;
    const key = nameKeyOf(`${set.id}/${input.targetId}/${principal.id}`);
    const found = state.named("permissionSetAssignment", "", key);
    if (found === undefined) return refuse("NoSuchEntity", "no such assignment");
    const draft = draftWith(context, [{ type: "remove", id: found.id }]);
    return provision(context, draft, set) ?? done(draft.changes());
  },
});

/** Returns an assignment as Identity Center shows it. */
export function describeAssignment(
  state: OrganizationState,
  { record }: EntityOf<"permissionSetAssignment">,
): Readonly<Record<string, unknown>> {
  const { name, permissionSetId, principalType, principalId, targetId } = record;
  const principal = state.get(principalId);
  const arn =
    principal?.kind === "user" || principal?.kind === "group" ? principal.record.arn : principalId;
  const set = asKind(state.get(permissionSetId), "permissionSet");
  return {
    name,
    permissionSetArn: permissionSetArn(arnFacts(state), permissionSetId),
    principalType,
    principalId: arn,
    accountId: targetId,
    roleName: set === null ? null : provisionedRoleName(set, targetId),
  };
}

export const permissionSetOperations: readonly Operation[] = [
  createPermissionSet,
  updatePermissionSet,
  putInline,
  deleteInline,
  attachReference,
  detachReference,
  putBoundary,
  deleteBoundary,
  tagPermissionSet,
  untagPermissionSet,
  deletePermissionSet,
  createAssignment,
  deleteAssignment,
];
