import { listOf, may, need, record, shared, text, Unreadable, whole } from "../codec.ts";
import { frameMembers, frameOf, kindCodec } from "./kind-codec.ts";

export const managedPolicy = kindCodec({
  kind: "managedPolicy",
  doc: record({
    name: need(text),
    path: may(shared, "/"),
    arn: need(text),
    versions: need(
      listOf(
        record({ versionId: need(shared), text: need(text), createdAtMs: need(whole) }),
        "versionId",
      ),
    ),
    defaultVersionId: may(shared, "v1"),
    lastVersion: may(whole, 1),
    ...frameMembers,
  }),
  toEntity: (frame, doc) => {
    const { name, path, arn, versions, defaultVersionId, lastVersion } = doc;
    const chosen = versions.find(({ versionId }) => versionId === defaultVersionId);
    if (chosen === undefined) {
      throw new Unreadable({ parent: null, name: "defaultVersionId" }, "expected a version of it");
    }
    const policy = { id: arn, text: chosen.text, source: null };
    return {
      ...frame,
      kind: "managedPolicy",
      record: { id: frame.id, account: frame.account, name, path, arn, policy },
      versions,
      defaultVersionId,
      lastVersion,
    };
  },
  toDoc: (entity) => {
    const { record: one, versions, defaultVersionId, lastVersion } = entity;
    return { ...one, versions, defaultVersionId, lastVersion, ...frameOf(entity) };
  },
  nameKey: ({ record: { name } }) => name,
  references: () => [],
});
