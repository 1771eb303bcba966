import { entityArn } from "../arns.ts";
import { listOf } from "../shape/collections.ts";
import { entityName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { optional } from "../shape/shape.ts";
import { uniqueId } from "../unique-id.ts";
import {
  attachmentMembers,
  principalMembers,
  resolveAttachments,
  resolvePrincipal,
  writeAttachments,
  writePrincipal,
} from "./attachments.ts";
import { defineKind } from "./kind.ts";
import { checkCount, namesById, referAll, reference } from "./references.ts";
import { unless, unlessEmpty } from "./written-value.ts";

/** `User`: a person or job that a provider's rule maps a token to. */
export const userKind = defineKind({
  kind: "User",
  summary:
    "A person or job. A provider's rule maps tokens to it; no document holds a credential of it.",
  scope: "account",
  name: entityName(64),
  hasPath: true,
  spec: record({
    groups: optional(
      listOf(reference, { max: 100, uniqueBy: ({ value }) => value }),
      [],
      "Groups of the own account that this user is in.",
    ),
    ...attachmentMembers,
    ...principalMembers,
  }),
  resolve: (header, spec, world) => {
    const { account, name, path } = header;
    const { quotas } = world;
    const arn = entityArn(world.partition, account, "user", path, name);
    checkCount(world, spec.groups, quotas.groupsPerUser, "groups");
    world.draft.users.push({
      id: uniqueId("User", account, name),
      account,
      name,
      path,
      arn,
      groupIds: referAll(world, "Group", header, spec.groups),
      ...resolveAttachments(world, header, spec, arn, {
        managedPolicies: quotas.managedPoliciesPerUser,
        inlineCharacters: quotas.userInlineCharacters,
      }),
      ...resolvePrincipal(world, header, spec),
    });
  },
  write: (directory) => {
    const policyName = namesById(directory.managedPolicies);
    const groupName = namesById(directory.groups);
    return directory.users.map((user) => ({
      metadata: { name: user.name, account: user.account, path: unless(user.path, "/") },
      spec: {
        groups: unlessEmpty(user.groupIds.map(groupName)),
        ...writeAttachments(user, policyName),
        ...writePrincipal(user, policyName),
      },
    }));
  },
});
