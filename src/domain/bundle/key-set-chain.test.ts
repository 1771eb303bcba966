import { expect, test } from "vitest";
import {
  bundleKey,
  dayMs,
  nextBundleKey,
  nowMs,
  otherRoot,
  root,
  sealedKeySet,
  thief,
  windowOf,
} from "../../../test/fakes/bundle-keys.ts";
import { extendKeySets, type TrustAnchors } from "./key-set-chain.ts";
import { defaultBundleLimits } from "./limits.ts";
import { sealKeySet } from "./signed.ts";

const anchors: TrustAnchors = { rootFingerprints: [root.keyId], org: "o-acme" };
const one = sealedKeySet();
const two = sealedKeySet({ number: 2, bundleKeys: [windowOf(nextBundleKey)] });
const three = sealedKeySet({ number: 3 });

function extend(offered: Record<number, Uint8Array>, trusted = anchors) {
  const numbered = Object.entries(offered).map(([n, bytes]) => [Number(n), bytes] as const);
  return extendKeySets(null, new Map(numbered), trusted, defaultBundleLimits);
}

test("BUN-30 key sets are applied in order, whatever order they come in", () => {
  const { chain, refusal } = extend({ 3: three, 1: one, 2: two });
  expect(refusal).toBeNull();
  expect(chain?.current.number).toBe(3);
  expect(chain?.all.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect([...(chain?.sealed.keys() ?? [])]).toEqual([1, 2, 3]);
});

test("BND-036.1 a carrier that offers fewer key sets takes none back", () => {
  const { chain } = extend({ 1: one, 2: two });
  const again = extendKeySets(chain, new Map([[1, one]]), anchors, defaultBundleLimits);
  expect(again).toEqual({ chain, refusal: null });
});

test("BND-036.2 a gap is refused, and what stands before it is kept", () => {
  const { chain, refusal } = extend({ 1: one, 3: three });
  expect(chain?.current.number).toBe(1);
  expect(refusal).toMatchObject({ code: "bundle-unreadable" });
});

test.each([
  {
    why: "BND-036.4 signed by a root that number 1 did not name",
    bytes: sealedKeySet({ number: 2 }, [otherRoot]),
    code: "bundle-signature",
  },
  {
    why: "BND-005 signed by the bundle key that it wants to keep",
    bytes: sealedKeySet({ number: 2 }, [bundleKey]),
    code: "bundle-signature",
  },
  {
    why: "not signed",
    bytes: sealedKeySet({ number: 2 }, []),
    code: "bundle-signature",
  },
  {
    why: "new roots that did not sign",
    bytes: sealedKeySet({ number: 2, rootKeys: [otherRoot.publicKey] }, [root]),
    code: "bundle-signature",
  },
  {
    why: "BND-003 a huge number under the name of the next one",
    bytes: sealedKeySet({ number: 9_000_000 }),
    code: "bundle-signature",
  },
  {
    why: "BND-006 of another organization",
    bytes: sealedKeySet({ number: 2, org: "o-other" }),
    code: "bundle-mismatch",
  },
  {
    why: "an epoch that goes back",
    bytes: sealedKeySet({ number: 2, minEpoch: 0 }),
    code: "bundle-rollback",
  },
  {
    why: "a payload that is signed and no key set",
    bytes: sealKeySet(Buffer.from("\xff"), [root]),
    code: "bundle-parse",
  },
  {
    why: "expiry before issue",
    bytes: sealedKeySet({ number: 2, expiresAtMs: 1 }),
    code: "bundle-parse",
  },
  {
    why: "a threshold of nobody",
    bytes: sealedKeySet({ number: 2, rootThreshold: 0 }),
    code: "bundle-parse",
  },
  {
    why: "a threshold that its roots cannot reach",
    bytes: sealedKeySet({ number: 2, rootThreshold: 2 }),
    code: "bundle-parse",
  },
  {
    why: "a bundle key whose window is empty",
    bytes: sealedKeySet({ number: 2, bundleKeys: [windowOf(bundleKey, nowMs, nowMs)] }),
    code: "bundle-parse",
  },
  {
    why: "a bundle key of 31 bytes",
    bytes: sealedKeySet({
      number: 2,
      bundleKeys: [{ ...windowOf(bundleKey), publicKey: new Uint8Array(31) }],
    }),
    code: "bundle-parse",
  },
  {
    why: "one kid twice",
    bytes: sealedKeySet({ number: 2, bundleKeys: [windowOf(bundleKey), windowOf(bundleKey)] }),
    code: "bundle-parse",
  },
  {
    why: "an envelope above its limit",
    bytes: Buffer.alloc(defaultBundleLimits.maxKeySetBytes + 1),
    code: "bundle-too-large",
  },
])("a second key set is refused: $why", ({ bytes, code }) => {
  const { chain, refusal } = extend({ 1: one, 2: bytes });
  expect(refusal).toMatchObject({ ok: false, code });
  expect(chain?.current.number).toBe(1);
});

test.each([
  { why: "another root is installed", trusted: { ...anchors, rootFingerprints: [thief.keyId] } },
  { why: "none is installed", trusted: { ...anchors, rootFingerprints: [] } },
  { why: "another organization is expected", trusted: { ...anchors, org: "o-other" } },
])("key set 1 is refused: $why", ({ trusted }) => {
  const { chain, refusal } = extend({ 1: one }, trusted);
  expect(chain).toBeNull();
  expect(refusal).not.toBeNull();
});

test("a thief's key under the installed fingerprint is not the installed key", () => {
  const forged = sealedKeySet({}, [{ ...thief, keyId: root.keyId }]);
  expect(extend({ 1: forged }).refusal).toMatchObject({ code: "bundle-signature" });
});

test("without an expected organization key set 1 says which it is, and number 2 stays with it", () => {
  const free = { ...anchors, org: null };
  expect(extend({ 1: one }, free).chain?.current.org).toBe("o-acme");
  const moved = sealedKeySet({ number: 2, org: "o-other" });
  expect(extend({ 1: one, 2: moved }, free).refusal).toMatchObject({ code: "bundle-mismatch" });
});

test("roots are replaced by a key set that both sign, and the old root then signs no more", () => {
  const rotated = sealedKeySet({ number: 2, rootKeys: [otherRoot.publicKey] }, [root, otherRoot]);
  const byOld = sealedKeySet({ number: 3, rootKeys: [otherRoot.publicKey] }, [root]);
  const byNew = sealedKeySet({ number: 3, rootKeys: [otherRoot.publicKey] }, [otherRoot]);
  expect(extend({ 1: one, 2: rotated, 3: byNew }).chain?.current.number).toBe(3);
  expect(extend({ 1: one, 2: rotated, 3: byOld })).toMatchObject({
    chain: { current: { number: 2 } },
    refusal: { code: "bundle-signature" },
  });
});

test("two of two roots: one signature is not enough, nor is it twice", () => {
  const pair = { rootThreshold: 2, rootKeys: [root.publicKey, otherRoot.publicKey] };
  const first = sealedKeySet(pair, [root, otherRoot]);
  const second = { ...pair, number: 2 };
  expect(extend({ 1: first, 2: sealedKeySet(second, [root]) }).refusal).not.toBeNull();
  expect(extend({ 1: first, 2: sealedKeySet(second, [root, root]) }).refusal).not.toBeNull();
  expect(extend({ 1: first, 2: sealedKeySet(second, [otherRoot, root]) }).refusal).toBeNull();
});

test("an expired key set still leads to the next one", () => {
  const expired = sealedKeySet({ issuedAtMs: nowMs - 9 * dayMs, expiresAtMs: nowMs - dayMs });
  expect(extend({ 1: expired, 2: two }).chain?.current.number).toBe(2);
});
