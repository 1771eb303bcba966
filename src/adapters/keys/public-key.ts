import { KeyObject, type webcrypto } from "node:crypto";
import { importJWK, type JWK } from "jose";
import type { JsonObject, JsonValue } from "../../iam/policy/json.ts";
import { isSmallOrder } from "./ed25519-points.ts";
import { hasRocaFingerprint } from "./roca.ts";

/** What a public key can do: its type, and for a curve which. */
export type KeyFamily = "RSA" | "P-256" | "P-384" | "P-521" | "Ed25519";

/** Why an entry of a key set is not used; a stable word for logs. */
export type KeyRefusal =
  | "shape"
  | "key-id"
  | "use"
  | "key-type"
  | "secret"
  | "private"
  | "algorithm"
  | "curve"
  | "rsa-size"
  | "rsa-exponent"
  | "rsa-weak"
  | "point"
  | "unusable"
  | "repeated";

/** The public members of a key that passed every check of its numbers, and nothing else of it. */
export interface PublicKeyMaterial {
  readonly algorithm: string | null;
  readonly family: KeyFamily;
  readonly jwk: JWK;
}

type Read =
  | { readonly ok: true; readonly value: PublicKeyMaterial }
  | { readonly ok: false; readonly cause: KeyRefusal };

const minRsaBits = 2048;
/** A larger modulus makes each verification slow without making it safer. */
const maxRsaBits = 8192;

/** The algorithms that a key may be bound to, and the family each needs; HMAC is none of them. */
const families: ReadonlyMap<string, KeyFamily> = new Map([
  ["RS256", "RSA"],
  ["RS384", "RSA"],
  ["RS512", "RSA"],
  ["PS256", "RSA"],
  ["PS384", "RSA"],
  ["PS512", "RSA"],
  ["ES256", "P-256"],
  ["ES384", "P-384"],
  ["ES512", "P-521"],
  ["EdDSA", "Ed25519"],
  ["Ed25519", "Ed25519"],
]);

const coordinateBytes: ReadonlyMap<string, number> = new Map([
  ["P-256", 32],
  ["P-384", 48],
  ["P-521", 66],
]);

/** The algorithm that the import is told; the family is what it decides. */
const importAlgorithms: Readonly<Record<KeyFamily, string>> = {
  RSA: "RS256",
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
  Ed25519: "Ed25519",
};

/**
 * Returns the public key that a JWK describes, or the cause to leave it out (RFC 7517, 7518, 8037):
 * a secret, a private key, RSA below 2,048 or above 8,192 bits, with a trivial exponent or of the
 * weak generator known as ROCA, a curve that is not ours, a coordinate of the wrong length, an Ed25519
 * point of small order, an `alg` that the key cannot serve. Pure, about 50 µs; imports nothing.
 */
export function readPublicKey(entry: JsonObject): Read {
  if (textMember(entry, "kty") === "oct") return no("secret");
  if (["d", "p", "q", "k"].some((name) => memberOf(entry, name) !== undefined))
    return no("private");
  const algorithm = textMember(entry, "alg");
  const bound = algorithm === undefined ? undefined : families.get(algorithm ?? "");
  if (algorithm === undefined || (algorithm !== null && bound === undefined))
    return no("algorithm");
  const read = readNumbers(entry);
  if ("cause" in read) return no(read.cause);
  if (bound !== undefined && bound !== read.family) return no("algorithm");
  return { ok: true, value: { algorithm, ...read } };
}

/** Returns the key as `node:crypto` verifies with it, or null if the library refuses its numbers. */
export async function importPublicKey(material: PublicKeyMaterial): Promise<KeyObject | null> {
  try {
    const key = await importJWK(material.jwk, importAlgorithms[material.family]);
    return key instanceof Uint8Array ? null : KeyObject.from(key as webcrypto.CryptoKey);
  } catch {
    // A point off its curve and the like; the caller names the entry, the cause adds nothing.
    return null;
  }
}

function readNumbers(
  entry: JsonObject,
): { readonly family: KeyFamily; readonly jwk: JWK } | { readonly cause: KeyRefusal } {
  switch (textMember(entry, "kty")) {
    case "RSA":
      return readRsa(entry);
    case "EC":
      return readCurve(entry);
    case "OKP":
      return readEdwards(entry);
    default:
      return { cause: "key-type" };
  }
}

function readRsa(entry: JsonObject): ReturnType<typeof readNumbers> {
  const n = bytesMember(entry, "n");
  const e = bytesMember(entry, "e");
  if (n === null || e === null) return { cause: "shape" };
  const modulus = toInteger(n.bytes);
  const bits = modulus.toString(2).length;
  if (bits < minRsaBits || bits > maxRsaBits) return { cause: "rsa-size" };
  // With exponent 1 anybody signs; an even one is no RSA; a long one only costs.
  const exponent = toInteger(e.bytes);
  if (exponent < 3n || exponent % 2n === 0n || exponent > 0xffff_ffffn) {
    return { cause: "rsa-exponent" };
  }
  if (modulus % 2n === 0n || hasRocaFingerprint(modulus)) return { cause: "rsa-weak" };
  return { family: "RSA", jwk: { kty: "RSA", n: n.text, e: e.text } };
}

function readCurve(entry: JsonObject): ReturnType<typeof readNumbers> {
  const crv = textMember(entry, "crv");
  if (crv !== "P-256" && crv !== "P-384" && crv !== "P-521") return { cause: "curve" };
  const x = bytesMember(entry, "x");
  const y = bytesMember(entry, "y");
  if (x === null || y === null) return { cause: "shape" };
  const length = coordinateBytes.get(crv);
  if (x.bytes.length !== length || y.bytes.length !== length) return { cause: "point" };
  return { family: crv, jwk: { kty: "EC", crv, x: x.text, y: y.text } };
}

function readEdwards(entry: JsonObject): ReturnType<typeof readNumbers> {
  if (textMember(entry, "crv") !== "Ed25519") return { cause: "curve" };
  const x = bytesMember(entry, "x");
  if (x === null) return { cause: "shape" };
  if (x.bytes.length !== 32 || isSmallOrder(x.bytes)) return { cause: "point" };
  return { family: "Ed25519", jwk: { kty: "OKP", crv: "Ed25519", x: x.text } };
}

/** Returns a member that is canonical base64url and not empty, else null. */
function bytesMember(
  entry: JsonObject,
  name: string,
): { readonly text: string; readonly bytes: Buffer } | null {
  const text = textMember(entry, name);
  if (text === undefined || text === null || text === "") return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? { text, bytes } : null;
}

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

/** Returns the member `name`, undefined if the object has none. */
export function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  return object.entries.find((entry) => entry.key === name)?.value;
}

/** Returns a text member, null if it is absent, undefined if it is of another type. */
export function textMember(object: JsonObject, name: string): string | null | undefined {
  const value = memberOf(object, name);
  if (value === undefined) return null;
  return value.type === "string" ? value.value : undefined;
}

function no(cause: KeyRefusal): Read {
  return { ok: false, cause };
}
