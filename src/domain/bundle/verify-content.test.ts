import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { bundleOf, expecting, hourMs } from "../../../test/fakes/bundle.ts";
import {
  partner,
  sampleDirectory,
  service,
  shop,
  user,
} from "../../../test/fakes/bundle-directory.ts";
import { bundleKey, nowMs, root, sealedKeySet } from "../../../test/fakes/bundle-keys.ts";
import { ManifestSchema, PartKind } from "../../gen/meshiam/bundle/v1/manifest_pb.ts";
import { PartSchema } from "../../gen/meshiam/bundle/v1/part_pb.ts";
import { RevocationsSchema } from "../../gen/meshiam/bundle/v1/revocation_pb.ts";
import type { Directory } from "../directory/model.ts";
import { renewHead, sealHeadOf } from "./build.ts";
import { hexDigest } from "./digest.ts";
import { encodeSlice } from "./encode-slice.ts";
import { compressFrame } from "./frame.ts";
import { type BundleLimits, defaultBundleLimits } from "./limits.ts";
import { createPartRef, encodeManifest, encodePartRefs, type PartRef } from "./manifest.ts";
import { parsePartId } from "./part-id.ts";
import type { SignedBundle } from "./signed-bundle.ts";
import { verifyBundle } from "./verify.ts";
import { verifyContent } from "./verify-content.ts";

const anchors = { rootFingerprints: [root.keyId], org: "o-acme" };
const head = {
  org: "o-acme",
  slice: "all",
  epoch: 1,
  revision: 5,
  coveredRevision: 5,
  chain: "",
  manifestDigest: "",
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + hourMs,
  minReader: 1,
};

interface Pieces {
  readonly refs: readonly PartRef[];
  readonly objects: Map<string, Uint8Array>;
}

/** The listed references and all objects of a sample, to be put together wrongly. */
function pieces(directory: Directory = sampleDirectory()): Pieces {
  const encoded = encodeSlice(directory, defaultBundleLimits);
  if (!encoded.ok) throw new Error(encoded.detail);
  const objects = new Map(
    encoded.slice.parts.map(({ ref, bytes }) => [ref.digest, compressFrame(bytes)] as const),
  );
  const refs = encoded.slice.parts
    .map(({ ref }) => ref)
    .filter(({ id }) => id.type !== "principal-bucket" && id.type !== "policy-group");
  return { refs, objects };
}

/** A builder at fault with a real key: signs whatever manifest it is given. */
function signed(manifest: Uint8Array, objects: Pieces["objects"], slice = "all"): SignedBundle {
  const digest = hexDigest(manifest);
  const sealed = sealHeadOf({ ...head, slice, manifestDigest: digest }, bundleKey);
  return {
    head: sealed,
    keySets: new Map([[1, sealedKeySet()]]),
    objects: new Map([...objects, [digest, compressFrame(manifest)]]),
  };
}

function verify(bundle: SignedBundle, limits: Partial<BundleLimits> = {}) {
  const expected = expecting({ limits: { ...defaultBundleLimits, ...limits } });
  return verifyBundle(bundle, anchors, null, expected);
}

/** `refs` with the bytes of one part replaced, the manifest being right about them. */
function withPart({ refs, objects }: Pieces, name: string, bytes: Uint8Array): SignedBundle {
  const id = parsePartId(name);
  if (id === null) throw new Error("is a part");
  const ref = createPartRef(id, hexDigest(bytes), bytes.length);
  const others = refs.filter((one) => one.name !== name);
  const with_ = new Map([...objects, [ref.digest, compressFrame(bytes)]]);
  return signed(encodeManifest([...others, ref]), with_);
}

test("the pieces put together rightly are accepted", () => {
  const { refs, objects } = pieces();
  expect(verify(signed(encodeManifest(refs), objects))).toMatchObject({ ok: true });
});

