import { quote } from "../../iam/problem.ts";
import type { Directory } from "../directory/model.ts";
import { assembleDirectory } from "./assemble.ts";
import { decodePart } from "./decode-part.ts";
import { hexDigest } from "./digest.ts";
import { inflateFrame, maxFrameBytes } from "./frame.ts";
import type { Head } from "./head.ts";
import type { BundleLimits } from "./limits.ts";
import { decodeManifest, manifestId, type PartRef } from "./manifest.ts";
import type { VerifiedPart } from "./part-content.ts";
import { formatPartId } from "./part-id.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { everything, sliceName } from "./slice.ts";

/** An object that a verification needs next. */
export interface ObjectRequest {
  /** Lower-case hex. */
  readonly digest: string;
  /** Part id, or `manifest`. */
  readonly name: string;
  /** A frame with more bytes than this is not worth reading. */
  readonly maxFrameBytes: number;
  /** The round it belongs to, itself included, for a carrier that fetches ahead. */
  readonly round: readonly PartRef[];
}

/** What a signed head leads to, all of it verified. */
export interface VerifiedContent {
  readonly directory: Directory;
  /** Every part by digest, to be handed to the next verification. */
  readonly parts: ReadonlyMap<string, VerifiedPart>;
  /** Digests of the manifest and of every part: what has to be kept for this bundle. */
  readonly digests: ReadonlySet<string>;
  /** Manifest and parts, uncompressed. */
  readonly sizeBytes: number;
}

type Result<T> = ({ readonly ok: true } & T) | Refusal;

/**
 * Yields the objects that `head` leads to, one at a time, is resumed with each one's frame (null: it
 * cannot be had), and returns the directory or a refusal.
 *
 * Digest and length come before any decoder (BND-007), the sum of declared lengths before any part
 * (BND-039), completeness before anything is assembled (BUN-33). `known` are parts verified before:
 * those are not asked for again. Nothing is remembered after a refusal. The caller chooses the
 * carrier, and may breathe between two objects.
 *
 * Refusals: `bundle-unreadable`, `bundle-digest`, `bundle-parse`, `bundle-too-large`,
 * `bundle-incomplete`.
 */
export function* verifyContent(
  head: Head,
  known: ReadonlyMap<string, VerifiedPart>,
  limits: BundleLimits,
): Generator<ObjectRequest, Result<VerifiedContent>, Uint8Array | null> {
  const manifest = yield* fetchManifest(head.manifestDigest, limits);
  if (!manifest.ok) return manifest;
  let sizeBytes = manifest.bytes;
  const parts: VerifiedPart[] = [];

  // Level one is the manifest's list, level two what its indexes list.
  let refs = manifest.parts;
  for (const level of ["manifest", "index"] as const) {
    sizeBytes += refs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (sizeBytes > limits.maxSliceBytes) {
      return refuse(
        "bundle-too-large",
        `the slice declares more than ${limits.maxSliceBytes} bytes`,
      );
    }
    if (level === "manifest") {
      const lack = misses(refs);
      if (lack !== null) return lack;
    }
    const verified = yield* fetchParts(refs, known, limits);
    if (!verified.ok) return verified;
    parts.push(...verified.parts);
    refs = verified.parts.flatMap(({ content }) =>
      content.type === "account-index" ? content.parts : [],
    );
  }

  const assembled = assembleDirectory(head.org, parts);
  if (!assembled.ok) return assembled;
  const { directory } = assembled;
  const wrongSlice = missesServices(head.slice, directory.partition, manifest.parts);
  if (wrongSlice !== null) return wrongSlice;
  return {
    ok: true,
    directory,
    parts: new Map(parts.map((part) => [part.ref.digest, part])),
    digests: new Set([head.manifestDigest, ...parts.map(({ ref }) => ref.digest)]),
    sizeBytes,
  };
}

