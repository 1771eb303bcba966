import type { KeyObject } from "node:crypto";
import { type JsonObject, type JsonValue, parseJson } from "../../iam/policy/json.ts";
import type { Parsed } from "../../iam/problem.ts";
import {
  importPublicKey,
  type KeyFamily,
  type KeyRefusal,
  memberOf,
  readPublicKey,
  textMember,
} from "./public-key.ts";

/** A public key that passed every check. An equal key of a later set is the same object. Frozen. */
export interface LoadedKey {
  /** `kid`, null where the set gives none. */
  readonly id: string | null;
  /** The JWK's `alg`; null: any algorithm of its family. */
  readonly algorithm: string | null;
  readonly family: KeyFamily;
  readonly key: KeyObject;
}

/** The keys of one issuer at one time; immutable. */
export interface KeySet {
  /** An id that two usable keys claim is ambiguous, and neither is found under it (JWT-126). */
  readonly byId: ReadonlyMap<string, LoadedKey | "ambiguous">;
  /** Every key that may verify: those of an ambiguous id are not among them. */
  readonly all: readonly LoadedKey[];
  /** Each key under everything that makes it what it is. */
  readonly byFingerprint: ReadonlyMap<string, LoadedKey>;
}

/** What came of a text: the set, and what of it is not used. */
export interface LoadedKeySet {
  readonly keys: KeySet;
  readonly refused: readonly RefusedKey[];
  /** `spiffe_sequence` and `spiffe_refresh_hint` of a trust bundle, null where absent. */
  readonly sequence: number | null;
  readonly refreshHintSeconds: number | null;
}

export interface RefusedKey {
  readonly keyId: string | null;
  readonly cause: KeyRefusal;
}

/** `jwks` is the key set of an OIDC provider, `spiffe` the bundle of a trust domain. */
export type KeySetForm = "jwks" | "spiffe";

export interface KeySetLimits {
  /** Default 524,288: a set of fifty keys with their certificate chains has about 200 KiB. */
  readonly maxBytes: number;
  /** Default 256. A set with more entries is refused as a whole. */
  readonly maxKeys: number;
}

export const defaultKeySetLimits: KeySetLimits = Object.freeze({
  maxBytes: 524_288,
  maxKeys: 256,
});

const maxDepth = 16;
const maxKeyIdChars = 1024;

/**
 * Returns the keys of a JWK Set (RFC 7517) or SPIFFE bundle, or why the whole text is refused:
 * `key-set-syntax` (no strict JSON, a name twice, too large), `key-set-shape` (no list `keys`, more
 * entries than allowed, a malformed `spiffe_sequence` or `spiffe_refresh_hint`).
 *
 * An entry that must not verify is left out and listed with its cause; the others serve. A set without
 * a usable key is a set: its issuer has withdrawn all of them. `previous` lends its objects to keys
 * that are the same, and is itself returned when nothing changed. Cost: one import a new key.
 */
export async function loadKeySet(
  text: string,
  form: KeySetForm,
  limits: KeySetLimits,
  previous: KeySet | null,
): Promise<Parsed<LoadedKeySet>> {
  const json = parseJson(text, { maxBytes: limits.maxBytes, maxDepth, characters: "any" });
  if (!json.ok) return refuse("key-set-syntax", json.problems[0]?.message ?? "expected JSON");
  const entries = json.value.type === "object" ? memberOf(json.value, "keys") : undefined;
  if (json.value.type !== "object" || entries?.type !== "array") {
    return refuse("key-set-shape", "expected an object with a list `keys`");
  }
  if (entries.items.length > limits.maxKeys) {
    const got = entries.items.length;
    return refuse("key-set-shape", `expected at most ${limits.maxKeys} keys, got ${got}`);
  }
  const sequence = wholeNumber(json.value, "spiffe_sequence");
  const refreshHintSeconds = wholeNumber(json.value, "spiffe_refresh_hint");
  if (sequence === undefined || refreshHintSeconds === undefined) {
    return refuse("key-set-shape", "expected whole numbers in the `spiffe_` members");
  }

  const loaded = new Map<string, LoadedKey>();
  const refused: RefusedKey[] = [];
  for (const entry of entries.items) {
    const key = await loadKey(entry, form, loaded, previous);
    if ("cause" in key) refused.push(key);
  }
  return {
    ok: true,
    value: { keys: keySetOf(loaded, previous), refused, sequence, refreshHintSeconds },
  };
}

