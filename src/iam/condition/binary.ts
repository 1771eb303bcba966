import type { MatchScope } from "../pattern.ts";
import type { PolicyValue, ValueMatcher } from "./value-matcher.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const sextets: Int8Array = new Int8Array(128).fill(-1);
for (let i = 0; i < alphabet.length; i++) sextets[alphabet.charCodeAt(i)] = i;

/**
 * Returns the bytes that `text` encodes, one character U+0000..U+00FF a byte, or null where it is not
 * base64 with padding (VAL-6; RFC 4648, 4). White space and the URL-safe alphabet are refused; unused
 * bits of the last character are ignored, since equality is one of bytes.
 */
export function decodeBase64(text: string): string | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const characters = text.length - padding;
  let bytes = "";
  let bits = 0;
  for (let i = 0; i < characters; i++) {
    const sextet = sextets[text.charCodeAt(i)] ?? -1;
    if (sextet < 0) return null;
    bits = ((bits << 6) | sextet) & 0xfff;
    const held = (i % 4) * 2; // bits of an unfinished byte before this character
    if (held > 0) bytes += String.fromCharCode((bits >> (6 - held)) & 0xff);
  }
  return bytes;
}

/** Returns the matcher of `BinaryEquals`. */
export function createBinary(values: readonly PolicyValue[]): ValueMatcher {
  const wanted = values.map((value) => decodeBase64(value.text)).filter((each) => each !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      scope.work.steps += wanted.length + text.length;
      const found = decodeBase64(text);
      return found !== null && wanted.includes(found);
    },
  };
}
