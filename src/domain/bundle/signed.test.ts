import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { bundleKey, root } from "../../../test/fakes/bundle-keys.ts";
import { SignedSchema } from "../../gen/meshiam/bundle/v1/signed_pb.ts";
import { importPublicKey, isFingerprint } from "./ed25519.ts";
import { defaultBundleLimits } from "./limits.ts";
import { openEnvelope, sealHead, sealKeySet, signedBytes, signersOf } from "./signed.ts";

const payload = Buffer.from("payload");
const open = (bytes: Uint8Array) => openEnvelope(bytes, 4096, defaultBundleLimits, "head");

test("the bytes signed name type and length, as DSSE does", () => {
  expect(Buffer.from(signedBytes("mesh-iam/head/v1", payload)).toString()).toBe(
    "DSSEv1 16 mesh-iam/head/v1 7 payload",
  );
});

test("a key set's signature brings the raw key of its fingerprint, a head's does not", () => {
  const keySet = open(sealKeySet(payload, [root]));
  const head = open(sealHead(payload, [bundleKey]));
  if (!keySet.ok || !head.ok) throw new Error("both open");
  const [byRoot] = keySet.envelope.signatures;
  expect(byRoot?.keyId).toSatisfy(isFingerprint);
  expect(Buffer.from(byRoot?.publicKey ?? "")).toEqual(Buffer.from(root.publicKey));
  expect(head.envelope.signatures[0]?.publicKey).toHaveLength(0);
});

test("a signature over a head is none over a key set", () => {
  const opened = open(sealHead(payload, [root]));
  const key = importPublicKey(root.publicKey);
  if (!opened.ok || key === null) throw new Error("opens");
  const keys = new Map([[root.keyId, key]]);
  expect(signersOf(opened.envelope, "mesh-iam/head/v1", keys, "x")).toMatchObject({ ok: true });
  expect(signersOf(opened.envelope, "mesh-iam/keyset/v1", keys, "x")).toMatchObject({
    ok: false,
    code: "bundle-signature",
  });
});

const sealed = sealHead(payload, [bundleKey]);
const many = create(SignedSchema, {
  payload,
  signatures: Array.from({ length: 17 }, () => ({ keyId: "k" })),
});

test.each([
  { why: "above its limit", bytes: Buffer.alloc(4097), code: "bundle-too-large" },
  { why: "not a message", bytes: Buffer.from("\xff\xff"), code: "bundle-parse" },
  { why: "cut", bytes: sealed.subarray(0, -1), code: "bundle-parse" },
  {
    why: "a field that nobody knows",
    bytes: Buffer.concat([sealed, Buffer.from([0x1a, 0x01, 0x00])]),
    code: "bundle-parse",
  },
  {
    why: "a second payload that would win",
    bytes: Buffer.concat([sealed, Buffer.from([0x0a, 0x01, 0x78])]),
    code: "bundle-parse",
  },
  {
    why: "a length spelled with an idle byte",
    bytes: Buffer.concat([Buffer.from([0x0a, 0x87, 0x00]), sealed.subarray(2)]),
    code: "bundle-parse",
  },
  { why: "seventeen signatures", bytes: toBinary(SignedSchema, many), code: "bundle-too-large" },
])("an envelope is refused: $why", ({ bytes, code }) => {
  expect(open(bytes)).toMatchObject({ ok: false, code });
});

test.each([
  { why: "31 bytes", raw: new Uint8Array(31) },
  { why: "33 bytes", raw: new Uint8Array(33) },
  { why: "none", raw: new Uint8Array(0) },
])("no public key: $why", ({ raw }) => {
  expect(importPublicKey(raw)).toBeNull();
});