function* fetchManifest(
  digest: string,
  limits: BundleLimits,
): Generator<
  ObjectRequest,
  Result<{ readonly parts: readonly PartRef[]; readonly bytes: number }>,
  Uint8Array | null
> {
  const maxBytes = limits.maxManifestBytes;
  const frame = yield {
    digest,
    name: manifestId,
    maxFrameBytes: maxFrameBytes(maxBytes),
    round: [],
  };
  if (frame === null) return missing(manifestId, digest);
  const inflated = inflateFrame(frame, maxBytes, false, manifestId);
  if (!inflated.ok) return inflated;
  if (hexDigest(inflated.bytes) !== digest) return wrongDigest(manifestId);
  const decoded = decodeManifest(inflated.bytes, limits);
  return decoded.ok ? { ...decoded, bytes: inflated.bytes.length } : decoded;
}

function* fetchParts(
  refs: readonly PartRef[],
  known: ReadonlyMap<string, VerifiedPart>,
  limits: BundleLimits,
): Generator<
  ObjectRequest,
  Result<{ readonly parts: readonly VerifiedPart[] }>,
  Uint8Array | null
> {
  const wanted = refs.filter((ref) => !isKnown(ref, known));
  const fetched = new Map<string, VerifiedPart>();
  for (const ref of wanted) {
    const frame = yield {
      digest: ref.digest,
      name: ref.name,
      maxFrameBytes: maxFrameBytes(ref.bytes),
      round: wanted,
    };
    if (frame === null) return missing(ref.name, ref.digest);
    const inflated = inflateFrame(frame, ref.bytes, true, ref.name);
    if (!inflated.ok) return inflated;
    if (hexDigest(inflated.bytes) !== ref.digest) return wrongDigest(ref.name);
    const decoded = decodePart(ref, inflated.bytes, limits);
    if (!decoded.ok) return decoded;
    fetched.set(ref.name, decoded.part);
  }
  const parts = refs.flatMap((ref) => fetched.get(ref.name) ?? known.get(ref.digest) ?? []);
  return { ok: true, parts };
}

// Equal bytes under another id are another part: the id says what they are about.
function isKnown(ref: PartRef, known: ReadonlyMap<string, VerifiedPart>): boolean {
  const part = known.get(ref.digest);
  return part !== undefined && part.ref.name === ref.name && part.ref.bytes === ref.bytes;
}

/** What the manifest lacks or must not list, null when it is complete (BUN-33). */
function misses(refs: readonly PartRef[]): Refusal | null {
  const names = new Set(refs.map(({ name }) => name));
  const required = ["organization", "providers", "revocations"];
  for (const { id } of refs) {
    if (id.type !== "service") continue;
    required.push(formatPartId({ type: "account-index", account: id.account }));
  }
  const absent = required.find((name) => !names.has(name));
  if (absent !== undefined) {
    return refuse("bundle-incomplete", `the manifest lacks ${quote(absent)}`, manifestId);
  }
  const stray = refs.find(
    ({ id }) =>
      id.type === "principal-bucket" ||
      id.type === "policy-group" ||
      id.type === "revocation-bucket",
  );
  if (stray === undefined) return null;
  return refuse("bundle-parse", `${quote(stray.name)} belongs into an index`, manifestId);
}

/** The slice's name says which services it is for; `all` is whatever it holds. */
function missesServices(
  slice: string,
  partition: string,
  refs: readonly PartRef[],
): Refusal | null {
  if (slice === everything) return null;
  const services = refs.flatMap(({ id }) => (id.type === "service" ? [id] : []));
  if (sliceName(partition, services) === slice) return null;
  return refuse(
    "bundle-incomplete",
    `the manifest's services are not those of slice ${quote(slice)}`,
    manifestId,
  );
}

function missing(name: string, digest: string): Refusal {
  return refuse("bundle-unreadable", `object ${digest} is missing`, name);
}

function wrongDigest(name: string): Refusal {
  return refuse("bundle-digest", "the bytes do not have the digest that names them", name);
}
