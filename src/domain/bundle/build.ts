import type { Directory, Poison } from "../directory/model.ts";
import type { Signer } from "./ed25519.ts";
import { encodeSlice } from "./encode-slice.ts";
import { compressFrame } from "./frame.ts";
import { encodeHead, type Head, reader } from "./head.ts";
import { type BundleLimits, defaultBundleLimits } from "./limits.ts";
import type { Refusal } from "./refusal.ts";
import { sealHead, sealUnsigned } from "./signed.ts";

/** Where a bundle stands in history, and for how long its head is good. */
export interface BundleOptions {
  /** `sliceName(…)` of what `directory` is scoped to, or `all`. */
  readonly slice: string;
  readonly epoch: number;
  /** When this content last changed. */
  readonly revision: number;
  /** Everything up to it is reflected; at least `revision`. */
  readonly coveredRevision: number;
  /** The store's hash chain at `coveredRevision`: 16 bytes, lower-case hex. Default: empty, no store. */
  readonly chain?: string;
  readonly issuedAtMs: number;
  /** Default of a renewed head 1 hour, of a built folder 7 days; above 0. */
  readonly validForMs: number;
  /** Null: unsigned, to be signed elsewhere. */
  readonly signer: Signer | null;
  readonly limits?: BundleLimits;
  /** Frames of the previous build by digest: what did not change is not compressed again. */
  readonly frames?: ReadonlyMap<string, Uint8Array>;
}

/** What a builder made. */
export interface BuiltBundle {
  readonly head: Head;
  /** `Signed` over the head. */
  readonly sealedHead: Uint8Array;
  /** Manifest and parts: one zstd frame each, by hex digest. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Objects that could not be encoded; whether that is acceptable is the caller's choice (BUN-5). */
  readonly poison: readonly Poison[];
  /** Manifest and parts, uncompressed. */
  readonly sizeBytes: number;
}

/**
 * Returns `directory`, which is already scoped, as a bundle, or `bundle-too-large` (BUN-39).
 *
 * Deterministic but for the signature's key: manifest and parts are a function of the content (BUN-6).
 * Linear in the content; compresses what `frames` does not hold.
 */
export function buildBundle(
  directory: Directory,
  options: BundleOptions,
): { readonly ok: true; readonly bundle: BuiltBundle } | Refusal {
  const encoded = encodeSlice(directory, options.limits ?? defaultBundleLimits);
  if (!encoded.ok) return encoded;
  const { manifest, manifestDigest, parts, poison, sizeBytes } = encoded.slice;
  const objects = new Map<string, Uint8Array>();
  const add = (digest: string, bytes: Uint8Array) => {
    objects.set(digest, options.frames?.get(digest) ?? compressFrame(bytes));
  };
  add(manifestDigest, manifest);
  for (const { ref, bytes } of parts) add(ref.digest, bytes);
  const head: Head = Object.freeze({
    org: directory.org,
    slice: options.slice,
    epoch: options.epoch,
    revision: options.revision,
    coveredRevision: options.coveredRevision,
    chain: options.chain ?? "",
    manifestDigest,
    issuedAtMs: options.issuedAtMs,
    expiresAtMs: options.issuedAtMs + options.validForMs,
    minReader: reader,
  });
  const sealedHead = sealHeadOf(head, options.signer);
  return { ok: true, bundle: { head, sealedHead, objects, poison, sizeBytes } };
}

/** Returns `head` with new times, over the same manifest: the renewal that proves freshness. */
export function renewHead(head: Head, issuedAtMs: number, validForMs: number): Head {
  return Object.freeze({ ...head, issuedAtMs, expiresAtMs: issuedAtMs + validForMs });
}

/** Returns the envelope of `head`, signed by `signer`, or with no signature when that is null. */
export function sealHeadOf(head: Head, signer: Signer | null): Uint8Array {
  const payload = encodeHead(head);
  return signer === null ? sealUnsigned(payload) : sealHead(payload, [signer]);
}
