import { parseArn } from "../../../iam/arn.ts";
import { quote } from "../../../iam/problem.ts";
import { parseSpiffeId } from "../../request/spiffe-id.ts";
import { workloadArn } from "../arns.ts";
import { accountId, entityName, spiffeId } from "../shape/names.ts";
import { text } from "../shape/scalars.ts";
import { type Members, optional, required, type Shape } from "../shape/shape.ts";
import { asKind, type EntityOf, type Kind } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnFacts, arnOf, arnOfName } from "./arn-of.ts";
import type { OperationContext } from "./operation.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";

/** The input of an operation as its members' shapes have read it. */
export type Input = Readonly<Record<string, unknown>>;

/** How an operation names the one object that it is about. */
export interface Subject<K extends Kind> {
  readonly kind: K;
  readonly members: Members;
  find(input: Input, context: OperationContext): EntityOf<K> | Refusal;
  /** The ARN it has, or would have if it were there: what the engine is asked about. */
  arn(input: Input, context: OperationContext): string;
  account(input: Input, context: OperationContext): string;
}

/** Whose account an input means where it names none. */
export const accountMember = optional(accountId, null, "The account. Absent: the caller's.");

/** Returns the account that an input names, or the caller's. */
export function accountOf(input: Input, context: OperationContext): string {
  return typeof input.account === "string" ? input.account : context.caller.account;
}

/** The identities that policies are attached to, with AWS's words for them. */
export const identities = {
  user: { kind: "user", title: "User", service: "iam", nameMember: "userName", maxName: 64 },
  group: { kind: "group", title: "Group", service: "iam", nameMember: "groupName", maxName: 128 },
  role: { kind: "role", title: "Role", service: "iam", nameMember: "roleName", maxName: 64 },
  workload: {
    kind: "workload",
    title: "Workload",
    service: "mesh-iam",
    nameMember: "spiffeId",
    maxName: 2048,
  },
} as const;

export type IdentityKind = keyof typeof identities;
export type IdentityEntity = EntityOf<IdentityKind>;

/** Returns the subject of operations on users, groups, roles or workloads. */
export function identity<K extends IdentityKind>(kind: K): Subject<K> {
  const { title, nameMember, maxName } = identities[kind];
  const shape: Shape<string> = kind === "workload" ? spiffeId : entityName(maxName);
  const nameOf = (input: Input) => String(input[nameMember]);
  const subject: Subject<K> = {
    kind,
    members: { account: accountMember, [nameMember]: required(shape, `The ${kind}.`) },
    find: (input, context) =>
      named(context.state, kind, accountOf(input, context), nameOf(input), title),
    arn: (input, context) => {
      const account = accountOf(input, context);
      const name = nameOf(input);
      const found = context.state.named(kind, account, nameKeyOf(name));
      if (found !== undefined && found.kind !== "poisoned") return arnOf(context.state, found);
      if (kind !== "workload") {
        return arnOfName(context.state, account, kind as "user" | "group" | "role", "/", name);
      }
      return arnOfWorkload(context.state, account, name);
    },
    account: accountOf,
  };
  return subject;
}

/** Returns the ARN of a SPIFFE identity of an account. */
export function arnOfWorkload(state: OrganizationState, account: string, id: string): string {
  const parsed = parseSpiffeId(id);
  const { trustDomain, path } = parsed.ok ? parsed.value : { trustDomain: "", path: "/" };
  return workloadArn(arnFacts(state).partition, account, trustDomain, path);
}

/** Returns the object of that name, or `NoSuchEntity`; `ServiceFailure` for one that is poisoned. */
export function named<K extends Kind>(
  state: OrganizationState,
  kind: K,
  account: string,
  name: string,
  title: string,
): EntityOf<K> | Refusal {
  const found = state.named(kind, account, nameKeyOf(name));
  if (found?.kind === "poisoned") return unreadable(found.id);
  const entity = asKind(found, kind);
  if (entity !== null) return entity;
  const where = account === "" ? "" : ` in account ${quote(account)}`;
  return refuse("NoSuchEntity", `no ${title.toLowerCase()} ${quote(name)}${where}`);
}

/** Returns the object of that id and kind, or `NoSuchEntity`. */
export function identified<K extends Kind>(
  state: OrganizationState,
  kind: K,
  id: string,
  title: string,
): EntityOf<K> | Refusal {
  const found = state.get(id);
  if (found?.kind === "poisoned") return unreadable(id);
  return (
    asKind(found, kind) ?? refuse("NoSuchEntity", `no ${title} ${quote(id)}`, { resource: id })
  );
}

function unreadable(id: string): Refusal {
  const message = `the stored object ${quote(id)} cannot be read: what it grants and denies is not known`;
  return refuse("ServiceFailure", message, { resource: id });
}

export const policyArn = text(
  "the ARN of a managed policy",
  /^arn:[a-z0-9-]+:iam::[0-9]{12}:policy\/[!-~]+$/,
  2048,
);

/** Returns the managed policy of an ARN. */
export function policyByArn(
  state: OrganizationState,
  arn: string,
): EntityOf<"managedPolicy"> | Refusal {
  const parsed = parseArn(arn);
  const missing = () =>
    refuse("NoSuchEntity", `no managed policy ${quote(arn)}`, { resource: arn });
  if (!parsed.ok) return missing();
  const name = parsed.value.resource.slice(parsed.value.resource.lastIndexOf("/") + 1);
  const found = named(state, "managedPolicy", parsed.value.account, name, "managed policy");
  if (isRefused(found)) return found.code === "NoSuchEntity" ? missing() : found;
  return found.record.arn === arn ? found : missing();
}

/** Returns the managed policy of an ARN, which has to be of `account` (FILE-4). */
export function ownPolicy(
  state: OrganizationState,
  arn: string,
  account: string,
): EntityOf<"managedPolicy"> | Refusal {
  const found = policyByArn(state, arn);
  if (isRefused(found) || found.account === account) return found;
  const message = `expected a managed policy of account ${quote(account)}, got ${quote(arn)}`;
  return refuse("ValidationError", message, { resource: arn });
}

/** The subject of operations on a managed policy. */
export const managedPolicySubject: Subject<"managedPolicy"> = {
  kind: "managedPolicy",
  members: { policyArn: required(policyArn, "The managed policy.") },
  find: (input, context) => policyByArn(context.state, String(input.policyArn)),
  arn: (input) => String(input.policyArn),
  account: (input, context) => {
    const arn = parseArn(String(input.policyArn));
    return arn.ok ? arn.value.account : context.caller.account;
  },
};
