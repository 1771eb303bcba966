import {
  listOf,
  may,
  need,
  noTags,
  orNull,
  record,
  shared,
  tags,
  text,
  whole,
  word,
} from "../codec.ts";
import { frameMembers, frameOf, kindCodec, pointing } from "./kind-codec.ts";

const policyReference = record({ name: need(text), path: may(shared, "/") });

export const permissionSet = kindCodec({
  kind: "permissionSet",
  doc: record({
    name: need(text),
    sessionSeconds: may(whole, 3600),
    managedPolicies: may(listOf(policyReference, "name"), []),
    inlinePolicy: may(orNull(text), null),
    permissionsBoundary: may(orNull(policyReference), null),
    tags: may(tags, noTags),
    ...frameMembers,
  }),
  toEntity: (frame, doc) => {
    const { name, sessionSeconds, managedPolicies, inlinePolicy, permissionsBoundary } = doc;
    return {
      ...frame,
      kind: "permissionSet",
      record: {
        id: frame.id,
        name,
        sessionSeconds,
        managedPolicies,
        inlinePolicy,
        permissionsBoundary,
        tags: doc.tags,
      },
    };
  },
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { name } }) => name,
  references: () => [],
});

export const permissionSetAssignment = kindCodec({
  kind: "permissionSetAssignment",
  doc: record({
    name: may(text, ""),
    permissionSetId: need(shared),
    principalType: need(word("USER", "GROUP")),
    principalId: need(shared),
    targetId: need(shared),
    roleId: need(shared),
    ...frameMembers,
  }),
  toEntity: (frame, doc) => {
    const { name, permissionSetId, principalType, principalId, targetId, roleId } = doc;
    return {
      ...frame,
      kind: "permissionSetAssignment",
      record: {
        id: frame.id,
        name,
        permissionSetId,
        principalType,
        principalId,
        targetId,
        roleId,
      },
    };
  },
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { permissionSetId, targetId, principalId } }) =>
    `${permissionSetId}/${targetId}/${principalId}`,
  references: ({ record: one }) => [
    ...pointing("set", [one.permissionSetId]),
    ...pointing("principal", [one.principalId]),
    ...pointing("account", [one.targetId]),
    ...pointing("role", [one.roleId]),
  ],
});
