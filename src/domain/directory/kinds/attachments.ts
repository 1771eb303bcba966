import type { Tags } from "../../request/service-definition.ts";
import { sortedById } from "../compare-text.ts";
import type { EntityState, PolicyText } from "../model.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { listOf } from "../shape/collections.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { word } from "../shape/scalars.ts";
import { optional, required, type ValueOf } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import type { Header } from "./header.ts";
import { checkCount, referAll, reference } from "./references.ts";
import { policyText } from "./stored-policy.ts";
import type { World } from "./world.ts";
import { unless, unlessEmpty, unlessEmptyMap, writtenJson } from "./written-value.ts";

/** Far above any quota: where a list would no longer be one. */
const maxListed = 100;

/** Members of everything that policies are attached to: users, groups, roles, workloads. */
export const attachmentMembers = {
  managedPolicyArns: optional(
    listOf(reference, { max: maxListed, uniqueBy: ({ value }) => value }),
    [],
    "Managed policies of the own account, by name or ARN.",
  ),
  policies: optional(
    listOf(
      record({
        policyName: required(entityName(128), "Unique in its owner, ignoring case."),
        policyDocument: required(policy("identity"), "The policy, as a mapping or as JSON text."),
      }),
      { max: maxListed, uniqueBy: ({ policyName }) => policyName.toLowerCase() },
    ),
    [],
    "Inline policies.",
  ),
};

/** Members of principals: users, roles, workloads. */
export const principalMembers = {
  permissionsBoundary: optional(
    reference,
    null,
    "A managed policy of the own account that bounds what the other policies may allow.",
  ),
  tags: optional(tags, new Map<string, string>(), "Tags: `aws:PrincipalTag/*`."),
  state: optional(
    word("active", "disabled"),
    "active",
    "`disabled` denies every kind of credential of this principal.",
  ),
};

/** The quotas of one kind of owner. */
export interface AttachmentQuotas {
  readonly managedPolicies: number;
  /** In all inline policies together. */
  readonly inlineCharacters: number;
}

/** Returns what the attachments of a document come to; `arn` is the owner's. */
export function resolveAttachments(
  world: World,
  header: Header,
  spec: ValueOf<typeof attachmentMembers>,
  arn: string,
  quotas: AttachmentQuotas,
): { attachedPolicyIds: readonly string[]; inlinePolicies: readonly PolicyText[] } {
  checkCount(world, spec.managedPolicyArns, quotas.managedPolicies, "managed policies");
  checkInlineSize(world, spec, quotas.inlineCharacters);
  const inlinePolicies = spec.policies.map(({ policyName, policyDocument }) =>
    policyText(`${arn}/${policyName}`, policyDocument),
  );
  return {
    attachedPolicyIds: referAll(world, "ManagedPolicy", header, spec.managedPolicyArns),
    inlinePolicies: sortedById(inlinePolicies),
  };
}

/** Reports the inline policy with which the sum passes the quota. */
function checkInlineSize(world: World, spec: ValueOf<typeof attachmentMembers>, max: number): void {
  let characters = 0;
  for (const { policyDocument } of spec.policies) {
    characters += countWithoutWhiteSpace(policyDocument.text);
    if (characters <= max) continue;
    const message = `expected at most ${max} characters in all inline policies, got ${characters}`;
    world.refuse(policyDocument.place, "QUOTA_EXCEEDED", message);
    return;
  }
}

/** Returns the permissions boundary and what else principals have, resolved. */
export function resolvePrincipal(
  world: World,
  header: Header,
  spec: ValueOf<typeof principalMembers>,
) {
  const { permissionsBoundary: boundary, tags, state } = spec;
  const permissionsBoundaryId =
    boundary === null ? null : world.refer("ManagedPolicy", header.account, boundary);
  return { permissionsBoundaryId, tags, state };
}

/** Returns the members of `attachmentMembers` as they are written. */
export function writeAttachments(
  identity: {
    readonly arn: string;
    readonly attachedPolicyIds: readonly string[];
    readonly inlinePolicies: readonly PolicyText[];
  },
  policyName: (id: string) => string,
) {
  const { arn, attachedPolicyIds, inlinePolicies } = identity;
  return {
    managedPolicyArns: unlessEmpty(attachedPolicyIds.map(policyName)),
    policies: unlessEmpty(
      inlinePolicies.map(({ id, text }) => ({
        policyName: id.slice(arn.length + 1),
        policyDocument: writtenJson(text),
      })),
    ),
  };
}

/** Returns the members of `principalMembers` as they are written. */
export function writePrincipal(
  principal: {
    readonly permissionsBoundaryId: string | null;
    readonly tags: Tags;
    readonly state: EntityState;
  },
  policyName: (id: string) => string,
) {
  const { permissionsBoundaryId: boundary, tags, state } = principal;
  return {
    permissionsBoundary: boundary === null ? undefined : policyName(boundary),
    tags: unlessEmptyMap(tags),
    state: unless(state, "active"),
  };
}
