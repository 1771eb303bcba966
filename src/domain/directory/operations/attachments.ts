import { quote } from "../../../iam/problem.ts";
import { compareText, sortedById } from "../compare-text.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { required } from "../shape/shape.ts";
import { mutation } from "./define.ts";
import type { Operation, OperationContext } from "./operation.ts";
import { one } from "./questions.ts";
import type { OperationQuotas } from "./quotas.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { withRecord } from "./store-entity.ts";
import {
  type IdentityEntity,
  type IdentityKind,
  identities,
  identity,
  ownPolicy,
  policyArn,
} from "./subject.ts";

const policyName = required(entityName(128), "Unique in its owner, ignoring case.");

/** Returns Attach, Detach, Put and Delete of policies for one kind of identity. */
export function attachmentOperations(kind: IdentityKind): readonly Operation[] {
  const { title, service } = identities[kind];
  const common = { service, access: "Permissions management", subject: identity(kind) } as const;
  return [
    mutation({
      ...common,
      name: `Attach${title}Policy`,
      members: { policyArn: required(policyArn, "A managed policy of the own account.") },
      keys: (input) => [one("iam:PolicyARN", input.policyArn)],
      change: (entity, input, context) => attach(entity, input.policyArn, context),
    }),
    mutation({
      ...common,
      name: `Detach${title}Policy`,
      members: { policyArn: required(policyArn, "The managed policy.") },
      keys: (input) => [one("iam:PolicyARN", input.policyArn)],
      change: (entity, input, context) => detach(entity, input.policyArn, context),
    }),
    mutation({
      ...common,
      name: `Put${title}Policy`,
      members: {
        policyName,
        policyDocument: required(policy("identity"), "The policy, as JSON text."),
      },
      change: (entity, input, { quotas }) =>
        putInline(entity, input.policyName, input.policyDocument.text, quotas),
    }),
    mutation({
      ...common,
      name: `Delete${title}Policy`,
      members: { policyName },
      change: (entity, input) => deleteInline(entity, input.policyName),
    }),
  ];
}

function attach<E extends IdentityEntity>(
  entity: E,
  arn: string,
  { state, quotas }: OperationContext,
): E | Refusal {
  const found = ownPolicy(state, arn, entity.account);
  if (isRefused(found)) return found;
  const { attachedPolicyIds } = entity.record;
  if (attachedPolicyIds.includes(found.id)) return entity;
  const max = attachmentQuota(quotas, entity.kind);
  if (attachedPolicyIds.length >= max) {
    const message = `expected at most ${max} managed policies`;
    return refuse("LimitExceeded", message, { resource: entity.record.arn });
  }
  const ids = [...attachedPolicyIds, found.id].sort(compareText);
  return withRecord<IdentityEntity>(entity, { attachedPolicyIds: ids }) as E;
}

function detach<E extends IdentityEntity>(
  entity: E,
  arn: string,
  { state }: OperationContext,
): E | Refusal {
  const found = ownPolicy(state, arn, entity.account);
  if (isRefused(found)) return found;
  const { attachedPolicyIds } = entity.record;
  if (!attachedPolicyIds.includes(found.id)) {
    return refuse("NoSuchEntity", `${quote(arn)} is not attached`, { resource: entity.record.arn });
  }
  const ids = attachedPolicyIds.filter((id) => id !== found.id);
  return withRecord<IdentityEntity>(entity, { attachedPolicyIds: ids }) as E;
}

function putInline<E extends IdentityEntity>(
  entity: E,
  name: string,
  text: string,
  quotas: OperationQuotas,
): E | Refusal {
  const { arn } = entity.record;
  const others = entity.record.inlinePolicies.filter(({ id }) => !isNamed(id, arn, name));
  const inlinePolicies = sortedById([...others, { id: `${arn}/${name}`, text, source: null }]);
  const refused = checkInline(inlinePolicies, quotas, entity.kind, arn);
  return refused ?? (withRecord<IdentityEntity>(entity, { inlinePolicies }) as E);
}

function deleteInline<E extends IdentityEntity>(entity: E, name: string): E | Refusal {
  const { arn, inlinePolicies } = entity.record;
  const others = inlinePolicies.filter(({ id }) => !isNamed(id, arn, name));
  if (others.length === inlinePolicies.length) {
    return refuse("NoSuchEntity", `no inline policy ${quote(name)}`, { resource: arn });
  }
  return withRecord<IdentityEntity>(entity, { inlinePolicies: others }) as E;
}

/** True when the inline policy `id` of `arn` has that name, ignoring case. */
export function isNamed(id: string, arn: string, name: string): boolean {
  return id.slice(arn.length + 1).toLowerCase() === name.toLowerCase();
}

/** Returns the refusal of inline policies that are too long together, or null. */
function checkInline(
  policies: readonly { readonly text: string }[],
  quotas: OperationQuotas,
  kind: IdentityKind,
  arn: string,
): Refusal | null {
  const max = inlineQuota(quotas, kind);
  const sum = policies.reduce((total, { text }) => total + countWithoutWhiteSpace(text), 0);
  if (sum <= max) return null;
  const message = `expected at most ${max} characters in all inline policies, got ${sum}`;
  return refuse("LimitExceeded", message, { resource: arn, field: "policyDocument" });
}

function attachmentQuota(quotas: OperationQuotas, kind: IdentityKind): number {
  switch (kind) {
    case "user":
      return quotas.managedPoliciesPerUser;
    case "group":
      return quotas.managedPoliciesPerGroup;
    case "role":
      return quotas.managedPoliciesPerRole;
    case "workload":
      return quotas.managedPoliciesPerWorkload;
  }
}

function inlineQuota(quotas: OperationQuotas, kind: IdentityKind): number {
  switch (kind) {
    case "user":
      return quotas.userInlineCharacters;
    case "group":
      return quotas.groupInlineCharacters;
    case "role":
      return quotas.roleInlineCharacters;
    case "workload":
      return quotas.workloadInlineCharacters;
  }
}
