import { expect, test } from "vitest";
import { PartKind } from "../../gen/meshiam/bundle/v1/manifest_pb.ts";
import { formatPartId, kindOf, parsePartId } from "./part-id.ts";

test.each([
  { text: "organization", kind: PartKind.ORGANIZATION },
  { text: "providers", kind: PartKind.PROVIDERS },
  { text: "sts-keys", kind: PartKind.STS_KEYS },
  { text: "revocations", kind: PartKind.REVOCATIONS },
  { text: "revocations/15", kind: PartKind.REVOCATIONS },
  { text: "service/111122223333/orders", kind: PartKind.SERVICE },
  { text: "account/111122223333/index", kind: PartKind.ACCOUNT_INDEX },
  { text: "account/111122223333/bucket/0", kind: PartKind.PRINCIPAL_BUCKET },
  { text: "account/111122223333/policies/63", kind: PartKind.POLICY_GROUP },
])("the part id $text is read and written", ({ text, kind }) => {
  const id = parsePartId(text);
  if (id === null) throw new Error("is a part id");
  expect(formatPartId(id)).toBe(text);
  expect(kindOf(id)).toBe(kind);
});

test.each([
  { why: "nothing", text: "" },
  { why: "another word", text: "organisation" },
  { why: "a tail", text: "organization/x" },
  { why: "a slash at the end", text: "revocations/" },
  { why: "a bucket too many", text: "revocations/16" },
  { why: "a service without a name", text: "service/111122223333/" },
  { why: "a service without an account", text: "service//orders" },
  { why: "a service with a path", text: "service/1/a/b/c" },
  { why: "an account without a part", text: "account/111122223333" },
  { why: "a bucket too many", text: "account/1/bucket/64" },
  { why: "a leading zero", text: "account/1/bucket/01" },
  { why: "hexadecimal", text: "account/1/bucket/0x1" },
  { why: "a sign", text: "account/1/bucket/-0" },
  { why: "a blank", text: "account/1/bucket/ 1" },
  { why: "a fraction", text: "account/1/policies/1.5" },
  { why: "a way out of the folder", text: "../head" },
])("no part is called $text: $why", ({ text }) => {
  expect(parsePartId(text)).toBeNull();
});
