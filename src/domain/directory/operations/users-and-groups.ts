import { quote } from "../../../iam/problem.ts";
import { compareText } from "../compare-text.ts";
import { entityName, path as pathShape } from "../shape/names.ts";
import { word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags as tagsShape } from "../shape/tags.ts";
import { asKind, type EntityOf } from "../state/entity.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnOf, arnOfName } from "./arn-of.ts";
import { checkBare, checkRoom, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import {
  done,
  type Operation,
  type OperationContext,
  type Question,
  type Success,
} from "./operation.ts";
import { draftWith, provisionFor } from "./provisioning.ts";
import { one, question, requestTags } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, store, withRecord } from "./store-entity.ts";
import { accountMember, accountOf, identity, named, ownPolicy, policyArn } from "./subject.ts";
import { describeGroup, describeUser } from "./views.ts";

export const pathMember = optional(pathShape, "/", "Absent: `/`.");
export const tagsMember = optional(tagsShape, new Map<string, string>(), "Tags.");
export const boundaryMember = optional(
  policyArn,
  null,
  "A managed policy of the own account that bounds what the others allow.",
);
export const stateMember = optional(
  word("active", "disabled"),
  null,
  "`disabled` denies every kind of credential.",
);

/** Returns the id of the boundary that an input names: null for none. */
export function boundaryId(
  { state }: OperationContext,
  arn: string | null,
  account: string,
): string | null | Refusal {
  if (arn === null) return null;
  const found = ownPolicy(state, arn, account);
  return isRefused(found) ? found : found.id;
}

/** Returns the keys and questions of what a new principal brings with it. */
export function creationKeys(input: {
  readonly permissionsBoundary: string | null;
  readonly tags: ReadonlyMap<string, string>;
}) {
  const boundary = input.permissionsBoundary;
  return [
    ...requestTags(input.tags),
    ...(boundary === null ? [] : [one("iam:PermissionsBoundary", boundary)]),
  ];
}

/** Returns what is asked before a user or role is made: whether it may be, and with these tags. */
export function creationQuestions(
  kind: "User" | "Role",
  input: Parameters<typeof creationKeys>[0] & Parameters<typeof accountOf>[0] & { path: string },
  name: string,
  context: OperationContext,
): readonly Question[] {
  const account = accountOf(input, context);
  const type = kind === "User" ? "user" : "role";
  const arn = arnOfName(context.state, account, type, input.path, name);
  const keys = creationKeys(input);
  const made = question(`iam:Create${kind}`, arn, account, keys);
  return input.tags.size === 0 ? [made] : [made, question(`iam:Tag${kind}`, arn, account, keys)];
}

const createUser = operation({
  name: "CreateUser",
  service: "iam",
  members: {
    account: accountMember,
    userName: required(entityName(64), "Unique in the account, ignoring case."),
    path: pathMember,
    permissionsBoundary: boundaryMember,
    tags: tagsMember,
  },
  questions: (input, context) => creationQuestions("User", input, input.userName, context),
  run: (input, context) => {
    const account = accountOf(input, context);
    const { userName: name, path, tags } = input;
    const max = context.quotas.usersPerAccount;
    const full = checkRoom(context, { kind: "user", account, name, max, title: "user" });
    if (full !== null) return full;
    const boundary = boundaryId(context, input.permissionsBoundary, account);
    if (isRefused(boundary)) return boundary;
    const user = newEntity(
      context,
      "user",
      {
        id: context.newId("user"),
        account,
        name,
        path,
        arn: arnOfName(context.state, account, "user", path, name),
        groupIds: [],
        attachedPolicyIds: [],
        inlinePolicies: [],
        permissionsBoundaryId: boundary,
        tags,
        state: "active",
      },
      { sessionsValidFrom: null },
    );
    return stored(context, user, { user: describeUser(context.state, user) });
  },
});

const createGroup = operation({
  name: "CreateGroup",
  service: "iam",
  members: {
    account: accountMember,
    groupName: required(entityName(128), "Unique in the account, ignoring case."),
    path: pathMember,
  },
  questions: (input, context) => {
    const account = accountOf(input, context);
    const arn = arnOfName(context.state, account, "group", input.path, input.groupName);
    return [question("iam:CreateGroup", arn, account)];
  },
  run: (input, context) => {
    const account = accountOf(input, context);
    const { groupName: name, path } = input;
    const max = context.quotas.groupsPerAccount;
    const full = checkRoom(context, { kind: "group", account, name, max, title: "group" });
    if (full !== null) return full;
    const arn = arnOfName(context.state, account, "group", path, name);
    const id = context.newId("group");
    const record = { id, account, name, path, arn, attachedPolicyIds: [], inlinePolicies: [] };
    const group = newEntity(context, "group", record, {});
    return stored(context, group, { group: describeGroup(group) });
  },
});

