import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { hexDigest } from "./digest.ts";

/** What signs a head or a key set. `keyId` is what the signature names; the private key stays inside. */
export interface Signer {
  readonly keyId: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Returns the 64-byte signature of `bytes`. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** Returns `sha256:` and the hex digest of the raw public key: what a sidecar is installed with (BUN-9). */
export function fingerprintOf(publicKey: Uint8Array): string {
  return `sha256:${hexDigest(publicKey)}`;
}

/** Returns whether `text` is a fingerprint: `sha256:` and 64 lower-case hex digits. */
export function isFingerprint(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/**
 * Returns a signer of a private Ed25519 key, its key id the fingerprint; null for a key of another
 * kind.
 */
export function createSigner(privateKey: KeyObject): Signer | null {
  if (privateKey.type !== "private" || privateKey.asymmetricKeyType !== "ed25519") return null;
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = Buffer.from(x ?? "", "base64url");
  return {
    keyId: fingerprintOf(publicKey),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/** Returns the key of 32 raw bytes, null when they are not a point of the curve or not 32. */
export function importPublicKey(raw: Uint8Array): KeyObject | null {
  if (raw.byteLength !== 32) return null;
  try {
    const x = Buffer.from(raw).toString("base64url");
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    // OpenSSL's way of saying no.
    return null;
  }
}

/** Returns whether `signature` is one of `bytes` by `key`. One fixed algorithm, no negotiation. */
export function verifySignature(bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return signature.byteLength === 64 && verify(null, bytes, key, signature);
}
