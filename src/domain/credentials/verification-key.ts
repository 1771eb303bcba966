import type { KeyObject } from "node:crypto";
import { type Denied, deny } from "../request/denied.ts";
import { familyOf, type KeyFamily, type TokenAlgorithm } from "./algorithm.ts";

/**
 * A public key of an issuer, checked when its set was loaded. Frozen. An equal key of a later set is
 * the same object, so whoever remembers it can tell by identity that it is still there.
 */
export interface VerificationKey {
  /** `kid`, null where the set gives none. */
  readonly id: string | null;
  /** The JWK's `alg`: the only algorithm this key verifies; null: any of its family. */
  readonly algorithm: string | null;
  readonly family: KeyFamily;
  readonly key: KeyObject;
}

/** The keys of one issuer at one time; immutable. */
export interface VerificationKeys {
  /** An id that two keys of the set claim is ambiguous, and neither verifies under it. */
  readonly byId: ReadonlyMap<string, VerificationKey | "ambiguous">;
  /** Every key that may verify: whoever remembers a key asks here whether it is still in force. */
  readonly all: readonly VerificationKey[];
}

/** The reading side of the key cache. Every call returns at once. */
export interface KeyReader {
  /** The keys in force of an issuer (by its unique id); null: none were loaded, or they are too old. */
  keysOf(issuerId: string): VerificationKeys | null;
  /** A token of the issuer named a key that its set lacks: a refresh may start in the background. */
  noteUnknownKey(issuerId: string): void;
}

/**
 * Returns the one key of `keys` that may verify a token with this `kid` and algorithm, or null if the
 * set does not know the id, or the denial: `token-key` (ambiguous id, or no id and not exactly one key
 * that fits), `token-algorithm` (the key is of another family or bound to another algorithm).
 */
export function chooseKey(
  keys: VerificationKeys,
  keyId: string | null,
  algorithm: TokenAlgorithm,
): VerificationKey | Denied | null {
  if (keyId === null) {
    const fitting = keys.all.filter((key) => fits(key, algorithm));
    const [only] = fitting;
    return only !== undefined && fitting.length === 1 ? only : deny("token-key", "no-key-id");
  }
  const key = keys.byId.get(keyId);
  if (key === undefined) return null;
  if (key === "ambiguous") return deny("token-key", "ambiguous-key-id");
  return fits(key, algorithm) ? key : deny("token-algorithm", "key-of-another-algorithm");
}

function fits(key: VerificationKey, algorithm: TokenAlgorithm): boolean {
  return key.family === familyOf(algorithm) && (key.algorithm ?? algorithm) === algorithm;
}
