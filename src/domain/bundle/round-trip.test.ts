import fc from "fast-check";
import { expect, test } from "vitest";
import { bundleOf, expecting } from "../../../test/fakes/bundle.ts";
import { sampleDirectory } from "../../../test/fakes/bundle-directory.ts";
import { root } from "../../../test/fakes/bundle-keys.ts";
import { arbitraryDirectory } from "../../../test/property/arbitrary-directory.ts";
import type { Directory } from "../directory/model.ts";
import { sortById } from "./byte-order.ts";
import { verifyBundle } from "./verify.ts";

const anchors = { rootFingerprints: [root.keyId], org: null };

/** The order of entities says nothing, so it is made the same. */
function inOrder(directory: Directory): Directory {
  const entries = Object.entries(directory).map(([key, value]) => {
    if (!Array.isArray(value)) return [key, value];
    return [key, sortById(value.map((one) => ({ ...one, id: one.id ?? one.objectId })))];
  });
  return Object.fromEntries(entries) as Directory;
}

function carried(directory: Directory): Directory {
  const verified = verifyBundle(bundleOf(directory), anchors, null, expecting());
  if (!verified.ok) throw new Error(`${verified.code}: ${verified.detail}`);
  return verified.directory;
}

test("a directory goes through a bundle unchanged", () => {
  expect(inOrder(carried(sampleDirectory()))).toEqual(inOrder(sampleDirectory()));
});

test("any directory goes through a bundle unchanged", () => {
  fc.assert(
    fc.property(arbitraryDirectory, (directory) => {
      expect(inOrder(carried(directory))).toEqual(inOrder(directory));
    }),
    { numRuns: 60 },
  );
});

test("BUN-6 the same content gives the same manifest, whatever the order it is listed in", () => {
  fc.assert(
    fc.property(arbitraryDirectory, (directory) => {
      const entries = Object.entries(directory).map(([key, value]) => {
        if (value instanceof Map) return [key, new Map([...value].reverse())];
        return [key, Array.isArray(value) ? value.toReversed() : value];
      });
      const turned = Object.fromEntries(entries) as Directory;
      expect([...bundleOf(turned).objects.keys()].sort()).toEqual(
        [...bundleOf(directory).objects.keys()].sort(),
      );
    }),
    { numRuns: 25 },
  );
});

test("where a policy was read from stays behind, so that moving a line changes no digest", () => {
  const [scp, ...rest] = sampleDirectory().serviceControlPolicies.toReversed();
  if (scp?.policy == null) throw new Error("the sample has a policy here");
  const moved = { ...scp, policy: { ...scp.policy, source: "scp.yaml:3" } };
  const objects = bundleOf(sampleDirectory({ serviceControlPolicies: [moved, ...rest] })).objects;
  expect([...objects.keys()]).toEqual([...bundleOf().objects.keys()]);
});
