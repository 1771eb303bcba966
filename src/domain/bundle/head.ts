import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Head as HeadMessage, HeadSchema } from "../../gen/meshiam/bundle/v1/head_pb.ts";
import { digestBytes, toHex } from "./digest.ts";
import { toSafeInteger, toTimeMs } from "./integer.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The highest schema of parts that this binary reads (`min_reader` of a head). */
export const reader = 1;

/** Which manifest is in force for a slice, at which revision, until when. */
export interface Head {
  readonly org: string;
  readonly slice: string;
  readonly epoch: number;
  /** Of the organization when this slice's content last changed. */
  readonly revision: number;
  /** Everything up to it is reflected in the slice; at least `revision`. */
  readonly coveredRevision: number;
  /** Lower-case hex of 16 bytes of the store's hash chain; empty without a store. */
  readonly chain: string;
  /** Lower-case hex SHA-256. */
  readonly manifestDigest: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly minReader: number;
}

/** Returns the payload of a head: deterministic bytes. Numbers are whole, 0 to 2^53 - 1. */
export function encodeHead(head: Head): Uint8Array {
  const message = create(HeadSchema, {
    org: head.org,
    slice: head.slice,
    epoch: BigInt(head.epoch),
    revision: BigInt(head.revision),
    coveredRevision: BigInt(head.coveredRevision),
    chain: digestBytes(head.chain),
    manifestDigest: digestBytes(head.manifestDigest),
    issuedAtMs: BigInt(head.issuedAtMs),
    expiresAtMs: BigInt(head.expiresAtMs),
    minReader: head.minReader,
  });
  return toBinary(HeadSchema, message);
}

/**
 * Returns the head of a payload whose signature has been verified, or `bundle-parse`. Unknown fields
 * are passed over: what a reader must not overlook is behind `minReader`.
 */
export function decodeHead(
  payload: Uint8Array,
): { readonly ok: true; readonly head: Head } | Refusal {
  let message: HeadMessage;
  try {
    message = fromBinary(HeadSchema, payload);
  } catch {
    return refuse("bundle-parse", "head: not a message of this type");
  }
  const epoch = toSafeInteger(message.epoch);
  const revision = toSafeInteger(message.revision);
  const coveredRevision = toSafeInteger(message.coveredRevision);
  const issuedAtMs = toTimeMs(message.issuedAtMs);
  const expiresAtMs = toTimeMs(message.expiresAtMs);
  if (
    epoch === null ||
    revision === null ||
    coveredRevision === null ||
    issuedAtMs === null ||
    expiresAtMs === null
  ) {
    return refuse(
      "bundle-parse",
      "head: expected positions from 0 to 2^53 - 1 and times from 0 to 8640000000000000 ms",
    );
  }
  if (
    message.org === "" ||
    message.slice === "" ||
    message.manifestDigest.byteLength !== 32 ||
    (message.chain.byteLength !== 0 && message.chain.byteLength !== 16) ||
    coveredRevision < revision ||
    expiresAtMs <= issuedAtMs
  ) {
    return refuse("bundle-parse", "head: names, digest, positions or times are not sound");
  }
  const head: Head = Object.freeze({
    org: message.org,
    slice: message.slice,
    epoch,
    revision,
    coveredRevision,
    chain: toHex(message.chain),
    manifestDigest: toHex(message.manifestDigest),
    issuedAtMs,
    expiresAtMs,
    minReader: message.minReader,
  });
  return { ok: true, head };
}
