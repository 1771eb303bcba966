import { createHash } from "node:crypto";

/** Returns the SHA-256 of `bytes` in lower-case hex: the name of an object everywhere. */
export function hexDigest(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Returns the 32 bytes that `hex` spells; `hex` is one of our own digests. */
export function digestBytes(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

/** Returns the lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/**
 * Returns the first `bits` (1 to 8) of the digest of a unique id: which bucket an object lies in, the
 * same for ever, since unique ids never change.
 */
export function bucketOf(uniqueId: string, bits: number): number {
  const [first = 0] = createHash("sha256").update(uniqueId).digest();
  return first >> (8 - bits);
}
