import type { KeyObject } from "node:crypto";
import { quote } from "../../iam/problem.ts";
import { fingerprintOf, importPublicKey } from "./ed25519.ts";
import { decodeKeySet, type ReadableKeySet } from "./key-set.ts";
import type { BundleLimits } from "./limits.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { type Envelope, openEnvelope, signersOf } from "./signed.ts";

/** What a sidecar is installed with: whom it believes without proof. */
export interface TrustAnchors {
  /** `sha256:` and hex of raw root keys; one of them has to sign key set 1. */
  readonly rootFingerprints: readonly string[];
  /** The organization expected; null: that of key set 1, which a local folder may say. */
  readonly org: string | null;
}

/** Key sets that verified, in order, none left out. Immutable; `sealed` are the bytes by number. */
export interface KeySetChain {
  readonly current: ReadableKeySet;
  readonly all: readonly ReadableKeySet[];
  readonly sealed: ReadonlyMap<number, Uint8Array>;
}

/**
 * Returns the longest chain that the offered key sets give, and why it is not longer.
 *
 * `chain` holds what was accepted before: it never gets shorter, whatever is offered. Key set n + 1
 * needs as many signatures by root keys of n as n asks for, number 1 one by an installed root, and
 * each as many by the roots it names itself as it asks of them. The signature comes before the
 * payload. Refusals: `bundle-signature`, `bundle-parse`, `bundle-mismatch`, `bundle-too-large`,
 * `bundle-rollback` for an epoch that goes back, `bundle-unreadable` for a gap. Source: BUN-30.
 */
export function extendKeySets(
  chain: KeySetChain | null,
  offered: ReadonlyMap<number, Uint8Array>,
  anchors: TrustAnchors,
  limits: BundleLimits,
): { readonly chain: KeySetChain | null; readonly refusal: Refusal | null } {
  const last = Math.max(0, ...offered.keys());
  let reached = chain;
  for (let number = (chain?.current.number ?? 0) + 1; number <= last; number++) {
    const bytes = offered.get(number);
    if (bytes === undefined) {
      const refusal = refuse("bundle-unreadable", `key set ${number} is missing before ${last}`);
      return { chain: reached, refusal };
    }
    const next = acceptKeySet(number, bytes, reached?.current ?? null, anchors, limits);
    if (!next.ok) return { chain: reached, refusal: next };
    reached = {
      current: next.keySet,
      all: [...(reached?.all ?? []), next.keySet],
      sealed: new Map([...(reached?.sealed ?? []), [number, bytes]]),
    };
  }
  if (reached !== null) return { chain: reached, refusal: null };
  return { chain: null, refusal: refuse("bundle-unreadable", "key set 1 is missing") };
}

function acceptKeySet(
  number: number,
  bytes: Uint8Array,
  previous: ReadableKeySet | null,
  anchors: TrustAnchors,
  limits: BundleLimits,
): { readonly ok: true; readonly keySet: ReadableKeySet } | Refusal {
  const what = `key set ${number}`;
  const opened = openEnvelope(bytes, limits.maxKeySetBytes, limits, what);
  if (!opened.ok) return opened;
  const { envelope } = opened;

  const roots = previous?.rootKeyObjects ?? installedRoots(envelope, anchors);
  const signers = signersOf(envelope, "mesh-iam/keyset/v1", roots, what);
  if (!signers.ok) return signers;
  const needed = previous?.rootThreshold ?? 1;
  if (signers.keyIds.size < needed) {
    const whose = previous === null ? "an installed root" : `a root of key set ${previous.number}`;
    return refuse(
      "bundle-signature",
      `${what}: expected ${needed} signatures by ${whose}, got ${signers.keyIds.size}`,
    );
  }

  const decoded = decodeKeySet(envelope.payload);
  if (!decoded.ok) return decoded;
  const { keySet } = decoded;
  if (keySet.number !== number) {
    return refuse("bundle-signature", `${what}: is number ${keySet.number}`);
  }
  const org = previous?.org ?? anchors.org;
  if (org !== null && keySet.org !== org) {
    return refuse(
      "bundle-mismatch",
      `${what}: expected organization ${quote(org)}, got ${quote(keySet.org)}`,
    );
  }
  if (previous !== null && keySet.minEpoch < previous.minEpoch) {
    return refuse(
      "bundle-rollback",
      `${what}: epoch ${keySet.minEpoch} is before ${previous.minEpoch}`,
    );
  }
  const own = signersOf(envelope, "mesh-iam/keyset/v1", keySet.rootKeyObjects, what);
  if (!own.ok) return own;
  if (own.keyIds.size < keySet.rootThreshold) {
    return refuse(
      "bundle-signature",
      `${what}: expected ${keySet.rootThreshold} signatures by the roots it names, got ${own.keyIds.size}`,
    );
  }
  return { ok: true, keySet };
}

// The envelope brings the keys, the installed fingerprints say which of them count.
function installedRoots(envelope: Envelope, anchors: TrustAnchors): ReadonlyMap<string, KeyObject> {
  const roots = new Map<string, KeyObject>();
  for (const { keyId, publicKey } of envelope.signatures) {
    if (!anchors.rootFingerprints.includes(keyId) || fingerprintOf(publicKey) !== keyId) continue;
    const key = importPublicKey(publicKey);
    if (key !== null) roots.set(keyId, key);
  }
  return roots;
}
