import { createHash } from "node:crypto";
import { quote } from "../../../iam/problem.ts";
import { compareText } from "../compare-text.ts";
import type { PolicyName } from "../document-options.ts";
import type { Role } from "../model.ts";
import { Draft } from "../state/draft.ts";
import { asKind, type EntityOf, type StoredRole } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { arnOfName } from "./arn-of.ts";
import type { OperationContext } from "./operation.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, store } from "./store-entity.ts";
import { named } from "./subject.ts";

/**
 * Roles of permission sets (iam-semantics 7.5): one for each set and account that has an assignment, an
 * ordinary role under a reserved path, written in the commit that changes what it follows from.
 */

const path = "/aws-reserved/sso.amazonaws.com/";

/** Returns the name of the role: AWS's form, its digits from the set's unique id and the account. */
export function provisionedRoleName(set: EntityOf<"permissionSet">, account: string): string {
  const digits = createHash("sha256").update(`${set.id}/${account}`, "utf8").digest("hex");
  return `AWSReservedSSO_${set.record.name}_${digits.slice(0, 16)}`;
}

/** Returns the assignments of a set, in one account or in all. */
export function assignmentsOf(
  state: OrganizationState,
  setId: string,
  account: string | null = null,
): readonly EntityOf<"permissionSetAssignment">[] {
  const found: EntityOf<"permissionSetAssignment">[] = [];
  for (const id of state.referrers(setId)) {
    const assignment = asKind(state.get(id), "permissionSetAssignment");
    if (assignment === null) continue;
    if (account === null || assignment.record.targetId === account) found.push(assignment);
  }
  return found.sort((a, b) => compareText(a.id, b.id));
}

/**
 * Returns the role of a set in an account as it has to be for `principalIds`; a new one where there is
 * none. `NoSuchEntity` for a managed policy that the account does not have, `LimitExceeded` for more users
 * than a trust policy can name.
 */
export function provisionedRole(
  context: OperationContext,
  state: OrganizationState,
  set: EntityOf<"permissionSet">,
  account: string,
  principalIds: readonly string[],
): StoredRole | Refusal {
  const attachedPolicyIds: string[] = [];
  for (const reference of set.record.managedPolicies) {
    const id = policyIn(state, account, reference, set);
    if (isRefused(id)) return id;
    attachedPolicyIds.push(id);
  }
  const boundary = set.record.permissionsBoundary;
  const boundaryId = boundary === null ? null : policyIn(state, account, boundary, set);
  if (isRefused(boundaryId)) return boundaryId;
  const name = provisionedRoleName(set, account);
  const known = asKind(state.named("role", account, name.toLowerCase()), "role");
  const arn = arnOfName(state, account, "role", path, name);
  const users = usersOf(state, principalIds);
  const { inlinePolicy, sessionSeconds } = set.record;
  const record: Role = {
    id: known?.id ?? context.newId("role"),
    account,
    name,
    path,
    arn,
    trustPolicy: { id: `${arn}/assumeRolePolicyDocument`, text: trustOf(users), source: null },
    attachedPolicyIds: attachedPolicyIds.sort(compareText),
    inlinePolicies:
      inlinePolicy === null
        ? []
        : [{ id: `${arn}/inlinePolicy`, text: inlinePolicy, source: null }],
    permissionsBoundaryId: boundaryId,
    tags: known?.record.tags ?? new Map(),
    state: known?.record.state ?? "active",
    maxSessionSeconds: sessionSeconds,
    sessionBinding: known?.record.sessionBinding ?? "peer",
    serviceLinked: false,
  };
  const trusted = users.map(({ record: user, id }) => ({ arn: user.arn, id }));
  if (known !== null) return { ...known, record, trusted };
  const extra = { trusted, permissionSetId: set.id, sessionsValidFrom: null };
  return newEntity(context, "role", record, extra);
}

