import { quote } from "../../../iam/problem.ts";
import { compareText } from "../compare-text.ts";
import { accountId, displayName, unitName } from "../shape/names.ts";
import { text } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags as tagsShape } from "../shape/tags.ts";
import type { EntityOf } from "../state/entity.ts";
import {
  entitiesOf,
  type OrganizationState,
  organizationOf,
  type StateChange,
} from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnFacts, arnOf, organizationsArn } from "./arn-of.ts";
import { checkRoom } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import { done, type Operation, type OperationContext, type Success } from "./operation.ts";
import { mergedTags, tagKeyList, withoutTags } from "./principal-facts.ts";
import { question, requestTags, tagKeys } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, store, withRecord } from "./store-entity.ts";
import { identified, type Subject } from "./subject.ts";
import { tagsMember } from "./users-and-groups.ts";

export const unitId = text("the id of a root or OU", /^(r-[a-z0-9]{4,32}|ou-[a-z0-9-]{9,68})$/, 71);
const newUnitId = text("an id like `ou-ab12-prod00001`", /^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$/, 68);
const organizationId = text("an organization id like `o-acme123456`", /^o-[a-z0-9]{10,32}$/, 34);
const rootId = text("a root id like `r-ab12`", /^r-[a-z0-9]{4,32}$/, 34);
const email = text("an address", /^[^\p{C}\p{Z}@]+@[^\p{C}\p{Z}@]+$/u, 64);

const createOrganization = operation({
  name: "CreateOrganization",
  service: "organizations",
  members: {
    name: required(displayName, "For people."),
    managementAccountId: required(accountId, "The account that owns it; made with it."),
    id: optional(
      organizationId,
      null,
      "Absent: a new one. Stated, to keep an id that policies name.",
    ),
    rootId: optional(rootId, null, "Absent: a new one."),
  },
  questions: (input) => [
    question("organizations:CreateOrganization", "*", input.managementAccountId),
  ],
  run: (input, context) => {
    const { name, managementAccountId } = input;
    if (context.state.named("organization", "", "org") !== undefined) {
      return refuse("EntityAlreadyExists", "there is an organization already");
    }
    const id = input.id ?? context.newId("organization");
    const root = input.rootId ?? `r-${context.newId("organizationalUnit").slice(3, 11)}`;
    const organization = { id, rootId: root, name, managementAccountId };
    return storeAll(context, [
      newEntity(context, "organization", organization, { partition: context.partition }),
      newEntity(context, "organizationalUnit", { id: root, name: "Root", parentId: null }, {}),
      newEntity(context, "account", accountRecord(managementAccountId, name, root), {}),
    ]);
  },
});

function accountRecord(id: string, name: string, parentId: string) {
  const tags: ReadonlyMap<string, string> = new Map();
  return { id, name, parentId, email: "", tags, state: "active" } as const;
}

/** Returns the success that stores all of `entities`. */
function storeAll(
  context: OperationContext,
  entities: readonly Parameters<typeof store>[1][],
  answer: Readonly<Record<string, unknown>> = {},
): Success | Refusal {
  const changes: StateChange[] = [];
  for (const entity of entities) {
    const change = store(context, entity);
    if (isRefused(change)) return change;
    changes.push(change);
  }
  return done(changes, answer);
}

/**
 * Returns the record of FullAWSAccess with `target` on its list, for a new target, as at AWS; nothing
 * while it is attached everywhere and so has no record (FILE-25).
 */
function withFullAccess(
  state: OrganizationState,
  target: string,
): readonly EntityOf<"serviceControlPolicy">[] {
  for (const policy of entitiesOf(state.all("serviceControlPolicy"), "serviceControlPolicy")) {
    if (policy.record.policy !== null) continue;
    const targetIds = [...policy.record.targetIds, target].sort(compareText);
    return [withRecord(policy, { targetIds })];
  }
  return [];
}

/** Returns the root or OU of an id, or `NoSuchEntity`. */
export function unit(
  state: OrganizationState,
  id: string,
): EntityOf<"organizationalUnit"> | Refusal {
  return identified(state, "organizationalUnit", id, "root or organizational unit");
}

/** Returns the steps from a unit up to the root, the unit first; a cycle ends it. */
export function unitChain(state: OrganizationState, id: string): readonly string[] {
  const chain: string[] = [];
  let step: string | null = id;
  while (step !== null && !chain.includes(step)) {
    chain.push(step);
    const found = state.get(step);
    step = found?.kind === "organizationalUnit" ? found.record.parentId : null;
  }
  return chain;
}

