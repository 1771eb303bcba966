import { quote } from "../../../iam/problem.ts";
import type { PolicyName } from "../document-options.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record as shapeOfRecord } from "../shape/record.ts";
import { text } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags as tagsShape } from "../shape/tags.ts";
import { asKind, type EntityOf } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { arnFacts, permissionSetArn } from "./arn-of.ts";
import { checkRoom, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import { done, type Operation, type OperationContext, type Success } from "./operation.ts";
import { mergedTags, tagKeyList, withoutTags } from "./principal-facts.ts";
import { draftWith, provision } from "./provisioning.ts";
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

export const permissionSetCommon = {
  service: "sso",
  access: "Permissions management",
  subject: permissionSetSubject,
} as const;

const updatePermissionSet = mutation({
  ...permissionSetCommon,
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
  ...permissionSetCommon,
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
  ...permissionSetCommon,
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
  ...permissionSetCommon,
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
  ...permissionSetCommon,
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
  ...permissionSetCommon,
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
  ...permissionSetCommon,
  name: "DeletePermissionsBoundaryFromPermissionSet",
  members: {},
  change: (set, _input, context) =>
    set.record.permissionsBoundary === null
      ? refuse("NoSuchEntity", "no permissions boundary")
      : storeSet(context, withRecord(set, { permissionsBoundary: null })),
});

const tagPermissionSet = mutation({
  ...permissionSetCommon,
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
  ...permissionSetCommon,
  access: "Tagging",
  name: "UntagPermissionSet",
  members: { tagKeys: required(tagKeyList, "Keys of the tags to remove.") },
  keys: (input) => [tagKeys(input.tagKeys)],
  change: (set, input) => withRecord(set, { tags: withoutTags(set.record.tags, input.tagKeys) }),
});

const deletePermissionSet = mutation({
  ...permissionSetCommon,
  name: "DeletePermissionSet",
  members: {},
  change: (set, _input, context) => removed(context, set),
});

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
];