test.each(["organization", "providers", "revocations", `account/${shop}/index`])(
  "BND-041 a signed manifest without %s is refused",
  (name) => {
    const { refs, objects } = pieces();
    const manifest = encodeManifest(refs.filter((ref) => ref.name !== name));
    expect(verify(signed(manifest, objects))).toMatchObject({
      ok: false,
      code: "bundle-incomplete",
      partId: "manifest",
    });
  },
);

test("BND-041.3 a slice without its own service is refused, one with another service too", () => {
  const { refs, objects } = pieces();
  const without = refs.filter(({ id }) => id.type !== "service");
  const incomplete = { ok: false, code: "bundle-incomplete" };
  const slice = `${shop}.orders`;
  expect(verify(signed(encodeManifest(refs), objects, slice))).toMatchObject({ ok: true });
  expect(verify(signed(encodeManifest(without), objects, slice))).toMatchObject(incomplete);
  expect(verify(signed(encodeManifest(refs), objects, `${shop}.stock`))).toMatchObject(incomplete);
});

test("BND-031 BND-046 a part that is withheld refuses the whole, whichever kind it is", () => {
  const bundle = bundleOf();
  for (const digest of bundle.objects.keys()) {
    const objects = new Map([...bundle.objects].filter(([key]) => key !== digest));
    expect(verify({ ...bundle, objects })).toMatchObject({ ok: false, code: "bundle-unreadable" });
  }
  expect(bundle.objects.size).toBeGreaterThan(6);
});

test("BND-034.2 the manifest of another slice under our head is refused by the digest", () => {
  const ours = bundleOf();
  const theirs = bundleOf(sampleDirectory({ users: [] }));
  const manifestOf = (bundle: SignedBundle) => [...bundle.objects][0] ?? ["", new Uint8Array()];
  const objects = new Map([...ours.objects, [manifestOf(ours)[0], manifestOf(theirs)[1]]]);
  expect(verify({ ...ours, objects })).toMatchObject({ code: "bundle-digest", partId: "manifest" });
});

test("BND-034.3 a part of another slice for our digest is refused by the digest", () => {
  const ours = pieces();
  const theirs = pieces(sampleDirectory({ serviceControlPolicies: [] }));
  const of = ({ refs }: Pieces) => refs.find(({ name }) => name === "organization")?.digest ?? "";
  ours.objects.set(of(ours), theirs.objects.get(of(theirs)) ?? new Uint8Array());
  const refused = verify(signed(encodeManifest(ours.refs), ours.objects));
  expect(refused).toMatchObject({ code: "bundle-digest", partId: "organization" });
});

test.each([
  { why: "BND-038.2 another id", from: "providers", to: "organization" },
  {
    why: "BND-038.2 another account",
    from: `account/${shop}/index`,
    to: `account/${partner}/index`,
  },
  { why: "BND-038.3 another kind", from: `service/${shop}/orders`, to: `service/${shop}/stock` },
])("a right digest under $why is refused", ({ from, to }) => {
  const { refs, objects } = pieces();
  const part = refs.find(({ name }) => name === from);
  const id = parsePartId(to);
  if (part === undefined || id === null) throw new Error("both exist");
  const moved = createPartRef(id, part.digest, part.bytes);
  const others = refs.filter(({ name }) => name !== to);
  const refused = verify(signed(encodeManifest([...others, moved]), objects));
  expect(refused).toMatchObject({ ok: false, code: "bundle-parse", partId: to });
});

test("BND-038.3 a manifest entry whose kind is not that of its id is refused", () => {
  const { refs, objects } = pieces();
  const parts = encodePartRefs(refs).map((ref) => ({ ...ref, kind: PartKind.POLICY_GROUP }));
  const manifest = toBinary(ManifestSchema, create(ManifestSchema, { parts }));
  expect(verify(signed(manifest, objects))).toMatchObject({ code: "bundle-parse" });
});