const unitSubject: Subject<"organizationalUnit"> = {
  kind: "organizationalUnit",
  members: { organizationalUnitId: required(unitId, "The unit.") },
  find: (input, { state }) => unit(state, String(input.organizationalUnitId)),
  arn: (input, { state }) =>
    organizationsArn(arnFacts(state), "ou", String(input.organizationalUnitId)),
  account: (_input, { state }) => arnFacts(state).managementAccount,
};

const createOrganizationalUnit = operation({
  name: "CreateOrganizationalUnit",
  service: "organizations",
  members: {
    parentId: required(unitId, "The root or a unit."),
    name: required(unitName, "Unique under its parent, ignoring case."),
    id: optional(newUnitId, null, "Absent: a new one. Stated, to keep an id that policies name."),
  },
  questions: (input, { state }) => {
    const facts = arnFacts(state);
    const type = input.parentId.startsWith("r-") ? "root" : "ou";
    const arn = organizationsArn(facts, type, input.parentId);
    return [question("organizations:CreateOrganizationalUnit", arn, facts.managementAccount)];
  },
  run: (input, context) => {
    const { state, quotas } = context;
    const { parentId, name } = input;
    const parent = unit(state, parentId);
    if (isRefused(parent)) return parent;
    const full = checkRoom(context, {
      kind: "organizationalUnit",
      account: "",
      name: `${parentId}/${name}`,
      max: quotas.organizationalUnits,
      title: "organizational unit",
    });
    if (full !== null) return full;
    const depth = unitChain(state, parentId).length;
    if (depth > quotas.organizationalUnitDepth) {
      const message = `expected units nested at most ${quotas.organizationalUnitDepth} deep, got ${depth}`;
      return refuse("LimitExceeded", message, { field: "parentId" });
    }
    const root = organizationOf(state)?.record.rootId ?? "r-none";
    const id = input.id ?? `ou-${root.slice(2)}-${context.newId("organizationalUnit").slice(3)}`;
    if (state.get(id) !== undefined) {
      return refuse("EntityAlreadyExists", `the id ${quote(id)} is taken`, { field: "id" });
    }
    const made = newEntity(context, "organizationalUnit", { id, name, parentId }, {});
    const answer = { organizationalUnit: { id, name, arn: arnOf(state, made) } };
    return storeAll(context, [made, ...withFullAccess(state, id)], answer);
  },
});

const updateOrganizationalUnit = mutation({
  name: "UpdateOrganizationalUnit",
  service: "organizations",
  subject: unitSubject,
  members: { name: required(unitName, "Unique under its parent, ignoring case.") },
  change: (entity, input, { state }) => {
    const { parentId } = entity.record;
    if (parentId === null) return refuse("ValidationError", "the root has no other name");
    const taken = state.named("organizationalUnit", "", nameKeyOf(`${parentId}/${input.name}`));
    if (taken !== undefined && taken.id !== entity.id) {
      const message = `the unit ${quote(input.name)} exists already`;
      return refuse("EntityAlreadyExists", message, { resource: arnOf(state, taken) });
    }
    return withRecord(entity, { name: input.name });
  },
});

const deleteOrganizationalUnit = mutation({
  name: "DeleteOrganizationalUnit",
  service: "organizations",
  subject: unitSubject,
  members: {},
  change: (entity, _input, context) => {
    const { state } = context;
    const resource = arnOf(state, entity);
    if (entity.record.parentId === null) {
      return refuse("ValidationError", "the root cannot be deleted", { resource });
    }
    // An empty unit binds nobody, so its policies are detached with it, as at AWS.
    const detached: EntityOf<"serviceControlPolicy" | "resourceControlPolicy">[] = [];
    for (const id of state.referrers(entity.id)) {
      const from = state.get(id);
      if (from?.kind === "serviceControlPolicy" || from?.kind === "resourceControlPolicy") {
        const targetIds = from.record.targetIds.filter((target) => target !== entity.id);
        detached.push({ ...from, record: { ...from.record, targetIds } });
        continue;
      }
      const message = "accounts or units are in it: move or delete them first";
      return refuse("DeleteConflict", message, { resource });
    }
    const changes = storeAll(context, detached);
    if (isRefused(changes)) return changes;
    return done([...changes.changes, { type: "remove", id: entity.id }]);
  },
});

export const accountSubject: Subject<"account"> = {
  kind: "account",
  members: { accountId: required(accountId, "The account.") },
  find: (input, { state }) => identified(state, "account", String(input.accountId), "account"),
  arn: (input, { state }) => organizationsArn(arnFacts(state), "account", String(input.accountId)),
  account: (_input, { state }) => arnFacts(state).managementAccount,
};

