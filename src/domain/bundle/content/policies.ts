import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ManagedPolicy as ManagedPolicyMessage,
  ManagedPolicySchema,
  type Policy as PolicyMessage,
  PolicySchema,
  type Tag as TagMessage,
  type TagSchema,
} from "../../../gen/meshiam/bundle/v1/policy_pb.ts";
import type { ManagedPolicy, PolicyText } from "../../directory/model.ts";
import type { Tags } from "../../request/service-definition.ts";
import { compareBytes } from "../byte-order.ts";
import type { ObjectCheck } from "./object-check.ts";

const utf8 = new TextEncoder();

/** Returns the message of a policy: its text as it was written; where it was written stays behind. */
export function encodePolicy(policy: PolicyText): PolicyMessage {
  return create(PolicySchema, { id: policy.id, text: utf8.encode(policy.text) });
}

/** Returns the messages of tags, in byte order of their keys. */
export function encodeTags(tags: Tags): MessageInitShape<typeof TagSchema>[] {
  return [...tags].sort(([a], [b]) => compareBytes(a, b)).map(([key, value]) => ({ key, value }));
}

/** Returns tags; a key that occurs twice makes the object unreadable. */
export function decodeTags(messages: readonly TagMessage[], check: ObjectCheck): Tags {
  const tags = new Map<string, string>();
  for (const { key, value } of messages) {
    if (tags.has(key)) check.fail("a tag key occurs twice");
    tags.set(key, value);
  }
  return tags;
}

export function encodeManagedPolicy(policy: ManagedPolicy): ManagedPolicyMessage {
  return create(ManagedPolicySchema, {
    id: policy.id,
    name: policy.name,
    path: policy.path,
    arn: policy.arn,
    policy: encodePolicy(policy.policy),
  });
}

export function decodeManagedPolicy(
  message: ManagedPolicyMessage,
  account: string,
  check: ObjectCheck,
): ManagedPolicy {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    account,
    name: check.filled(message.name, "name"),
    path: message.path,
    arn: check.filled(message.arn, "arn"),
    policy: check.policy(message.policy, "policy"),
  });
}
