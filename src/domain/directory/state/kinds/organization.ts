import { may, need, noTags, orNull, record, shared, tags, text, word } from "../codec.ts";
import { frameMembers, frameOf, kindCodec, pointing } from "./kind-codec.ts";

export const organization = kindCodec({
  kind: "organization",
  doc: record({
    name: need(text),
    rootId: need(text),
    managementAccountId: need(text),
    partition: need(shared),
    ...frameMembers,
  }),
  toEntity: (frame, { name, rootId, managementAccountId, partition }) => ({
    ...frame,
    kind: "organization",
    partition,
    record: { id: frame.id, rootId, name, managementAccountId },
  }),
  toDoc: (entity) => ({ ...entity.record, partition: entity.partition, ...frameOf(entity) }),
  nameKey: () => "org",
  references: () => [],
});

export const organizationalUnit = kindCodec({
  kind: "organizationalUnit",
  doc: record({ name: need(text), parentId: may(orNull(shared), null), ...frameMembers }),
  toEntity: (frame, { name, parentId }) => ({
    ...frame,
    kind: "organizationalUnit",
    record: { id: frame.id, name, parentId },
  }),
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { name, parentId } }) => `${parentId ?? ""}/${name}`,
  references: ({ record: { parentId } }) => pointing("parent", [parentId]),
});

export const account = kindCodec({
  kind: "account",
  doc: record({
    name: need(text),
    parentId: may(orNull(shared), null),
    email: may(text, ""),
    tags: may(tags, noTags),
    state: may(word("active", "disabled"), "active"),
    ...frameMembers,
  }),
  toEntity: (frame, { name, parentId, email, tags: accountTags, state }) => ({
    ...frame,
    kind: "account",
    record: { id: frame.id, name, parentId, email, tags: accountTags, state },
  }),
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { id } }) => id,
  references: ({ record: { parentId } }) => pointing("parent", [parentId]),
});
