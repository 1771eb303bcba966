import { expect, test } from "vitest";
import { expecting, hourMs } from "../../../test/fakes/bundle.ts";
import {
  bundleKey,
  dayMs,
  nextBundleKey,
  nowMs,
  root,
  sealedKeySet,
  thief,
  windowOf,
} from "../../../test/fakes/bundle-keys.ts";
import { encodeHead, type Head } from "./head.ts";
import type { KeySet } from "./key-set.ts";
import { extendKeySets, type KeySetChain } from "./key-set-chain.ts";
import { defaultBundleLimits } from "./limits.ts";
import { sealHead, sealKeySet } from "./signed.ts";
import { verifyHead } from "./verify-head.ts";

function chainOf(...keySets: readonly Partial<KeySet>[]): KeySetChain {
  const sealed = keySets.map(
    (keySet, i) => [i + 1, sealedKeySet({ number: i + 1, ...keySet })] as const,
  );
  const anchors = { rootFingerprints: [root.keyId], org: null };
  const { chain } = extendKeySets(null, new Map(sealed), anchors, defaultBundleLimits);
  if (chain?.current.number !== keySets.length) throw new Error("the chain is good");
  return chain;
}

function headOf(changes: Partial<Head> = {}): Head {
  return {
    org: "o-acme",
    slice: "111122223333.orders",
    epoch: 1,
    revision: 5,
    coveredRevision: 5,
    chain: "",
    manifestDigest: "ab".repeat(32),
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + hourMs,
    minReader: 1,
    ...changes,
  };
}

const first = chainOf({});
const seal = (changes: Partial<Head> = {}, signers = [bundleKey]) =>
  sealHead(encodeHead(headOf(changes)), signers);
const floor = { epoch: 1, coveredRevision: 5 };

test("a head in force is accepted and fresh, with every field as it was signed", () => {
  const whole = headOf({ chain: "0123456789abcdef0123456789abcdef", coveredRevision: 7 });
  const verified = verifyHead(sealHead(encodeHead(whole), [bundleKey]), first, expecting());
  expect(verified).toEqual({ ok: true, head: whole, fresh: true, doubt: "" });
});

test.each([
  { why: "BND-007 an unknown key", bytes: seal({}, [thief]), code: "bundle-signature" },
  { why: "no signature", bytes: seal({}, []), code: "bundle-signature" },
  { why: "the root key", bytes: seal({}, [root]), code: "bundle-signature" },
  {
    why: "a thief under the bundle key's id",
    bytes: seal({}, [{ ...thief, keyId: bundleKey.keyId }]),
    code: "bundle-signature",
  },
  {
    why: "one good and one bad signature of a known key",
    bytes: seal({}, [bundleKey, { ...thief, keyId: bundleKey.keyId }]),
    code: "bundle-signature",
  },
  {
    why: "BND-007 no head at all, badly signed: the signature is what is told",
    bytes: sealHead(Buffer.from("\xff\xff"), [thief]),
    code: "bundle-signature",
  },
  {
    why: "signed, and no head",
    bytes: sealHead(Buffer.from("\xff\xff"), [bundleKey]),
    code: "bundle-parse",
  },
  {
    why: "a signature that brings its own key",
    bytes: sealKeySet(encodeHead(headOf()), [bundleKey]),
    code: "bundle-parse",
  },
  {
    why: "BND-006 another organization",
    bytes: seal({ org: "o-other" }),
    code: "bundle-mismatch",
  },
  {
    why: "BND-034.1 another slice",
    bytes: seal({ slice: "111122223333.stock" }),
    code: "bundle-mismatch",
  },
  { why: "a newer reader", bytes: seal({ minReader: 2 }), code: "bundle-parse" },
  { why: "revision above coverage", bytes: seal({ coveredRevision: 4 }), code: "bundle-parse" },
  { why: "expiry before issue", bytes: seal({ expiresAtMs: nowMs }), code: "bundle-parse" },
  { why: "a short digest", bytes: seal({ manifestDigest: "ab" }), code: "bundle-parse" },
  { why: "a short chain", bytes: seal({ chain: "ab" }), code: "bundle-parse" },
  { why: "no slice", bytes: seal({ slice: "" }), code: "bundle-parse" },
])("a head is refused: $why", ({ bytes, code }) => {
  for (const origin of ["carrier", "own-cache"] as const) {
    const expected = expecting({ slice: "111122223333.orders", origin });
    expect(verifyHead(bytes, first, expected)).toMatchObject({ ok: false, code });
  }
});

