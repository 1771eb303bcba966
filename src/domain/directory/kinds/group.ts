import { entityArn } from "../arns.ts";
import { entityName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { uniqueId } from "../unique-id.ts";
import { attachmentMembers, resolveAttachments, writeAttachments } from "./attachments.ts";
import { defineKind } from "./kind.ts";
import { namesById } from "./references.ts";
import { unless } from "./written-value.ts";

/** `Group`: policies for several users. Users name their groups, not the other way round (FILE-4). */
export const groupKind = defineKind({
  kind: "Group",
  summary: "Policies for several users. Who is in it stands at the users.",
  scope: "account",
  name: entityName(128),
  hasPath: true,
  spec: record(attachmentMembers),
  resolve: (header, spec, world) => {
    const { account, name, path } = header;
    const arn = entityArn(world.partition, account, "group", path, name);
    world.draft.groups.push({
      id: uniqueId("Group", account, name),
      account,
      name,
      path,
      arn,
      ...resolveAttachments(world, header, spec, arn, {
        managedPolicies: world.quotas.managedPoliciesPerGroup,
        inlineCharacters: world.quotas.groupInlineCharacters,
      }),
    });
  },
  write: (directory) => {
    const policyName = namesById(directory.managedPolicies);
    return directory.groups.map((group) => ({
      metadata: { name: group.name, account: group.account, path: unless(group.path, "/") },
      spec: writeAttachments(group, policyName),
    }));
  },
});
