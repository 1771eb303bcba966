import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { bundleOf, expecting } from "../../../test/fakes/bundle.ts";
import {
  managedPolicy,
  policyText,
  role,
  sampleDirectory,
  service,
  user,
} from "../../../test/fakes/bundle-directory.ts";
import { root } from "../../../test/fakes/bundle-keys.ts";
import { type Part, PartSchema } from "../../gen/meshiam/bundle/v1/part_pb.ts";
import { TagSchema } from "../../gen/meshiam/bundle/v1/policy_pb.ts";
import type { Directory } from "../directory/model.ts";
import { buildBundle } from "./build.ts";
import { decodePart } from "./decode-part.ts";
import { hexDigest } from "./digest.ts";
import { encodeSlice } from "./encode-slice.ts";
import { defaultBundleLimits } from "./limits.ts";
import { createPartRef } from "./manifest.ts";
import { verifyBundle } from "./verify.ts";

const anchors = { rootFingerprints: [root.keyId], org: "o-acme" };

function carried(directory: Directory): Directory {
  const verified = verifyBundle(bundleOf(directory), anchors, null, expecting());
  if (!verified.ok) throw new Error(`${verified.code}: ${verified.detail}`);
  return verified.directory;
}

const large = `{"Version":"2012-10-17","Statement":[],"Id":"${"x".repeat(256 * 1024)}"}`;
const halfOfAPair = '{"Version":"2012-10-17","Statement":[{"Sid":"\ud83d"}]}';

test.each([
  {
    why: "BND-040.1 an SCP above its limit",
    changes: {
      serviceControlPolicies: [
        { id: "p-1", name: "scp", targetIds: ["r-1"], policy: policyText("p-1", large) },
      ],
    },
    marker: { objectId: "p-1", kind: "serviceControlPolicy" },
  },
  {
    why: "BND-040.2 a boundary that is not well-formed text",
    changes: {
      managedPolicies: [managedPolicy("read"), managedPolicy("boundary", halfOfAPair)],
    },
    marker: { objectId: "ANPABOUNDARY", kind: "managedPolicy" },
  },
  {
    why: "BND-040.3 a role whose inline policy is above its limit",
    changes: { roles: [role("app", { inlinePolicies: [policyText("x", large)] })] },
    marker: { objectId: "AROAAPP", kind: "role" },
  },
  {
    why: "a number out of range",
    changes: { roles: [role("app", { maxSessionSeconds: 2 ** 40 })] },
    marker: { objectId: "AROAAPP", kind: "role" },
  },
  {
    why: "a service above its limit",
    changes: { services: [service("orders", { resourcePolicy: policyText("x", large) })] },
    marker: { objectId: "svc-orders", kind: "service" },
  },
])("an object that cannot be encoded leaves a marker: $why", ({ changes, marker }) => {
  const directory = sampleDirectory(changes);
  const got = carried(directory);
  expect(got.poison).toContainEqual({ ...marker, reason: expect.any(String) });
  const ids = [got.serviceControlPolicies, got.managedPolicies, got.roles, got.services].flat();
  expect(ids.map(({ id }) => id)).not.toContain(marker.objectId);
  const encoded = encodeSlice(directory, defaultBundleLimits);
  expect(encoded.ok && encoded.slice.poison).toMatchObject([marker]);
});

test("a service whose routes cannot be compiled is marked, not a reason to refuse the bundle", () => {
  const { routes } = service("stock");
  const broken = service("stock", { routes: [...routes, ...routes] });
  const got = carried(sampleDirectory({ services: [service("orders"), broken] }));
  expect(got.services.map(({ name }) => name)).toEqual(["orders"]);
  expect(got.poison).toMatchObject([{ objectId: broken.id, kind: "service" }]);
});

test("the reason of a marker does not quote the object", () => {
  const got = carried(sampleDirectory({ managedPolicies: [managedPolicy("read", halfOfAPair)] }));
  expect(JSON.stringify(got.poison)).not.toContain("Statement");
});

test("an organization that cannot be encoded refuses the bundle: nobody may fall out of it", () => {
  const sample = sampleDirectory();
  const organization = sample.organization && { ...sample.organization, name: "\ud83d" };
  const verified = verifyBundle(
    bundleOf(sampleDirectory({ organization })),
    anchors,
    null,
    expecting(),
  );
  expect(verified).toMatchObject({ code: "bundle-parse", partId: "organization" });
});

