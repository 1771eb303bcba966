import type { KeyObject } from "node:crypto";
import { quote } from "../../iam/problem.ts";
import { decodeHead, type Head, reader } from "./head.ts";
import type { BundleKey } from "./key-set.ts";
import type { KeySetChain } from "./key-set-chain.ts";
import type { BundleLimits } from "./limits.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { openEnvelope, signersOf } from "./signed.ts";

/** What a sidecar has accepted and never goes behind; one per organization (BUN-10). */
export interface Floor {
  readonly epoch: number;
  readonly coveredRevision: number;
}

/** Everything outside a head that decides whether it is accepted. */
export interface HeadExpectations {
  /** The slice expected; null: taken as it is, from a local folder (BUN-32). */
  readonly slice: string | null;
  /** Wall clock, never earlier than the newest accepted `issuedAtMs` (BUN-11). */
  readonly nowMs: number;
  /** Null before the first activation. */
  readonly floor: Floor | null;
  /**
   * `own-cache`: accepted once, and read again at a restart. It serves whatever has become of its
   * key, its floor and its expiry, but then does not count as fresh (BUN-31).
   */
  readonly origin: "carrier" | "own-cache";
  /** `bootstrap.acceptStale`: without a floor, an expired head is accepted too. */
  readonly acceptStale: boolean;
  /** How far ahead of `nowMs` a fresh head may be issued. 5 minutes. */
  readonly maxFutureMs: number;
  readonly limits: BundleLimits;
}

/** A head whose signature, names and position hold. */
export interface AcceptedHead {
  readonly head: Head;
  /** Whether it proves freshness now, so far as one look at the clock can say (BUN-31). */
  readonly fresh: boolean;
  /** Why it does not, else empty. */
  readonly doubt: string;
}

/**
 * Returns the head of an envelope, or its refusal; the signature is verified before any field is read
 * (BND-007), the position before anything is fetched.
 *
 * Refusals: `bundle-too-large`, `bundle-parse`, `bundle-signature` (no key in force signed it),
 * `bundle-mismatch` (organization or slice), `bundle-rollback` (below the floor, or an epoch that no
 * key set is for), `bundle-expired` (key set, or head without a floor). Source: control-plane 2.5.
 */
export function verifyHead(
  bytes: Uint8Array,
  chain: KeySetChain,
  expected: HeadExpectations,
): ({ readonly ok: true } & AcceptedHead) | Refusal {
  const { limits } = expected;
  const opened = openEnvelope(bytes, limits.maxHeadBytes, limits, "head");
  if (!opened.ok) return opened;
  const { envelope } = opened;
  if (envelope.signatures.some(({ publicKey }) => publicKey.length > 0)) {
    return refuse("bundle-parse", "head: a signature brings its own key");
  }
  const keys = keysInForce(chain, expected.origin);
  const signers = signersOf(envelope, "mesh-iam/head/v1", keys.objects, "head");
  if (!signers.ok) return signers;
  if (signers.keyIds.size === 0) {
    return refuse("bundle-signature", missingSignature(envelope.signatures, chain));
  }
  const decoded = decodeHead(envelope.payload);
  if (!decoded.ok) return decoded;
  const { head } = decoded;
  const refusal = misplaced(head, chain, expected);
  if (refusal !== null) return refusal;
  const windows = [...signers.keyIds].flatMap((kid) => keys.windows.get(kid) ?? []);
  if (!windows.some((key) => within(key, head.issuedAtMs))) {
    return refuse("bundle-signature", "head: issued outside the window of its key");
  }

  const objection = objectionTo(head, windows, chain, expected);
  if (objection !== null && expected.origin === "carrier") return objection;
  const doubt = objection?.detail ?? staleness(head, expected);
  return { ok: true, head, fresh: doubt === "", doubt };
}

interface KeysInForce {
  readonly objects: ReadonlyMap<string, KeyObject>;
  readonly windows: ReadonlyMap<string, readonly BundleKey[]>;
}

// A cached head may have been signed by a key that the newest key set no longer lists.
function keysInForce(chain: KeySetChain, origin: HeadExpectations["origin"]): KeysInForce {
  const keySets = origin === "carrier" ? [chain.current] : chain.all;
  return {
    objects: new Map(keySets.flatMap(({ bundleKeyObjects }) => [...bundleKeyObjects])),
    windows: Map.groupBy(
      keySets.flatMap(({ bundleKeys }) => bundleKeys),
      ({ kid }) => kid,
    ),
  };
}

function within(key: BundleKey, atMs: number): boolean {
  return key.notBeforeMs <= atMs && atMs <= key.notAfterMs;
}

function missingSignature(
  signatures: readonly { readonly keyId: string }[],
  chain: KeySetChain,
): string {
  const [first] = signatures;
  if (first === undefined) return "head: is not signed";
  return `head: signed by ${quote(first.keyId)}, which key set ${chain.current.number} does not list`;
}

/** Why a head can never be ours, wherever it comes from. */
function misplaced(head: Head, chain: KeySetChain, expected: HeadExpectations): Refusal | null {
  if (head.org !== chain.current.org) {
    return refuse(
      "bundle-mismatch",
      `head: expected organization ${quote(chain.current.org)}, got ${quote(head.org)}`,
    );
  }
  if (expected.slice !== null && head.slice !== expected.slice) {
    return refuse(
      "bundle-mismatch",
      `head: expected slice ${quote(expected.slice)}, got ${quote(head.slice)}`,
    );
  }
  if (head.minReader > reader) {
    return refuse("bundle-parse", `head: needs reader ${head.minReader}, this binary is ${reader}`);
  }
  return null;
}

/** Why a carrier's head is not accepted now; the own cache's is then served without being fresh. */
function objectionTo(
  head: Head,
  windows: readonly BundleKey[],
  chain: KeySetChain,
  expected: HeadExpectations,
): Refusal | null {
  const { floor } = expected;
  const { current } = chain;
  // A clock behind the issuer's must not make a new key look early.
  const nowMs = Math.max(expected.nowMs, head.issuedAtMs);
  if (!windows.some((key) => within(key, nowMs))) {
    return refuse("bundle-signature", "head: its key is outside its window");
  }
  if (nowMs >= current.expiresAtMs) {
    return refuse("bundle-expired", `key set ${current.number} has expired`);
  }
  // An epoch begins with the key set that names it and ends with the next one (BUN-10).
  if (head.epoch !== current.minEpoch) {
    return refuse(
      "bundle-rollback",
      `head: epoch ${head.epoch}, key set ${current.number} is for ${current.minEpoch}`,
    );
  }
  if (floor !== null && isBelow(head, floor)) {
    return refuse(
      "bundle-rollback",
      `head: ${head.epoch}.${head.coveredRevision} is behind ${floor.epoch}.${floor.coveredRevision}`,
    );
  }
  if (floor === null && !expected.acceptStale && expected.nowMs >= head.expiresAtMs) {
    const ageSeconds = Math.floor((expected.nowMs - head.issuedAtMs) / 1000);
    return refuse("bundle-expired", `head: expired, issued ${ageSeconds} s ago`);
  }
  return null;
}

function isBelow(head: Head, floor: Floor): boolean {
  if (head.epoch !== floor.epoch) return head.epoch < floor.epoch;
  return head.coveredRevision < floor.coveredRevision;
}

function staleness(head: Head, { nowMs, maxFutureMs }: HeadExpectations): string {
  if (nowMs >= head.expiresAtMs) return "the head has expired";
  if (head.issuedAtMs > nowMs + maxFutureMs) return "the head is issued ahead of the clock";
  return "";
}
