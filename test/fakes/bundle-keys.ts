import { createPrivateKey } from "node:crypto";
import { createSigner, type Signer } from "../../src/domain/bundle/ed25519.ts";
import { encodeKeySet, type KeySet } from "../../src/domain/bundle/key-set.ts";
import { sealKeySet } from "../../src/domain/bundle/signed.ts";

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** Returns a real Ed25519 signer of a seed of one repeated byte: the same key in every run. */
export function signerOf(seed: number): Signer {
  const der = Buffer.concat([pkcs8Prefix, Buffer.alloc(32, seed)]);
  const signer = createSigner(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  if (signer === null) throw new Error("not an Ed25519 key");
  return signer;
}

export const root = signerOf(1);
export const otherRoot = signerOf(2);
export const bundleKey = signerOf(3);
export const nextBundleKey = signerOf(4);
export const thief = signerOf(5);

/** 2026-11-24T00:00:00Z, the "now" of the tests. */
export const nowMs = Date.UTC(2026, 10, 24);
export const dayMs = 86_400_000;

/** Returns a key set with one bundle key in force around `nowMs`, changed by `changes`. */
export function keySetOf(changes: Partial<KeySet> = {}): KeySet {
  return {
    number: 1,
    org: "o-acme",
    minEpoch: 1,
    bundleKeys: [windowOf(bundleKey)],
    rootThreshold: 1,
    rootKeys: [root.publicKey],
    issuedAtMs: nowMs - 30 * dayMs,
    expiresAtMs: nowMs + 335 * dayMs,
    ...changes,
  };
}

/** Returns `signer` as a bundle key with a window of half a year around `nowMs`. */
export function windowOf(
  signer: Signer,
  notBeforeMs = nowMs - 90 * dayMs,
  notAfterMs = nowMs + 90 * dayMs,
): KeySet["bundleKeys"][number] {
  return { kid: signer.keyId, publicKey: signer.publicKey, notBeforeMs, notAfterMs };
}

/** Returns the sealed bytes of `keySetOf(changes)`, signed by `signers`. */
export function sealedKeySet(changes: Partial<KeySet> = {}, signers = [root]): Uint8Array {
  return sealKeySet(encodeKeySet(keySetOf(changes)), signers);
}
