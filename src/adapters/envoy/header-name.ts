const prefix = "x-mesh-iam-";

/**
 * True when the header name `bytes[start, end)` belongs to the identity family in any spelling:
 * lower-cased, with `-` for `_`, it begins with `x-mesh-iam-` (envoy-ext-authz, R6).
 */
export function isIdentityHeader(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) {
    if (normalised(bytes[start + at] as number) !== prefix.charCodeAt(at)) return false;
  }
  return true;
}

function normalised(byte: number): number {
  if (byte === 0x5f) return 0x2d;
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

// tchar of RFC 9110, section 5.6.2, as a table over the bytes.
const isTokenByte = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  isTokenByte[char.charCodeAt(0)] = 1;
}

/** True when `bytes[start, end)` is a header name by RFC 9110. */
export function isHeaderToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (isTokenByte[bytes[at] as number] === 0) return false;
  }
  return end > start;
}