test.each([
  { why: "BND-007 BND-038.1 garbage under a wrong digest", bytes: "\xff\xff", length: 0 },
  { why: "BND-007 garbage of a wrong length", bytes: "\xff\xff", length: 1 },
  { why: "BND-039.1 longer than declared", bytes: "\xff\xff", length: -1 },
])("a part is refused before it is decoded: $why", ({ bytes, length }) => {
  const { refs, objects } = pieces();
  const raw = Buffer.from(bytes, "latin1");
  const lied = refs.map((ref) =>
    ref.name === "providers"
      ? createPartRef(ref.id, length === 0 ? ref.digest : hexDigest(raw), raw.length + length)
      : ref,
  );
  for (const ref of lied) if (ref.name === "providers") objects.set(ref.digest, compressFrame(raw));
  const refused = verify(signed(encodeManifest(lied), objects));
  expect(refused).toMatchObject({ ok: false, code: "bundle-digest", partId: "providers" });
});

test("verified garbage is refused by the decoder, and names the part", () => {
  const refused = verify(withPart(pieces(), "providers", Buffer.from("\xff\xff", "latin1")));
  expect(refused).toMatchObject({ ok: false, code: "bundle-parse", partId: "providers" });
});

test("BND-039.2 a part declared above the cap is refused before it is asked for", () => {
  const bundle = bundleOf();
  const limits = { ...defaultBundleLimits, maxPartBytes: 100 };
  expect(verify(bundle, limits)).toMatchObject({ code: "bundle-too-large" });
});

test("BND-039.3 parts whose declared sum is above the slice's limit are not asked for", () => {
  const { refs, objects } = pieces();
  const manifest = encodeManifest(refs);
  const asked: string[] = [];
  const sealed = { ...head, manifestDigest: hexDigest(manifest) };
  const limits = { ...defaultBundleLimits, maxSliceBytes: manifest.length + 100 };
  const steps = verifyContent(sealed, new Map(), limits);
  let step = steps.next(null);
  while (step.done !== true) {
    asked.push(step.value.name);
    step = steps.next(asked.length === 1 ? compressFrame(manifest) : (objects.get("") ?? null));
  }
  expect(step.value).toMatchObject({ code: "bundle-too-large" });
  expect(asked).toEqual(["manifest"]);
});

test("BND-008 a manifest that inflates above its limit is refused at the limit", () => {
  const { objects } = pieces();
  const bomb = Buffer.alloc(8 << 20);
  expect(verify(signed(bomb, objects))).toMatchObject({
    code: "bundle-digest",
    partId: "manifest",
  });
});

test.each([
  { why: "unordered", order: <T>(refs: readonly T[]) => refs.toReversed() },
  { why: "with one id twice", order: <T>(refs: readonly T[]) => [...refs.slice(0, 1), ...refs] },
])("a signed manifest $why is refused", ({ order }) => {
  const { refs, objects } = pieces();
  const parts = order(encodePartRefs(refs));
  const manifest = toBinary(ManifestSchema, create(ManifestSchema, { parts }));
  expect(verify(signed(manifest, objects))).toMatchObject({ code: "bundle-parse" });
});

test("a manifest that lists a bucket itself is refused: buckets stand in an index", () => {
  const encoded = encodeSlice(sampleDirectory(), defaultBundleLimits);
  const all = encoded.ok ? encoded.slice.parts.map(({ ref }) => ref) : [];
  expect(verify(signed(encodeManifest(all), pieces().objects))).toMatchObject({
    code: "bundle-parse",
    detail: expect.stringContaining("belongs into an index"),
  });
});

test("revocations that this reader cannot apply refuse the bundle instead of being overlooked", () => {
  const value = create(RevocationsSchema, { deniedSessions: [{ digest: new Uint8Array(32) }] });
  const part = create(PartSchema, { content: { case: "revocations", value } });
  const refused = verify(withPart(pieces(), "revocations", toBinary(PartSchema, part)));
  expect(refused).toMatchObject({ code: "bundle-parse", partId: "revocations" });
});

