import type { OrganizationPolicy } from "../../model.ts";
import { ids, may, need, orNull, record, text } from "../codec.ts";
import type { Stored } from "../entity.ts";
import { type Frame, frameMembers, frameOf, kindCodec, pointing } from "./kind-codec.ts";

const doc = record({
  name: need(text),
  arn: may(text, ""),
  targetIds: may(ids, []),
  content: may(orNull(text), null),
  ...frameMembers,
});

type Doc = ReturnType<typeof doc.read>;

function recordOf({ id }: Frame, { name, arn, targetIds, content }: Doc): OrganizationPolicy {
  const policy = content === null ? null : { id: arn, text: content, source: null };
  return { id, name, targetIds, policy };
}

function docOf({ name, targetIds, policy }: OrganizationPolicy) {
  return { name, targetIds, arn: policy?.id ?? "", content: policy?.text ?? null };
}

const common = {
  doc,
  nameKey: ({ record: { name } }: { readonly record: OrganizationPolicy }) => name,
  references: ({ record: { targetIds } }: Stored<string, OrganizationPolicy>) =>
    pointing("target", targetIds),
};

export const serviceControlPolicy = kindCodec({
  ...common,
  kind: "serviceControlPolicy",
  toEntity: (frame, read: Doc) => ({
    ...frame,
    kind: "serviceControlPolicy",
    record: recordOf(frame, read),
  }),
  toDoc: (entity) => ({ ...docOf(entity.record), ...frameOf(entity) }),
});

export const resourceControlPolicy = kindCodec({
  ...common,
  kind: "resourceControlPolicy",
  toEntity: (frame, read: Doc) => ({
    ...frame,
    kind: "resourceControlPolicy",
    record: recordOf(frame, read),
  }),
  toDoc: (entity) => ({ ...docOf(entity.record), ...frameOf(entity) }),
});
