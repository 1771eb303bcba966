import { quote } from "../../../iam/problem.ts";
import type { Entity, Kind } from "../state/entity.ts";
import type { OrganizationState, StateChange, TitledKind } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnOf } from "./arn-of.ts";
import { done, type OperationContext, type Success } from "./operation.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { store } from "./store-entity.ts";

/** What stands before every new object: the account is there, the name is free, there is room. */
export interface Room {
  readonly kind: Kind;
  readonly account: string;
  /** The unique name, in any spelling. */
  readonly name: string;
  readonly max: number;
  /** The word for it in messages: `user`. */
  readonly title: string;
}

/** Returns why there is no room for a new object, or null. */
export function checkRoom({ state }: OperationContext, room: Room): Refusal | null {
  const { kind, account, name, max, title } = room;
  if (account !== "") {
    const refused = checkAccount(state, account);
    if (refused !== null) return refused;
  }
  const taken = state.named(kind, account, nameKeyOf(name));
  if (taken !== undefined) {
    const message = `the ${title} ${quote(name)} exists already; names are unique ignoring case`;
    return refuse("EntityAlreadyExists", message, { resource: arnOf(state, taken) });
  }
  if (state.count(kind, account) < max) return null;
  const where = account === "" ? "the organization" : `account ${quote(account)}`;
  return refuse("LimitExceeded", `expected at most ${max} of the kind ${title} in ${where}`);
}

/** Returns `EntityAlreadyExists` where documents know another object by that name, or null. */
export function checkTitle(
  state: OrganizationState,
  kind: TitledKind,
  account: string,
  name: string,
  ownId: string | null = null,
): Refusal | null {
  const taken = name === "" ? undefined : state.titled(kind, account, name);
  if (taken === undefined || taken.id === ownId) return null;
  const message = `the name ${quote(name)} is that of another one in documents`;
  return refuse("EntityAlreadyExists", message, { resource: arnOf(state, taken), field: "name" });
}

/** Returns `NoSuchEntity` for an account that is not there, or null. */
export function checkAccount(state: OrganizationState, account: string): Refusal | null {
  const found = state.named("account", "", account);
  return found === undefined ? refuse("NoSuchEntity", `no account ${quote(account)}`) : null;
}

/** Returns the success that stores `entity`, with what `answer` makes of it. */
export function stored(
  context: OperationContext,
  entity: Entity,
  answer: Readonly<Record<string, unknown>>,
): Success | Refusal {
  const change = store(context, entity);
  return isRefused(change) ? change : done([change], answer);
}

/** Returns the success that removes `entity`; `DeleteConflict` while something refers to it (STO-78). */
export function removed(
  { state }: OperationContext,
  entity: Entity,
  also: readonly StateChange[] = [],
): Success | Refusal {
  for (const id of state.referrers(entity.id)) {
    if (also.some((change) => change.type === "remove" && change.id === id)) continue;
    const from = state.get(id);
    const what = from === undefined ? id : arnOf(state, from);
    const message = `${quote(what)} refers to it: take that away first`;
    return refuse("DeleteConflict", message, { resource: arnOf(state, entity) });
  }
  return done([...also, { type: "remove", id: entity.id }]);
}

/** Returns `DeleteConflict` while policies are attached to or inside an identity, as at AWS, or null. */
export function checkBare(
  state: OrganizationState,
  entity: Entity & {
    readonly record: {
      readonly attachedPolicyIds: readonly string[];
      readonly inlinePolicies: readonly unknown[];
    };
  },
): Refusal | null {
  const { attachedPolicyIds, inlinePolicies } = entity.record;
  const what =
    attachedPolicyIds.length > 0
      ? "managed policies are attached: detach them first"
      : inlinePolicies.length > 0
        ? "it has inline policies: delete them first"
        : null;
  return what === null ? null : refuse("DeleteConflict", what, { resource: arnOf(state, entity) });
}
