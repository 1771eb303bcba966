import { constants, type KeyObject, verify } from "node:crypto";

/** What a public key can do: its type, and for a curve which. */
export type KeyFamily = "RSA" | "P-256" | "P-384" | "P-521" | "Ed25519";

interface Algorithm {
  readonly family: KeyFamily;
  /** Null: the algorithm brings its own. */
  readonly digest: "sha256" | "sha384" | "sha512" | null;
  /** Exact length of a signature in bytes; null: the modulus decides. */
  readonly signatureBytes: number | null;
  readonly padding: number | null;
  readonly saltBytes: number | null;
}

const rsa = (digest: "sha256" | "sha384" | "sha512"): Algorithm => ({
  family: "RSA",
  digest,
  signatureBytes: null,
  padding: constants.RSA_PKCS1_PADDING,
  saltBytes: null,
});

const pss = (digest: "sha256" | "sha384" | "sha512", saltBytes: number): Algorithm => ({
  family: "RSA",
  digest,
  signatureBytes: null,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltBytes,
});

const ecdsa = (
  family: KeyFamily,
  digest: "sha256" | "sha384" | "sha512",
  signatureBytes: number,
): Algorithm => ({ family, digest, signatureBytes, padding: null, saltBytes: null });

const ed25519: Algorithm = {
  family: "Ed25519",
  digest: null,
  signatureBytes: 64,
  padding: null,
  saltBytes: null,
};

/**
 * The algorithms a token may name (RFC 7518, 3.1; RFC 8037; RFC 9864). There is no HMAC: a secret that
 * verifies also signs, and no issuer of ours shares one (security-and-reliability, 3.1).
 */
const algorithms = {
  RS256: rsa("sha256"),
  RS384: rsa("sha384"),
  RS512: rsa("sha512"),
  PS256: pss("sha256", 32),
  PS384: pss("sha384", 48),
  PS512: pss("sha512", 64),
  ES256: ecdsa("P-256", "sha256", 64),
  ES384: ecdsa("P-384", "sha384", 96),
  ES512: ecdsa("P-521", "sha512", 132),
  EdDSA: ed25519,
  Ed25519: ed25519,
} as const satisfies Record<string, Algorithm>;

export type TokenAlgorithm = keyof typeof algorithms;

/** True for the exact name of an algorithm of ours; `alg` is the sender's text. */
export function isTokenAlgorithm(alg: string): alg is TokenAlgorithm {
  return Object.hasOwn(algorithms, alg);
}

/** Returns the family of keys that `algorithm` needs. */
export function familyOf(algorithm: TokenAlgorithm): KeyFamily {
  return algorithms[algorithm].family;
}

/**
 * True if `signature` is a signature of `data` under `key`, whose family must be the algorithm's.
 * Synchronous (25 to 100 µs). ECDSA signatures are the two numbers side by side, never DER. A failure
 * inside the cryptography is a "no".
 */
export function verifySignature(
  algorithm: TokenAlgorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { digest, signatureBytes, padding, saltBytes }: Algorithm = algorithms[algorithm];
  if (signatureBytes !== null && signature.length !== signatureBytes) return false;
  try {
    if (padding === null) {
      return verify(digest, data, { key, dsaEncoding: "ieee-p1363" }, signature);
    }
    return saltBytes === null
      ? verify(digest, data, { key, padding }, signature)
      : verify(digest, data, { key, padding, saltLength: saltBytes }, signature);
  } catch {
    // The key was checked when its set was loaded, so only the sender's bytes can be at fault.
    return false;
  }
}