async function loadKey(
  entry: JsonValue,
  form: KeySetForm,
  loaded: Map<string, LoadedKey>,
  previous: KeySet | null,
): Promise<LoadedKey | RefusedKey> {
  if (entry.type !== "object") return { keyId: null, cause: "shape" };
  const id = textMember(entry, "kid");
  if (id === undefined || (id !== null && id.length > maxKeyIdChars)) {
    return { keyId: null, cause: "key-id" };
  }
  if (!isForSignatures(entry, form)) return { keyId: id, cause: "use" };
  // The key of a JWT-SVID has a name or is not used (SPIFFE Trust Domain and Bundle, 4.2.3).
  if (form === "spiffe" && id === null) return { keyId: null, cause: "key-id" };

  const read = readPublicKey(entry);
  if (!read.ok) return { keyId: id, cause: read.cause };
  const { algorithm, family } = read.value;
  const fingerprint = JSON.stringify([id, algorithm, read.value.jwk]);
  if (loaded.has(fingerprint)) return { keyId: id, cause: "repeated" };
  let key = previous?.byFingerprint.get(fingerprint);
  if (key === undefined) {
    const imported = await importPublicKey(read.value);
    if (imported === null) return { keyId: id, cause: "unusable" };
    key = Object.freeze({ id, algorithm, family, key: imported });
  }
  loaded.set(fingerprint, key);
  return key;
}

/**
 * True for an entry whose `use` and `key_ops` say that it verifies tokens. In a trust bundle only
 * `jwt-svid` does; a provider's set must not hold a trust domain's keys (JWT-140, JWT-141, JWT-144).
 */
function isForSignatures(entry: JsonObject, form: KeySetForm): boolean {
  const use = textMember(entry, "use");
  const fits = form === "spiffe" ? use === "jwt-svid" : use === null || use === "sig";
  const operations = memberOf(entry, "key_ops");
  if (operations === undefined) return fits;
  return (
    fits &&
    operations.type === "array" &&
    operations.items.some((item) => item.type === "string" && item.value === "verify")
  );
}

function keySetOf(loaded: ReadonlyMap<string, LoadedKey>, previous: KeySet | null): KeySet {
  const isSame =
    previous !== null &&
    previous.byFingerprint.size === loaded.size &&
    [...loaded.keys()].every((fingerprint) => previous.byFingerprint.has(fingerprint));
  if (isSame) return previous;
  const byId = new Map<string, LoadedKey | "ambiguous">();
  for (const key of loaded.values()) {
    if (key.id !== null) byId.set(key.id, byId.has(key.id) ? "ambiguous" : key);
  }
  const all = [...loaded.values()].filter(({ id }) => id === null || byId.get(id) !== "ambiguous");
  return Object.freeze({ byId, all, byFingerprint: loaded });
}

/** Returns a whole number of at most 2^53, null if absent, undefined if it is anything else. */
function wholeNumber(object: JsonObject, name: string): number | null | undefined {
  const value = memberOf(object, name);
  if (value === undefined) return null;
  if (value.type !== "number" || !/^[0-9]{1,16}$/.test(value.text)) return undefined;
  const number = Number(value.text);
  return Number.isSafeInteger(number) ? number : undefined;
}

function refuse(code: string, message: string): Parsed<LoadedKeySet> {
  return { ok: false, code, message };
}
