import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Refusal, refuse } from "./refusal.ts";

// The window of level 3 for our sizes; a frame that asks for more memory is not one of ours.
const maxWindowLog = 23;

/** Returns `bytes` as one zstd frame, made once and sent to everybody (BUN-8). */
export function compressFrame(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
}

/** Returns the most bytes an honest frame of `bytes` uncompressed ones has (ZSTD_compressBound). */
export function maxFrameBytes(bytes: number): number {
  return bytes + (bytes >> 8) + 512;
}

/**
 * Returns the content of one zstd frame, or its refusal. `declaredBytes` is the signed length, at most
 * which comes out, and `exact` whether it has to come out in full; the caller has capped it.
 *
 * This is the only code that reads unverified bytes (BND-007): what a bomb can cost is the declared
 * length and an 8 MiB window (BND-008). Refusals: `bundle-digest` for a frame that is cut, corrupt,
 * too long or too short.
 */
export function inflateFrame(
  frame: Uint8Array,
  declaredBytes: number,
  exact: boolean,
  partId: string,
): { readonly ok: true; readonly bytes: Uint8Array } | Refusal {
  if (frame.byteLength > maxFrameBytes(declaredBytes)) {
    return refuse(
      "bundle-digest",
      `expected at most ${maxFrameBytes(declaredBytes)} compressed bytes, got ${frame.byteLength}`,
      partId,
    );
  }
  let bytes: Uint8Array;
  try {
    bytes = zstdDecompressSync(frame, {
      maxOutputLength: Math.max(declaredBytes, 1),
      params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
    });
  } catch {
    // The library's words tell a reader nothing that the part's name does not.
    return refuse("bundle-digest", `not a zstd frame of at most ${declaredBytes} bytes`, partId);
  }
  if (exact && bytes.byteLength !== declaredBytes) {
    return refuse(
      "bundle-digest",
      `expected ${declaredBytes} bytes, got ${bytes.byteLength}`,
      partId,
    );
  }
  return { ok: true, bytes };
}
