import { entityArn } from "../arns.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { required } from "../shape/shape.ts";
import { uniqueId } from "../unique-id.ts";
import { description } from "./description.ts";
import { defineKind } from "./kind.ts";
import { checkSize, policyText } from "./stored-policy.ts";
import { unless, writtenJson } from "./written-value.ts";

/** `ManagedPolicy`: attached where principals name it (FILE-4). */
export const managedPolicyKind = defineKind({
  kind: "ManagedPolicy",
  summary: "A policy for several users, groups, roles or workloads of its account, or a boundary.",
  scope: "account",
  name: entityName(128),
  hasPath: true,
  spec: record({
    policyDocument: required(policy("identity"), "The policy, as a mapping or as JSON text."),
    description,
  }),
  resolve: (header, spec, world) => {
    const { account, name, path } = header;
    const max = world.quotas.managedPolicyCharacters;
    checkSize(world, spec.policyDocument, max, countWithoutWhiteSpace);
    const arn = entityArn(world.partition, account, "policy", path, name);
    world.draft.managedPolicies.push({
      id: uniqueId("ManagedPolicy", account, name),
      account,
      name,
      path,
      arn,
      policy: policyText(arn, spec.policyDocument),
    });
  },
  write: (directory) =>
    directory.managedPolicies.map(({ name, account, path, policy: { text } }) => ({
      metadata: { name, account, path: unless(path, "/") },
      spec: { policyDocument: writtenJson(text) },
    })),
});
