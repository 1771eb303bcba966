import { isUtf8 } from "node:buffer";

/** Returns true when `bytes[start, end)` is strict UTF-8: no overlongs, no surrogates. */
export function isUtf8Span(bytes: Buffer, start: number, end: number): boolean {
  return isShortAscii(bytes, start, end) || isUtf8(bytes.subarray(start, end));
}

/**
 * Returns `bytes[start, end)` as text, each byte that is no part of a UTF-8 character shown as `!`.
 * That is how Envoy itself shows such bytes in `headers`, so a raw `header_map` reads the same.
 */
export function coerceUtf8(bytes: Buffer, start: number, end: number): string {
  if (isShortAscii(bytes, start, end)) return bytes.toString("latin1", start, end);
  if (isUtf8(bytes.subarray(start, end))) return bytes.toString("utf8", start, end);
  const coerced = Buffer.from(bytes.subarray(start, end));
  for (let at = 0; at < coerced.length; ) {
    const length = characterLength(coerced, at);
    if (length === 0) coerced[at] = 0x21;
    at += length === 0 ? 1 : length;
  }
  return coerced.toString("utf8");
}

// Above some 64 bytes the call into native code is cheaper than a loop, and `isUtf8` answers as well.
function isShortAscii(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 64) return false;
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return false;
  }
  return true;
}

/** Length of the character that begins at `at`, 0 when none does (RFC 3629, section 4). */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