/** The organization part of `from`, put into the bundle of the whole sample. */
function withOrganizationOf(from: Partial<Directory>): SignedBundle {
  const encoded = encodeSlice(sampleDirectory(from), defaultBundleLimits);
  const part = encoded.ok && encoded.slice.parts.find(({ ref }) => ref.name === "organization");
  if (!part) throw new Error("has an organization part");
  return withPart(pieces(), "organization", part.bytes);
}

const bare = {
  organization: null,
  organizationalUnits: [],
  serviceControlPolicies: [],
  resourceControlPolicies: [],
  accounts: sampleDirectory().accounts.map((one) => ({ ...one, parentId: null })),
};

test("a tree without its organization is refused: every account would be free of its SCPs", () => {
  const parts = ["organizationalUnits", "serviceControlPolicies", "accounts"] as const;
  for (const kept of [...parts, "resourceControlPolicies"] as const) {
    const from = { ...bare, [kept]: sampleDirectory()[kept] };
    const refused = { code: "bundle-parse", partId: "organization" };
    expect(verify(withOrganizationOf(from)), kept).toMatchObject(refused);
  }
  expect(verify(withOrganizationOf(bare))).toMatchObject({ ok: true });
});

test("BUN-33 an account without a place in its organization is refused, not taken for a free one", () => {
  const accounts = sampleDirectory().accounts.filter(({ id }) => id !== shop);
  expect(verify(withOrganizationOf({ accounts }))).toMatchObject({ code: "bundle-incomplete" });
  const poison = [{ objectId: shop, kind: "account", reason: "unreadable" }];
  expect(verify(withOrganizationOf({ accounts, poison }))).toMatchObject({ ok: true });
});

test("a unique id that occurs twice refuses the bundle", () => {
  const twice = sampleDirectory({ users: [user("bob"), user("bob", { account: partner })] });
  expect(verify(bundleOf(twice))).toMatchObject({ ok: false, code: "bundle-parse" });
});

test("BND-012 the same name in another life is another object", () => {
  const reborn = user("bob", { id: "AIDASECONDLIFE" });
  const verified = verify(bundleOf(sampleDirectory({ users: [reborn] })));
  expect(verified.ok && verified.directory.users.map(({ id }) => id)).toEqual(["AIDASECONDLIFE"]);
});

test("only what changed is asked for again", () => {
  const before = bundleOf();
  const changed = sampleDirectory({ users: [user("bob", { state: "disabled" })] });
  const after = bundleOf(changed, { revision: 6 });
  const first = verify(before);
  if (!first.ok) throw new Error(first.detail);
  const next = verify(after);
  const steps = verifyContent(next.ok ? next.head : head, first.parts, defaultBundleLimits);
  const asked: string[] = [];
  let step = steps.next(null);
  while (step.done !== true) {
    asked.push(step.value.name);
    step = steps.next(after.objects.get(step.value.digest) ?? null);
  }
  expect(asked).toEqual([
    "manifest",
    `account/${shop}/index`,
    expect.stringMatching(/^account\/111122223333\/bucket\/\d+$/),
  ]);
  expect(step.value.ok && step.value.directory.users[0]?.state).toBe("disabled");
});

test("a slice of several services is the one its name says", () => {
  const directory = sampleDirectory({ services: [service("orders"), service("stock")] });
  const { refs, objects } = pieces(directory);
  expect(verify(signed(encodeManifest(refs), objects, `${shop}.orders`))).toMatchObject({
    code: "bundle-incomplete",
  });
});

test("BND-045.2 a renewed head over the same manifest is a new proof, not new content", () => {
  const bundle = bundleOf();
  const verified = verify(bundle);
  if (!verified.ok) throw new Error(verified.detail);
  const renewed = renewHead({ ...verified.head, coveredRevision: 9 }, nowMs + 30_000, hourMs);
  const again = verify({ ...bundle, head: sealHeadOf(renewed, bundleKey) });
  expect(again).toMatchObject({ ok: true, fresh: true, head: { coveredRevision: 9 } });
  expect(again.ok && again.digests).toEqual(verified.digests);
});