test.each([
  {
    why: "BND-001 below the floor",
    bytes: seal({ revision: 4, coveredRevision: 4 }),
    changes: { floor },
    code: "bundle-rollback",
  },
  {
    why: "BND-003 an epoch that no key set is for",
    bytes: seal({ epoch: 2, revision: 9e15, coveredRevision: 9e15 }),
    changes: { floor },
    code: "bundle-rollback",
  },
  {
    why: "the same without a floor",
    bytes: seal({ epoch: 2 }),
    changes: {},
    code: "bundle-rollback",
  },
  {
    why: "BND-035.3 a first boot from the past",
    bytes: seal({ issuedAtMs: nowMs - dayMs, expiresAtMs: nowMs - dayMs + hourMs }),
    changes: {},
    code: "bundle-expired",
  },
  {
    why: "BND-005 a key past its window",
    bytes: seal(),
    changes: { nowMs: nowMs + 91 * dayMs, floor },
    code: "bundle-signature",
  },
  {
    why: "BND-036.3 an expired key set",
    bytes: seal({}, [nextBundleKey]),
    changes: { nowMs: nowMs + 340 * dayMs, floor },
    code: "bundle-expired",
  },
])(
  "a carrier's head is refused, but serves from the own cache: $why",
  ({ bytes, changes, code }) => {
    const chain = chainOf({
      bundleKeys: [
        windowOf(bundleKey),
        windowOf(nextBundleKey, nowMs - dayMs, nowMs + 400 * dayMs),
      ],
    });
    expect(verifyHead(bytes, chain, expecting(changes))).toMatchObject({ ok: false, code });
    const cached = verifyHead(bytes, chain, expecting({ ...changes, origin: "own-cache" }));
    expect(cached).toMatchObject({ ok: true, fresh: false });
  },
);

test("BND-005 a head issued outside the window of its key is refused whatever the time is now", () => {
  const early = chainOf({ bundleKeys: [windowOf(bundleKey, nowMs + dayMs)] });
  for (const origin of ["carrier", "own-cache"] as const) {
    const expected = expecting({ origin, nowMs: nowMs + 2 * dayMs });
    expect(verifyHead(seal(), early, expected)).toMatchObject({ code: "bundle-signature" });
  }
});

test("BND-037.1 an expired head that is newer than the floor is accepted and not fresh", () => {
  const expected = expecting({ floor, nowMs: nowMs + 2 * hourMs });
  const newer = seal({ revision: 6, coveredRevision: 6 });
  expect(verifyHead(newer, first, expected)).toMatchObject({ ok: true, fresh: false });
});

test("BND-035 with acceptStale the past is accepted at a first boot, and not fresh", () => {
  const expected = expecting({ acceptStale: true, nowMs: nowMs + dayMs });
  expect(verifyHead(seal(), first, expected)).toMatchObject({ ok: true, fresh: false });
});

test.each([
  { aheadMs: 300_000, fresh: true },
  { aheadMs: 300_001, fresh: false },
])("BND-037.2 a head issued $aheadMs ms ahead is accepted; fresh: $fresh", ({ aheadMs, fresh }) => {
  const expected = expecting({ nowMs: nowMs - aheadMs });
  expect(verifyHead(seal(), first, expected)).toMatchObject({ ok: true, fresh });
});

test("a clock behind the issuer's does not make a new key look early", () => {
  const chain = chainOf({ bundleKeys: [windowOf(bundleKey, nowMs - 1)] });
  expect(verifyHead(seal(), chain, expecting({ nowMs: nowMs - hourMs }))).toMatchObject({
    ok: true,
  });
});

test("BND-042 after a rotation an older head is ignored, by whichever key, and a newer one of the new key is not", () => {
  const rotated = chainOf({}, { bundleKeys: [windowOf(bundleKey), windowOf(nextBundleKey)] });
  const older = { revision: 4, coveredRevision: 4 };
  const expected = expecting({ floor });
  for (const signers of [[bundleKey], [nextBundleKey], [bundleKey, nextBundleKey]]) {
    expect(verifyHead(seal(older, signers), rotated, expected)).toMatchObject({
      code: "bundle-rollback",
    });
  }
  expect(verifyHead(seal({}, [nextBundleKey]), rotated, expected)).toMatchObject({ ok: true });
});

test("a key that the newest key set leaves out signs no head, but its cached one still serves", () => {
  const rotated = chainOf({}, { bundleKeys: [windowOf(nextBundleKey)] });
  expect(verifyHead(seal(), rotated, expecting())).toMatchObject({ code: "bundle-signature" });
  expect(verifyHead(seal(), rotated, expecting({ origin: "own-cache" }))).toMatchObject({
    ok: true,
  });
});

test("BND-043 a fast-forward by a stolen key ends with a key set of a higher epoch", () => {
  const huge = { epoch: 1, coveredRevision: Number.MAX_SAFE_INTEGER };
  const recovered = chainOf({}, { minEpoch: 2, bundleKeys: [windowOf(nextBundleKey)] });
  const real = seal({ epoch: 2, revision: 6, coveredRevision: 6 }, [nextBundleKey]);
  expect(verifyHead(real, recovered, expecting({ floor: huge }))).toMatchObject({ ok: true });
  const stolen = seal({ revision: 9e15, coveredRevision: 9e15 }, [bundleKey]);
  expect(verifyHead(stolen, recovered, expecting({ floor: huge }))).toMatchObject({ ok: false });
});