const createAccount = operation({
  name: "CreateAccount",
  service: "organizations",
  members: {
    accountName: required(displayName, "For people."),
    email: optional(email, "", "Whom to write to."),
    accountId: optional(accountId, null, "Absent: a new number. Stated, to keep one that exists."),
    parentId: optional(unitId, null, "Absent: the root."),
    tags: tagsMember,
  },
  questions: (input, { state }) => {
    const account = arnFacts(state).managementAccount;
    return [question("organizations:CreateAccount", "*", account, requestTags(input.tags))];
  },
  run: (input, context) => {
    const { state, quotas } = context;
    const organization = organizationOf(state);
    if (organization === null) return refuse("NoSuchEntity", "there is no organization");
    const parent = unit(state, input.parentId ?? organization.record.rootId);
    if (isRefused(parent)) return parent;
    const id = input.accountId ?? freshNumber(context);
    const full = checkRoom(context, {
      kind: "account",
      account: "",
      name: id,
      max: quotas.accounts,
      title: "account",
    });
    if (full !== null) return full;
    const { email: address, tags } = input;
    const record = { ...accountRecord(id, input.accountName, parent.id), email: address, tags };
    const made = newEntity(context, "account", record, {});
    const answer = { createAccountStatus: { accountId: id, state: "SUCCEEDED" } };
    return storeAll(context, [made, ...withFullAccess(state, id)], answer);
  },
});

/** Ten tries: with a million accounts the first one fails once in 900,000 times. */
function freshNumber({ state, newId }: OperationContext): string {
  let id = newId("account");
  for (let tries = 1; tries < 10 && state.get(id) !== undefined; tries++) id = newId("account");
  return id;
}

const moveAccount = mutation({
  name: "MoveAccount",
  service: "organizations",
  subject: accountSubject,
  members: {
    sourceParentId: required(unitId, "Where it is."),
    destinationParentId: required(unitId, "Where it goes."),
  },
  also: (input, { state }) => {
    const facts = arnFacts(state);
    return [input.sourceParentId, input.destinationParentId].map((id) => {
      const arn = organizationsArn(facts, id.startsWith("r-") ? "root" : "ou", id);
      return question("organizations:MoveAccount", arn, facts.managementAccount);
    });
  },
  change: (account, input, { state }) => {
    const { sourceParentId, destinationParentId } = input;
    if (account.record.parentId !== sourceParentId) {
      const message = `the account is not in ${quote(sourceParentId)}`;
      return refuse("NoSuchEntity", message, { field: "sourceParentId" });
    }
    const parent = unit(state, destinationParentId);
    return isRefused(parent) ? parent : withRecord(account, { parentId: parent.id });
  },
});

const updateAccount = mutation({
  name: "UpdateAccount",
  service: "organizations",
  subject: accountSubject,
  members: {
    accountName: optional(displayName, null, "Absent: as it is."),
    email: optional(email, null, "Absent: as it is."),
  },
  change: (account, input) =>
    withRecord(account, {
      name: input.accountName ?? account.record.name,
      email: input.email ?? account.record.email,
    }),
});

const closeAccount = mutation({
  name: "CloseAccount",
  service: "organizations",
  subject: accountSubject,
  members: {},
  change: (account, _input, { state }) => {
    if (account.id === arnFacts(state).managementAccount) {
      const message = "the management account cannot be closed";
      return refuse("ValidationError", message, { resource: arnOf(state, account) });
    }
    return withRecord(account, { state: "disabled" });
  },
});

const reopenAccount = mutation({
  name: "ReopenAccount",
  service: "organizations",
  subject: accountSubject,
  members: {},
  change: (account) => withRecord(account, { state: "active" }),
});

const tagAccount = mutation({
  name: "TagAccount",
  service: "organizations",
  access: "Tagging",
  subject: accountSubject,
  members: { tags: required(tagsShape, "Tags that are added or replaced.") },
  keys: (input) => requestTags(input.tags),
  change: (account, input) => {
    const merged = mergedTags(account.record.tags, input.tags, account.id);
    return isRefused(merged) ? merged : withRecord(account, { tags: merged });
  },
});

const untagAccount = mutation({
  name: "UntagAccount",
  service: "organizations",
  access: "Tagging",
  subject: accountSubject,
  members: { tagKeys: required(tagKeyList, "Keys of the tags to remove.") },
  keys: (input) => [tagKeys(input.tagKeys)],
  change: (account, input) =>
    withRecord(account, { tags: withoutTags(account.record.tags, input.tagKeys) }),
});

export const organizationOperations: readonly Operation[] = [
  createOrganization,
  createOrganizationalUnit,
  updateOrganizationalUnit,
  deleteOrganizationalUnit,
  createAccount,
  moveAccount,
  updateAccount,
  closeAccount,
  reopenAccount,
  tagAccount,
  untagAccount,
];
