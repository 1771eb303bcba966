import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Manifest as ManifestMessage,
  ManifestSchema,
  type PartRef as PartRefMessage,
  PartRefSchema,
} from "../../gen/meshiam/bundle/v1/manifest_pb.ts";
import { quote } from "../../iam/problem.ts";
import { compareBytes } from "./byte-order.ts";
import { digestBytes, toHex } from "./digest.ts";
import { toSafeInteger } from "./integer.ts";
import type { BundleLimits } from "./limits.ts";
import { formatPartId, kindOf, type PartId, parsePartId } from "./part-id.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The id under which a manifest is named in refusals; no part has it. */
export const manifestId = "manifest";

/** What is signed about a part: address (which gives the kind), digest and length, together. */
export interface PartRef {
  readonly id: PartId;
  /** `id` as text. */
  readonly name: string;
  /** Lower-case hex SHA-256 of the uncompressed bytes. */
  readonly digest: string;
  /** Length, uncompressed. */
  readonly bytes: number;
}

/** Returns the reference to a part of these uncompressed bytes. */
export function createPartRef(id: PartId, digest: string, bytes: number): PartRef {
  return { id, name: formatPartId(id), digest, bytes };
}

/** Returns the bytes of a manifest: its parts in byte order of their names. */
export function encodeManifest(parts: readonly PartRef[]): Uint8Array {
  return toBinary(ManifestSchema, create(ManifestSchema, { parts: encodePartRefs(parts) }));
}

/** Returns the messages of `parts`, in byte order of their names. */
export function encodePartRefs(parts: readonly PartRef[]): PartRefMessage[] {
  return [...parts]
    .sort((a, b) => compareBytes(a.name, b.name))
    .map((part) =>
      create(PartRefSchema, {
        id: part.name,
        kind: kindOf(part.id),
        digest: digestBytes(part.digest),
        bytes: BigInt(part.bytes),
      }),
    );
}

/** Returns the references of a manifest whose digest has been verified, or its refusal. */
export function decodeManifest(
  bytes: Uint8Array,
  limits: BundleLimits,
): { readonly ok: true; readonly parts: readonly PartRef[] } | Refusal {
  let message: ManifestMessage;
  try {
    message = fromBinary(ManifestSchema, bytes);
  } catch {
    return refuse("bundle-parse", "not a manifest", manifestId);
  }
  return decodePartRefs(message.parts, limits, manifestId);
}

/**
 * Returns the references of a manifest or index, or its refusal. They ascend, so none occurs twice;
 * kind and id agree; no length is above what a part may have. `listId` names the list.
 */
export function decodePartRefs(
  messages: readonly PartRefMessage[],
  limits: BundleLimits,
  listId: string,
): { readonly ok: true; readonly parts: readonly PartRef[] } | Refusal {
  const parts: PartRef[] = [];
  let previous = "";
  for (const { id: name, kind, digest, bytes } of messages) {
    const id = parsePartId(name);
    if (id === null || kindOf(id) !== kind) {
      return refuse("bundle-parse", `no part of this kind is called ${quote(name)}`, listId);
    }
    if (compareBytes(previous, name) >= 0) {
      return refuse("bundle-parse", `expected ascending part ids, got ${quote(name)}`, listId);
    }
    previous = name;
    const length = toSafeInteger(bytes);
    if (length === null || length > limits.maxPartBytes) {
      return refuse(
        "bundle-too-large",
        `expected at most ${limits.maxPartBytes} bytes, declared are ${bytes}`,
        name,
      );
    }
    if (digest.byteLength !== 32 || length === 0) {
      return refuse("bundle-parse", `${quote(name)} has no digest or no length`, listId);
    }
    parts.push({ id, name, digest: toHex(digest), bytes: length });
  }
  return { ok: true, parts };
}