test.each([
  { why: "a policy", changes: { managedPolicies: [managedPolicy("boundary")] }, id: "ANPAREAD" },
  { why: "a boundary", changes: { managedPolicies: [managedPolicy("read")] }, id: "ANPABOUNDARY" },
  { why: "a group", changes: { groups: [] }, id: "AGPADEVS" },
])("$why that is referred to and absent is marked, not empty", ({ changes, id }) => {
  expect(carried(sampleDirectory(changes)).poison).toContainEqual(
    expect.objectContaining({ objectId: id }),
  );
});

/** Decodes the bucket of user bob after `change`, as a newer or faulty writer would have sent it. */
function bucketWith(
  change: (bucket: Extract<Part["content"], { case: "bucket" }>["value"]) => void,
) {
  const encoded = encodeSlice(
    sampleDirectory({ users: [user("bob")], groups: [], roles: [], workloads: [] }),
    defaultBundleLimits,
  );
  if (!encoded.ok) throw new Error(encoded.detail);
  const part = encoded.slice.parts.find(({ ref }) => ref.id.type === "principal-bucket");
  if (part === undefined) throw new Error("has a bucket");
  const message = fromBinary(PartSchema, part.bytes);
  if (message.content.case !== "bucket") throw new Error("is a bucket");
  change(message.content.value);
  const bytes = toBinary(PartSchema, message);
  const ref = createPartRef(part.ref.id, hexDigest(bytes), bytes.length);
  return decodePart(ref, bytes, defaultBundleLimits);
}

test("an object of a newer schema inside a readable part is marked, its neighbours are read", () => {
  const decoded = bucketWith(({ users }) => {
    const [bob] = users;
    if (bob?.identity === undefined) throw new Error("has bob");
    users.push({ ...bob, identity: { ...bob.identity, id: "AIDANEW" }, state: 9 as 1 });
  });
  expect(decoded).toMatchObject({
    ok: true,
    part: {
      content: { users: [{ id: "AIDABOB" }] },
      poison: [{ objectId: "AIDANEW", kind: "user", reason: "state has the unknown value 9" }],
    },
  });
});

test("a tag key that occurs twice makes its owner unreadable", () => {
  const decoded = bucketWith(({ users }) => {
    for (const value of ["blue", "red"]) {
      users[0]?.tags.push(create(TagSchema, { key: "team", value }));
    }
  });
  expect(decoded).toMatchObject({
    part: { content: { users: [] }, poison: [{ objectId: "AIDABOB" }] },
  });
});

test("an object without an id refuses its part: no marker could name it", () => {
  const decoded = bucketWith(({ users }) => {
    for (const { identity } of users) if (identity) identity.id = "";
  });
  expect(decoded).toMatchObject({ ok: false, code: "bundle-parse" });
});

test("a bucket of another account is refused", () => {
  const decoded = bucketWith((bucket) => {
    bucket.account = "444455556666";
  });
  expect(decoded).toMatchObject({ ok: false, code: "bundle-parse" });
});

test("an unknown field is passed over", () => {
  const encoded = encodeSlice(sampleDirectory(), defaultBundleLimits);
  const part = encoded.ok ? encoded.slice.parts.find(({ ref }) => ref.name === "providers") : null;
  if (!part) throw new Error("has providers");
  const bytes = Buffer.concat([part.bytes, Buffer.from([0xfa, 0x01, 0x01, 0x00])]);
  const ref = createPartRef(part.ref.id, hexDigest(bytes), bytes.length);
  expect(decodePart(ref, bytes, defaultBundleLimits)).toMatchObject({ ok: true });
});

test("BUN-39 a slice, a part or a manifest above its limit is refused when it is built", () => {
  const options = {
    slice: "all",
    epoch: 1,
    revision: 1,
    coveredRevision: 1,
    issuedAtMs: 1,
    validForMs: 1,
    signer: null,
  };
  for (const name of ["maxSliceBytes", "maxPartBytes", "maxManifestBytes"] as const) {
    const limits = { ...defaultBundleLimits, [name]: 100 };
    expect(buildBundle(sampleDirectory(), { ...options, limits })).toMatchObject({
      ok: false,
      code: "bundle-too-large",
    });
  }
});
