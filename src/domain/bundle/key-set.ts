import type { KeyObject } from "node:crypto";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type KeySet as KeySetMessage,
  KeySetSchema,
  type PublicKey as PublicKeyMessage,
  type PublicKeySchema,
} from "../../gen/meshiam/bundle/v1/key_set_pb.ts";
import { quote } from "../../iam/problem.ts";
import { fingerprintOf, importPublicKey } from "./ed25519.ts";
import { toSafeInteger, toTimeMs } from "./integer.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** A key that signs heads, and when: heads issued outside the window are not accepted. */
export interface BundleKey {
  readonly kid: string;
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The delegation from roots to bundle keys (BUN-30). */
export interface KeySet {
  /** Counts from 1. */
  readonly number: number;
  readonly org: string;
  /** The epoch in force: heads of any other are not accepted (BUN-10). */
  readonly minEpoch: number;
  readonly bundleKeys: readonly BundleKey[];
  /** How many of `rootKeys` sign the next key set; version 1 uses 1 of 1. */
  readonly rootThreshold: number;
  /** 32 raw bytes each. */
  readonly rootKeys: readonly Uint8Array[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A key set read from verified bytes, its keys imported. */
export interface ReadableKeySet extends KeySet {
  /** Bundle keys by kid. */
  readonly bundleKeyObjects: ReadonlyMap<string, KeyObject>;
  /** Root keys by fingerprint. */
  readonly rootKeyObjects: ReadonlyMap<string, KeyObject>;
}

/** Returns the payload of a key set: deterministic bytes, keys in the order given. */
export function encodeKeySet(keySet: KeySet): Uint8Array {
  const message = create(KeySetSchema, {
    number: BigInt(keySet.number),
    org: keySet.org,
    minEpoch: BigInt(keySet.minEpoch),
    bundleKeys: keySet.bundleKeys.map(encodeBundleKey),
    rootThreshold: keySet.rootThreshold,
    rootKeys: keySet.rootKeys.map((key) => ({ kid: fingerprintOf(key), key })),
    issuedAtMs: BigInt(keySet.issuedAtMs),
    expiresAtMs: BigInt(keySet.expiresAtMs),
  });
  return toBinary(KeySetSchema, message);
}

function encodeBundleKey(key: BundleKey): MessageInitShape<typeof PublicKeySchema> {
  return {
    kid: key.kid,
    key: key.publicKey,
    notBeforeMs: BigInt(key.notBeforeMs),
    notAfterMs: BigInt(key.notAfterMs),
  };
}

/**
 * Returns the key set of a payload whose signature has been verified, or `bundle-parse`. Unknown
 * fields are passed over. Imports every key.
 */
export function decodeKeySet(
  payload: Uint8Array,
): { readonly ok: true; readonly keySet: ReadableKeySet } | Refusal {
  let message: KeySetMessage;
  try {
    message = fromBinary(KeySetSchema, payload);
  } catch {
    return unreadable("not a message of this type");
  }
  const number = toSafeInteger(message.number);
  const minEpoch = toSafeInteger(message.minEpoch);
  const issuedAtMs = toTimeMs(message.issuedAtMs);
  const expiresAtMs = toTimeMs(message.expiresAtMs);
  if (number === null || minEpoch === null || issuedAtMs === null || expiresAtMs === null) {
    return unreadable(
      "expected number and epoch from 0 to 2^53 - 1 and times from 0 to 8640000000000000 ms",
    );
  }
  if (message.org === "") return unreadable("expected an organization");
  if (expiresAtMs <= issuedAtMs) return unreadable("expected to expire after it was issued");

  const bundleKeys: BundleKey[] = [];
  const bundleKeyObjects = new Map<string, KeyObject>();
  for (const one of message.bundleKeys) {
    const key = readBundleKey(one);
    const object = key && importPublicKey(key.publicKey);
    if (key === null || object === null || bundleKeyObjects.has(key.kid)) {
      return unreadable(`bundle key ${quote(one.kid)} is no Ed25519 key with an id and a window`);
    }
    bundleKeys.push(key);
    bundleKeyObjects.set(key.kid, object);
  }

  const rootKeyObjects = new Map<string, KeyObject>();
  for (const { kid, key } of message.rootKeys) {
    const object = importPublicKey(key);
    if (object === null || fingerprintOf(key) !== kid || rootKeyObjects.has(kid)) {
      return unreadable(`root key ${quote(kid)} is no Ed25519 key with that fingerprint`);
    }
    rootKeyObjects.set(kid, object);
  }
  if (message.rootThreshold < 1 || message.rootThreshold > rootKeyObjects.size) {
    return unreadable(
      `expected a threshold from 1 to ${rootKeyObjects.size}, got ${message.rootThreshold}`,
    );
  }

  const keySet: ReadableKeySet = {
    number,
    org: message.org,
    minEpoch,
    bundleKeys,
    rootThreshold: message.rootThreshold,
    rootKeys: message.rootKeys.map(({ key }) => key),
    issuedAtMs,
    expiresAtMs,
    bundleKeyObjects,
    rootKeyObjects,
  };
  return { ok: true, keySet };
}

function readBundleKey(message: PublicKeyMessage): BundleKey | null {
  const notBeforeMs = toTimeMs(message.notBeforeMs);
  const notAfterMs = toTimeMs(message.notAfterMs);
  if (message.kid === "" || notBeforeMs === null || notAfterMs === null) return null;
  if (notAfterMs <= notBeforeMs) return null;
  return { kid: message.kid, publicKey: message.key, notBeforeMs, notAfterMs };
}

function unreadable(detail: string): Refusal {
  return refuse("bundle-parse", `key set: ${detail}`);
}
