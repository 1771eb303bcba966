import { expect, test } from "vitest";
import { bundleOf, expecting } from "../../../test/fakes/bundle.ts";
import {
  managedPolicy,
  sampleDirectory,
  service,
  user,
} from "../../../test/fakes/bundle-directory.ts";
import { root } from "../../../test/fakes/bundle-keys.ts";
import { compressFrame, inflateFrame } from "./frame.ts";
import { extendKeySets } from "./key-set-chain.ts";
import { defaultBundleLimits } from "./limits.ts";
import { verifyBundle } from "./verify.ts";
import { verifyContent } from "./verify-content.ts";
import { verifyHead } from "./verify-head.ts";

const anchors = { rootFingerprints: [root.keyId], org: "o-acme" };
// Small, yet with every kind of part.
const bundle = bundleOf(
  sampleDirectory({
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    groups: [],
    roles: [],
    workloads: [],
    users: [user("bob", { attachedPolicyIds: ["ANPAREAD"] })],
    managedPolicies: [managedPolicy("read", "{}")],
    oidcProviders: [],
    services: [service("orders")],
  }),
);
const verified = verifyBundle(bundle, anchors, null, expecting());
if (!verified.ok) throw new Error(verified.detail);
const { head, keySets, parts, directory } = verified;

function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

/** Returns how many flips of `bytes` are accepted; fails when none was tried. */
function accepted(bytes: Uint8Array, accepts: (flipped: Uint8Array) => boolean): number {
  const outcomes = [...flips(bytes)].map(accepts);
  expect(outcomes).toHaveLength(bytes.length * 8);
  expect(outcomes.length).toBeGreaterThan(0);
  return outcomes.filter((ok) => ok).length;
}

/** Verifies the content with the frame of one object replaced; the other parts are known already. */
function verifyWith(digest: string, frame: Uint8Array) {
  const known = new Map([...parts].filter(([key]) => key !== digest));
  const steps = verifyContent(head, known, defaultBundleLimits);
  let step = steps.next(null);
  while (step.done !== true) {
    const asked = step.value.digest;
    step = steps.next(asked === digest ? frame : (bundle.objects.get(asked) ?? null));
  }
  return step.value;
}

test("BND-004 no bit of the head can be flipped", () => {
  const accepts = (bytes: Uint8Array) => verifyHead(bytes, keySets, expecting()).ok;
  expect(accepts(bundle.head)).toBe(true);
  expect(accepted(bundle.head, accepts)).toBe(0);
});

test("BND-004 no bit of a key set can be flipped", () => {
  const accepts = (bytes: Uint8Array) =>
    extendKeySets(null, new Map([[1, bytes]]), anchors, defaultBundleLimits).refusal === null;
  const [bytes = new Uint8Array()] = bundle.keySets.values();
  expect(accepts(bytes)).toBe(true);
  expect(accepted(bytes, accepts)).toBe(0);
});

test("BND-004 BND-038.1 no bit of the manifest or of a part can be flipped", () => {
  for (const [digest, frame] of bundle.objects) {
    const inflated = inflateFrame(frame, 1 << 20, false, digest);
    if (!inflated.ok) throw new Error("inflates");
    const accepts = (bytes: Uint8Array) => verifyWith(digest, compressFrame(bytes)).ok;
    expect(accepts(inflated.bytes)).toBe(true);
    expect(accepted(inflated.bytes, accepts)).toBe(0);
  }
});

test("a bit of the compression may be idle, but what comes out of a frame is what was signed", () => {
  let refused = 0;
  for (const [digest, frame] of bundle.objects) {
    for (const flipped of flips(frame)) {
      const result = verifyWith(digest, flipped);
      if (result.ok) expect(result.directory).toEqual(directory);
      else refused++;
    }
  }
  expect(refused).toBeGreaterThan(1_000);
});
