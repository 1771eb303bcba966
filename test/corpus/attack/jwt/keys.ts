import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A real key pair, made for this run. */
export interface TestKey {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public JWK with `kid`, without `alg` and `use`. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

const digests: Readonly<Record<string, string>> = { 256: "sha256", 384: "sha384", 512: "sha512" };

const curves: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

/** Returns a new key pair for an algorithm of JWS. */
export function createTestKey(id: string, algorithm: string, modulusLength = 2048): TestKey {
  const curve = curves[algorithm];
  const pair =
    curve !== undefined
      ? generateKeyPairSync("ec", { namedCurve: curve })
      : algorithm.startsWith("Ed")
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("rsa", { modulusLength });
  return keyOf(id, algorithm, pair.privateKey, pair.publicKey);
}

/** Returns the same pair under another name or for another algorithm. */
export function renamed(key: TestKey, id: string, algorithm = key.algorithm): TestKey {
  return keyOf(id, algorithm, key.privateKey, key.publicKey);
}

function keyOf(
  id: string,
  algorithm: string,
  privateKey: KeyObject,
  publicKey: KeyObject,
): TestKey {
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: id };
  return { id, algorithm, privateKey, publicKey, jwk };
}

/** Returns the JWS signature of `data`, by the letter of RFC 7518, not by the code under test. */
export function signBytes(algorithm: string, key: KeyObject, data: string): Buffer {
  const digest = digests[algorithm.slice(2)] ?? null;
  const bytes = Buffer.from(data);
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return sign(digest, bytes, { key, padding: constants.RSA_PKCS1_PADDING });
    case "PS":
      return sign(digest, bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case "ES":
      return sign(digest, bytes, { key, dsaEncoding: "ieee-p1363" });
    case "HS":
      return createHmac(digest ?? "", key)
        .update(bytes)
        .digest();
    default:
      return sign(null, bytes, key);
  }
}

export function encode(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString("base64url");
}
