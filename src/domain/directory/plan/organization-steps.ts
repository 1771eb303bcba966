import { unitPaths } from "../kinds/organizational-unit.ts";
import type { Account, Directory } from "../model.ts";
import { organizationPart } from "../state/directory-of.ts";
import { asKind } from "../state/entity.ts";
import { type OrganizationState, organizationOf } from "../state/organization-state.ts";
import { organizationalUnitIdOf } from "../unique-id.ts";
import { type PlanContext, type Steps, tagSteps } from "./step.ts";

/** Yields what makes organization, units and accounts as `desired` has them. */
export function* organizationSteps(context: PlanContext): Steps {
  const { desired, state } = context;
  const { organization } = desired;
  // Without an Organization document the accounts are those that are there.
  if (organization === null) return;
  const has = organizationOf(state)?.record.managementAccountId ?? "none";
  if (has !== organization.managementAccountId) {
    const object = `Organization ${organization.name}`;
    yield { object, obstacle: `its management account is ${has}, and nothing changes that` };
    return;
  }
  for (const [id, path] of unitsByDepth(desired)) yield* unitSteps(context, id, path);
  for (const account of desired.accounts) yield* accountSteps(context, account);
}

/** Returns the id that the state has for a target that documents know by `id`: root, unit or account. */
export function idOfTarget(state: OrganizationState, desired: Directory, id: string): string {
  const path = unitPaths(desired).get(id);
  return path === undefined ? id : (idOfPath(state, path) ?? id);
}

function idOfPath(state: OrganizationState, path: string): string | null {
  for (const [id, one] of unitPaths(organizationPart(state))) if (one === path) return id;
  return null;
}

/** Units with their paths, parents first. */
function unitsByDepth(desired: Directory): readonly (readonly [string, string])[] {
  const depth = (path: string) => path.split("/").length;
  return [...unitPaths(desired)]
    .filter(([, path]) => path !== "/")
    .sort(([, a], [, b]) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

function* unitSteps({ desired, state }: PlanContext, id: string, path: string): Steps {
  if (idOfPath(state, path) !== null) return;
  const cut = path.lastIndexOf("/");
  const parentId = idOfPath(state, cut === 0 ? "/" : path.slice(0, cut)) ?? "";
  const isStated = id !== organizationalUnitIdOf(desired.organization?.rootId ?? "", path);
  yield {
    object: `OrganizationalUnit ${path}`,
    change: "create",
    operation: "organizations:CreateOrganizationalUnit",
    input: { parentId, name: path.slice(cut + 1), ...(isStated ? { id } : {}) },
  };
}

function* accountSteps({ desired, state }: PlanContext, account: Account): Steps {
  const { id: accountId, name: accountName, email, tags } = account;
  const object = `Account ${accountId}`;
  const parentId = idOfTarget(state, desired, account.parentId ?? "");
  const written = email === "" ? {} : { email };
  const found = asKind(state.get(accountId), "account");
  if (found === null) {
    const input = { accountName, accountId, parentId, ...written, tags: Object.fromEntries(tags) };
    yield { object, change: "create", operation: "organizations:CreateAccount", input };
    yield* stateSteps(object, "create", account, "active");
    return;
  }
  const step = { object, change: "update" } as const;
  const { record } = found;
  if (record.name !== accountName || (email !== "" && record.email !== email)) {
    const input = { accountId, accountName, ...written };
    yield { ...step, operation: "organizations:UpdateAccount", input };
  }
  if (record.parentId !== parentId) {
    const input = { accountId, sourceParentId: record.parentId, destinationParentId: parentId };
    yield { ...step, operation: "organizations:MoveAccount", input };
  }
  const operations = { tag: "organizations:TagAccount", untag: "organizations:UntagAccount" };
  yield* tagSteps(step, operations, { accountId }, record.tags, tags);
  yield* stateSteps(object, "update", account, record.state);
}

function* stateSteps(
  object: string,
  change: "create" | "update",
  { id: accountId, state }: Account,
  has: Account["state"],
): Steps {
  if (state === has) return;
  const operation = state === "disabled" ? "CloseAccount" : "ReopenAccount";
  yield { object, change, operation: `organizations:${operation}`, input: { accountId } };
}
