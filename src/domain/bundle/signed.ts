import type { KeyObject } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Signature,
  SignatureSchema,
  type Signed,
  SignedSchema,
} from "../../gen/meshiam/bundle/v1/signed_pb.ts";
import { quote } from "../../iam/problem.ts";
import { type Signer, verifySignature } from "./ed25519.ts";
import type { BundleLimits } from "./limits.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** What a signature says it signs. A head can never pass for a key set, whatever its bytes. */
export type PayloadType = "mesh-iam/head/v1" | "mesh-iam/keyset/v1";

/** A payload and who signed it, neither of them verified yet. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signatures: readonly Signature[];
}

/**
 * Returns the bytes that are signed: type and payload, each behind its length (DSSE v1, PAE), so that
 * no payload of one type has the signed bytes of another.
 */
export function signedBytes(type: PayloadType, payload: Uint8Array): Uint8Array {
  const prefix = `DSSEv1 ${type.length} ${type} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(prefix, "latin1"), payload]);
}

/** Returns the bytes of an envelope with no signature yet. */
export function sealUnsigned(payload: Uint8Array): Uint8Array {
  return toBinary(SignedSchema, create(SignedSchema, { payload }));
}

/** Returns the bytes of a head's envelope: `payload` signed by `signers`, each named by its key id. */
export function sealHead(payload: Uint8Array, signers: readonly Signer[]): Uint8Array {
  return seal("mesh-iam/head/v1", payload, signers, false);
}

/** Returns the bytes of a key set's envelope; each signature brings the root key it verifies with. */
export function sealKeySet(payload: Uint8Array, signers: readonly Signer[]): Uint8Array {
  return seal("mesh-iam/keyset/v1", payload, signers, true);
}

/**
 * Returns the bytes of `envelope` with a signature by `signer` added: those of other keys stay, an
 * earlier one of the same key is replaced.
 */
export function addHeadSignature(envelope: Envelope, signer: Signer): Uint8Array {
  const { payload } = envelope;
  const value = signer.sign(signedBytes("mesh-iam/head/v1", payload));
  const others = envelope.signatures.filter(({ keyId }) => keyId !== signer.keyId);
  const signatures = [...others, create(SignatureSchema, { keyId: signer.keyId, value })];
  return toBinary(SignedSchema, create(SignedSchema, { payload, signatures }));
}

function seal(
  type: PayloadType,
  payload: Uint8Array,
  signers: readonly Signer[],
  withKey: boolean,
): Uint8Array {
  const bytes = signedBytes(type, payload);
  const signatures = signers.map((signer) =>
    create(SignatureSchema, {
      keyId: signer.keyId,
      value: signer.sign(bytes),
      ...(withKey ? { publicKey: signer.publicKey } : {}),
    }),
  );
  return toBinary(SignedSchema, create(SignedSchema, { payload, signatures }));
}

/**
 * Returns payload and signatures of an envelope, or its refusal. `what` names it in the message.
 *
 * The envelope has one spelling: bytes that a writer of ours would not have produced are refused,
 * unknown fields included, so that no bit of it is free. Refusals: `bundle-too-large`, `bundle-parse`.
 */
export function openEnvelope(
  bytes: Uint8Array,
  maxBytes: number,
  limits: BundleLimits,
  what: string,
): { readonly ok: true; readonly envelope: Envelope } | Refusal {
  if (bytes.byteLength > maxBytes) {
    return refuse(
      "bundle-too-large",
      `${what}: expected at most ${maxBytes} bytes, got ${bytes.byteLength}`,
    );
  }
  let signed: Signed;
  try {
    signed = fromBinary(SignedSchema, bytes, { readUnknownFields: false });
  } catch {
    return refuse("bundle-parse", `${what}: expected an envelope of payload and signatures`);
  }
  if (Buffer.compare(toBinary(SignedSchema, signed), bytes) !== 0) {
    return refuse("bundle-parse", `${what}: expected the canonical spelling of an envelope`);
  }
  if (signed.signatures.length > limits.maxSignatures) {
    return refuse(
      "bundle-too-large",
      `${what}: expected at most ${limits.maxSignatures} signatures, got ${signed.signatures.length}`,
    );
  }
  return { ok: true, envelope: signed };
}

/**
 * Returns the distinct key ids of `keys` that signed `envelope`, or its refusal.
 *
 * Signatures of unknown keys are passed over: during a rotation an envelope carries old and new ones.
 * One that names a known key and does not verify spoils the envelope. Refusal: `bundle-signature`.
 */
export function signersOf(
  envelope: Envelope,
  type: PayloadType,
  keys: ReadonlyMap<string, KeyObject>,
  what: string,
): { readonly ok: true; readonly keyIds: ReadonlySet<string> } | Refusal {
  const bytes = signedBytes(type, envelope.payload);
  const keyIds = new Set<string>();
  for (const { keyId, value } of envelope.signatures) {
    const key = keys.get(keyId);
    if (key === undefined) continue;
    if (!verifySignature(bytes, value, key)) {
      return refuse(
        "bundle-signature",
        `${what}: the signature of key ${quote(keyId)} does not verify`,
      );
    }
    keyIds.add(keyId);
  }
  return { ok: true, keyIds };
}