/** Returns the entity under another name or path, its inline policies with it. */
function renamed<E extends EntityOf<"user" | "group">>(
  entity: E,
  to: { readonly name: string | null; readonly path: string | null },
  context: OperationContext,
): E | Refusal {
  const { account, kind, record } = entity;
  const name = to.name ?? record.name;
  const path = to.path ?? record.path;
  const taken = context.state.named(kind, account, nameKeyOf(name));
  if (taken !== undefined && taken.id !== entity.id) {
    const message = `the ${kind} ${quote(name)} exists already; names are unique ignoring case`;
    return refuse("EntityAlreadyExists", message, { resource: arnOf(context.state, taken) });
  }
  const arn = arnOfName(context.state, account, kind, path, name);
  const inlinePolicies = record.inlinePolicies.map((policy) => ({
    ...policy,
    id: arn + policy.id.slice(record.arn.length),
  }));
  const members = { name, path, arn, inlinePolicies };
  return withRecord<EntityOf<"user" | "group">>(entity, members) as E;
}

const updateUser = mutation({
  name: "UpdateUser",
  service: "iam",
  subject: identity("user"),
  members: {
    newUserName: optional(entityName(64), null, "Absent: as it is."),
    newPath: optional(pathShape, null, "Absent: as it is."),
    state: stateMember,
  },
  change: (user, input, context) => {
    const next = renamed(user, { name: input.newUserName, path: input.newPath }, context);
    if (isRefused(next)) return next;
    const changed = withRecord(next, { state: input.state ?? user.record.state });
    return following(context, changed, [user.id, ...user.record.groupIds]);
  },
});

const updateGroup = mutation({
  name: "UpdateGroup",
  service: "iam",
  subject: identity("group"),
  members: {
    newGroupName: optional(entityName(128), null, "Absent: as it is."),
    newPath: optional(pathShape, null, "Absent: as it is."),
  },
  change: (group, input, context) =>
    renamed(group, { name: input.newGroupName, path: input.newPath }, context),
});

/** Returns the success that stores a user and brings the roles of permission sets up to date. */
function following(
  context: OperationContext,
  user: EntityOf<"user">,
  principalIds: readonly string[],
): Success | Refusal {
  const change = store(context, user);
  if (isRefused(change)) return change;
  const draft = draftWith(context, [change]);
  const refused = provisionFor(context, draft, principalIds);
  return refused ?? done(draft.changes());
}

const deleteUser = mutation({
  name: "DeleteUser",
  service: "iam",
  subject: identity("user"),
  members: {},
  change: (user, _input, context) => {
    if (user.record.groupIds.length > 0) {
      const message = "the user is in groups: remove it from them first";
      return refuse("DeleteConflict", message, { resource: user.record.arn });
    }
    return checkBare(context.state, user) ?? removed(context, user);
  },
});

const deleteGroup = mutation({
  name: "DeleteGroup",
  service: "iam",
  subject: identity("group"),
  members: {},
  change: (group, _input, context) => checkBare(context.state, group) ?? removed(context, group),
});

const userName = required(entityName(64), "The user.");

const addUserToGroup = mutation({
  name: "AddUserToGroup",
  service: "iam",
  subject: identity("group"),
  members: { userName },
  change: (group, input, context) => {
    const user = named(context.state, "user", group.account, input.userName, "user");
    if (isRefused(user)) return user;
    const { groupIds, arn } = user.record;
    if (groupIds.includes(group.id)) return done([]);
    const max = context.quotas.groupsPerUser;
    if (groupIds.length >= max) {
      return refuse("LimitExceeded", `expected at most ${max} groups`, { resource: arn });
    }
    const ids = [...groupIds, group.id].sort(compareText);
    return following(context, withRecord(user, { groupIds: ids }), [group.id]);
  },
});

const removeUserFromGroup = mutation({
  name: "RemoveUserFromGroup",
  service: "iam",
  subject: identity("group"),
  members: { userName },
  change: (group, input, context) => {
    const user = named(context.state, "user", group.account, input.userName, "user");
    if (isRefused(user)) return user;
    const { groupIds, arn } = user.record;
    if (!groupIds.includes(group.id)) {
      const message = `the user is not in the group ${quote(group.record.name)}`;
      return refuse("NoSuchEntity", message, { resource: arn });
    }
    const ids = groupIds.filter((id) => id !== group.id);
    return following(context, withRecord(user, { groupIds: ids }), [group.id]);
  },
});

/** Returns the members of a group, by name. */
export function membersOf(
  { state }: OperationContext,
  group: EntityOf<"group">,
): readonly EntityOf<"user">[] {
  const members = [...state.referrers(group.id)].map((id) => asKind(state.get(id), "user"));
  return members.filter((user) => user !== null).sort((a, b) => compareText(a.nameKey, b.nameKey));
}

export const userAndGroupOperations: readonly Operation[] = [
  createUser,
  updateUser,
  deleteUser,
  createGroup,
  updateGroup,
  deleteGroup,
  addUserToGroup,
  removeUserFromGroup,
];
