import { quote } from "../../../iam/problem.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { listOf } from "../shape/collections.ts";
import { accountId, anyPath, entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { placed, text, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import { description } from "./description.ts";
import { defineKind } from "./kind.ts";
import { checkCount, reference } from "./references.ts";
import { checkSize } from "./stored-policy.ts";

/**
 * The two kinds of Identity Center (iam-semantics 7.5). Provisioning roles from them is the control
 * plane's work: without one they are checked and have no effect, and no directory holds them (FILE-10).
 */

const policyReference = record({
  name: required(entityName(128), "Name of a managed policy of each target account."),
  path: optional(anyPath, "/", "Its path."),
});

export const permissionSetKind = defineKind({
  kind: "PermissionSet",
  summary:
    "Permissions that a control plane provisions as a role in the accounts it is assigned to. Without one: checked, no effect.",
  scope: "organization",
  name: entityName(32),
  hasPath: false,
  spec: record({
    description,
    sessionDuration: optional(
      text("a duration from `PT1H` to `PT12H`", /^PT([1-9]|1[0-2])H$/, 5),
      "PT1H",
      "Length of a session.",
    ),
    customerManagedPolicyReferences: optional(
      listOf(placed(policyReference), { max: 100, uniqueBy: ({ value }) => value.name }),
      [],
      "Managed policies that must exist in each target account.",
    ),
    inlinePolicy: optional(policy("identity"), null, "The inline policy."),
    permissionsBoundary: optional(
      record({
        customerManagedPolicyReference: required(
          policyReference,
          "A policy of each target account.",
        ),
      }),
      null,
      "The boundary of the provisioned roles.",
    ),
    tags: optional(tags, new Map<string, string>(), "Tags of the permission set."),
  }),
  declare: (header, spec, world) => {
    const references = spec.customerManagedPolicyReferences.map(({ value }) => value);
    const boundary = spec.permissionsBoundary?.customerManagedPolicyReference;
    world.permissionSets.set(
      header.name,
      boundary === undefined ? references : [...references, boundary],
    );
  },
  resolve: (header, spec, world) => {
    const { quotas } = world;
    world.writtenSets.push({
      name: header.name,
      sessionSeconds: Number(spec.sessionDuration.slice(2, -1)) * 3600,
      managedPolicies: spec.customerManagedPolicyReferences.map(({ value }) => value),
      inlinePolicy: spec.inlinePolicy?.text ?? null,
      permissionsBoundary: spec.permissionsBoundary?.customerManagedPolicyReference ?? null,
      tags: spec.tags,
    });
    const references = spec.customerManagedPolicyReferences;
    checkCount(world, references, quotas.managedPoliciesPerPermissionSet, "managed policies");
    if (spec.inlinePolicy === null) return;
    const max = quotas.permissionSetInlineCharacters;
    checkSize(world, spec.inlinePolicy, max, countWithoutWhiteSpace);
  },
  write: () => [],
});

export const permissionSetAssignmentKind = defineKind({
  kind: "PermissionSetAssignment",
  summary:
    "Gives a permission set in one account to a user or a group. Without a control plane: checked, no effect.",
  scope: "organization",
  name: entityName(128),
  hasPath: false,
  spec: record({
    permissionSetArn: required(placed(entityName(32)), "Name of the permission set."),
    principalType: required(word("USER", "GROUP"), "What `principalId` names."),
    principalId: required(reference, "ARN of the user or group, of any account."),
    targetType: required(word("AWS_ACCOUNT"), "`AWS_ACCOUNT`."),
    targetId: required(placed(accountId), "The account in which the permissions hold."),
  }),
  resolve: (header, spec, world) => {
    const { permissionSetArn: set, principalType, principalId, targetId } = spec;
    world.writtenAssignments.push({
      name: header.name,
      permissionSet: set.value,
      principalType,
      principalArn: principalId.value,
      targetId: targetId.value,
    });
    if (world.find("PermissionSet", "", set.value) === undefined) {
      const message = `unknown permission set ${quote(set.value)}`;
      world.refuse(set.place, "UNKNOWN_REFERENCE", message);
    }
    world.referAcross(principalType === "USER" ? "User" : "Group", principalId);
    world.useAccount(targetId.value, targetId.place);
    for (const { name, path } of world.permissionSets.get(set.value) ?? []) {
      if (world.find("ManagedPolicy", targetId.value, name)?.path === path) continue;
      const what = `account ${quote(targetId.value)} has no managed policy ${quote(path + name)}`;
      const message = `${what}, which the permission set ${quote(set.value)} names`;
      world.refuse(targetId.place, "UNKNOWN_REFERENCE", message);
    }
  },
  write: () => [],
});
