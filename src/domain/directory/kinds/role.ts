import { entityArn } from "../arns.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { whole, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { uniqueId } from "../unique-id.ts";
import {
  attachmentMembers,
  principalMembers,
  resolveAttachments,
  resolvePrincipal,
  writeAttachments,
  writePrincipal,
} from "./attachments.ts";
import { description } from "./description.ts";
import { defineKind } from "./kind.ts";
import { namesById } from "./references.ts";
import { checkSize, policyText } from "./stored-policy.ts";
import { unless, writtenJson } from "./written-value.ts";

/** `Role`: permissions that callers take on when its trust policy lets them. */
export const roleKind = defineKind({
  kind: "Role",
  summary: "Permissions that callers take on for a session, when the trust policy lets them.",
  scope: "account",
  name: entityName(64),
  hasPath: true,
  spec: record({
    assumeRolePolicyDocument: required(
      policy("trust"),
      "The trust policy: who may take the role on.",
    ),
    description,
    ...attachmentMembers,
    ...principalMembers,
    maxSessionDuration: optional(whole(3600, 43_200), 3600, "Longest session, in seconds."),
    sessionBinding: optional(
      word("peer", "certificate", "none"),
      "peer",
      "What a session that was issued over mTLS is bound to: the peer's SPIFFE id (else its certificate), its certificate, or nothing.",
    ),
  }),
  resolve: (header, spec, world) => {
    const { account, name, path } = header;
    const { quotas } = world;
    const arn = entityArn(world.partition, account, "role", path, name);
    const trust = spec.assumeRolePolicyDocument;
    checkSize(world, trust, quotas.trustPolicyCharacters, countWithoutWhiteSpace);
    world.draft.roles.push({
      id: uniqueId("Role", account, name),
      account,
      name,
      path,
      arn,
      trustPolicy: policyText(`${arn}/assumeRolePolicyDocument`, trust),
      ...resolveAttachments(world, header, spec, arn, {
        managedPolicies: quotas.managedPoliciesPerRole,
        inlineCharacters: quotas.roleInlineCharacters,
      }),
      ...resolvePrincipal(world, header, spec),
      maxSessionSeconds: spec.maxSessionDuration,
      sessionBinding: spec.sessionBinding,
      // Their paths are reserved (SSO-1), so no document makes one.
      serviceLinked: false,
    });
  },
  write: (directory) => {
    const policyName = namesById(directory.managedPolicies);
    return directory.roles.map((role) => ({
      metadata: { name: role.name, account: role.account, path: unless(role.path, "/") },
      spec: {
        assumeRolePolicyDocument: writtenJson(role.trustPolicy.text),
        ...writeAttachments(role, policyName),
        ...writePrincipal(role, policyName),
        maxSessionDuration: unless(role.maxSessionSeconds, 3600),
        sessionBinding: unless(role.sessionBinding, "peer"),
      },
    }));
  },
});
