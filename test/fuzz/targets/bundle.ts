import { decodePart } from "../../../src/domain/bundle/decode-part.ts";
import { inflateFrame } from "../../../src/domain/bundle/frame.ts";
import { decodeHead } from "../../../src/domain/bundle/head.ts";
import { decodeKeySet, encodeKeySet } from "../../../src/domain/bundle/key-set.ts";
import { defaultBundleLimits as limits } from "../../../src/domain/bundle/limits.ts";
import { decodeManifest, type PartRef } from "../../../src/domain/bundle/manifest.ts";
import { openEnvelope } from "../../../src/domain/bundle/signed.ts";
import { bundleOf } from "../../fakes/bundle.ts";
import { keySetOf, sealedKeySet } from "../../fakes/bundle-keys.ts";
import { must, type Target } from "../target.ts";

/** A real bundle taken apart: what its decoders are fed mutations of. */
function takeApart() {
  const { head, objects } = bundleOf();
  const opened = openEnvelope(head, limits.maxHeadBytes, limits, "head");
  if (!opened.ok) throw new Error(opened.detail);
  const contents = new Map<string, Uint8Array>();
  for (const [digest, frame] of objects) {
    const inflated = inflateFrame(frame, limits.maxPartBytes, false, digest);
    if (inflated.ok) contents.set(digest, inflated.bytes);
  }
  const decoded = decodeHead(opened.envelope.payload);
  const manifest = decoded.ok ? contents.get(decoded.head.manifestDigest) : undefined;
  const refs = manifest && decodeManifest(manifest, limits);
  if (!manifest || !refs?.ok) throw new Error("the sample bundle cannot be read");
  return {
    head,
    payload: opened.envelope.payload,
    frames: [...objects.values()],
    manifest,
    refs: refs.parts,
    contents,
  };
}

let parts: ReturnType<typeof takeApart> | null = null;

const at = (kind: number, bytes: Uint8Array): Uint8Array => Uint8Array.from([kind, ...bytes]);

/** FUZ-09: whatever a carrier may deliver: a refusal with its code, or a value. */
export const bundle: Target = {
  name: "bundle",
  id: "FUZ-09",
  about: "a byte that chooses the decoder, and what it decodes",
  words: ["o-acme", "AROA", "\u0001\u0002", "\x7f".repeat(8)],
  seeds: () => {
    parts ??= takeApart();
    const { head, payload, frames, manifest, refs, contents } = parts;
    return [
      at(0, head),
      at(1, payload),
      at(2, encodeKeySet(keySetOf())),
      at(0, sealedKeySet()),
      at(3, manifest),
      ...frames.slice(0, 2).map((frame) => at(4, frame)),
      ...refs.map((ref, index) => at(5 + index, contents.get(ref.digest) ?? new Uint8Array())),
    ];
  },
  fuzz(data) {
    parts ??= takeApart();
    const { refs } = parts;
    const kind = (data[0] ?? 0) % (5 + refs.length);
    const read = decode(kind, data.subarray(1), refs);
    must(read.ok || (read.code !== undefined && read.detail !== ""), "a refusal says why");
  },
};

function decode(kind: number, bytes: Uint8Array, refs: readonly PartRef[]) {
  switch (kind) {
    case 0:
      return openEnvelope(bytes, limits.maxHeadBytes, limits, "head");
    case 1:
      return decodeHead(bytes);
    case 2:
      return decodeKeySet(bytes);
    case 3:
      return decodeManifest(bytes, limits);
    case 4:
      return inflateFrame(bytes, 65_536, false, "part");
    default: {
      const ref = refs[kind - 5];
      if (ref === undefined) throw new Error("no such part");
      return decodePart(ref, bytes, limits);
    }
  }
}