function policyIn(
  state: OrganizationState,
  account: string,
  { name, path: policyPath }: PolicyName,
  set: EntityOf<"permissionSet">,
): string | Refusal {
  const found = named(state, "managedPolicy", account, name, "managed policy");
  if (isRefused(found) && found.code !== "NoSuchEntity") return found;
  if (!isRefused(found) && found.record.name === name && found.record.path === policyPath)
    return found.id;
  const what = `account ${quote(account)} has no managed policy ${quote(policyPath + name)}`;
  const message = `${what}, which the permission set ${quote(set.record.name)} names`;
  return refuse("NoSuchEntity", message);
}

/** Returns the users among `principalIds` and the members of the groups among them, by ARN. */
function usersOf(
  state: OrganizationState,
  principalIds: readonly string[],
): readonly EntityOf<"user">[] {
  const users = new Map<string, EntityOf<"user">>();
  const add = (id: string): void => {
    const user = asKind(state.get(id), "user");
    if (user !== null) users.set(id, user);
  };
  for (const id of principalIds) {
    add(id);
    if (state.get(id)?.kind === "group") for (const member of state.referrers(id)) add(member);
  }
  return [...users.values()].sort((a, b) => compareText(a.record.arn, b.record.arn));
}

/** A role that nobody is assigned to, an empty group, say, trusts nobody. */
function trustOf(users: readonly EntityOf<"user">[]): string {
  const actions = ["sts:AssumeRole", "sts:TagSession"];
  const statement =
    users.length === 0
      ? { Effect: "Deny", Principal: "*", Action: actions }
      : {
          Effect: "Allow",
          Principal: { AWS: users.map(({ record }) => record.arn) },
          Action: actions,
        };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}

/**
 * Brings the roles of a set up to date in `draft`: in one account or in all where it is assigned. A role
 * without an assignment is removed.
 */
export function provision(
  context: OperationContext,
  draft: Draft,
  set: EntityOf<"permissionSet">,
): Refusal | null {
  const byAccount = new Map<string, string[]>();
  for (const { record } of assignmentsOf(draft, set.id)) {
    const principals = byAccount.get(record.targetId);
    if (principals === undefined) byAccount.set(record.targetId, [record.principalId]);
    else principals.push(record.principalId);
  }
  for (const id of [...draft.referrers(set.id)]) {
    const role = asKind(draft.get(id), "role");
    if (role !== null && !byAccount.has(role.account)) draft.apply([{ type: "remove", id }]);
  }
  for (const [account, principalIds] of byAccount) {
    const role = provisionedRole(context, draft, set, account, principalIds);
    if (isRefused(role)) return role;
    const refused = storeIn(context, draft, role);
    if (refused !== null) return refused;
  }
  return null;
}

function storeIn(context: OperationContext, draft: Draft, role: StoredRole): Refusal | null {
  const before = asKind(draft.get(role.id), "role");
  if (before !== null && sameRole(before, role)) return null;
  const change = store(context, role);
  if (isRefused(change)) return change;
  draft.apply([change]);
  return null;
}

function sameRole(before: StoredRole, after: StoredRole): boolean {
  const plain = ({ record, trusted }: StoredRole) =>
    JSON.stringify([{ ...record, tags: [...record.tags] }, trusted]);
  return plain(before) === plain(after);
}

/** Brings the roles up to date whose trust follows from the members of `groupIds` or names `userId`. */
export function provisionFor(
  context: OperationContext,
  draft: Draft,
  principalIds: readonly string[],
): Refusal | null {
  const sets = new Set<string>();
  for (const principal of principalIds) {
    for (const id of draft.referrers(principal)) {
      const assignment = asKind(draft.get(id), "permissionSetAssignment");
      if (assignment !== null) sets.add(assignment.record.permissionSetId);
    }
  }
  for (const id of sets) {
    const set = asKind(draft.get(id), "permissionSet");
    if (set === null) continue;
    const refused = provision(context, draft, set);
    if (refused !== null) return refused;
  }
  return null;
}

/** Returns a draft over the context's state with `change` in it. */
export function draftWith(
  context: OperationContext,
  ...changes: Parameters<Draft["apply"]>[0][]
): Draft {
  const draft = new Draft(context.state);
  for (const some of changes) draft.apply(some);
  return draft;
}
