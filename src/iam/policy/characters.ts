/**
 * Which characters strings may hold after unescaping (DOC-1): `latin` is AWS's set (tab, line feed,
 * carriage return, U+0020..U+00FF), `wide` every Unicode scalar value except the other control
 * characters, `any` whatever JSON allows.
 */
export type CharacterSet = "latin" | "wide" | "any";

/** Returns the first UTF-16 unit of `value` that the set does not hold, null where it holds them all. */
export function unsupportedCharacter(value: string, set: CharacterSet): number | null {
  if (set === "any") return null;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code >= 0x20 && code < 0x7f) continue;
    if (code === 0x09 || code === 0x0a || code === 0x0d) continue;
    if (code < 0x20 || (set === "wide" && code <= 0x9f)) return code;
    if (code > 0xff && (set === "latin" || isLoneSurrogate(value, i))) return code;
  }
  return null;
}

function isLoneSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= 0xd800 && code <= 0xdbff) return !isLow(text.charCodeAt(at + 1));
  return isLow(code) && !isHigh(text.charCodeAt(at - 1));
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Returns `U+0100` for 256. */
export function formatCodePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Returns whether `text` takes more than `maxBytes` in UTF-8. Counted by hand: there is no encoder. */
export function utf8Exceeds(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  if (text.length * 3 <= maxBytes) return false;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // a surrogate is half of a four-byte character
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
    if (bytes > maxBytes) return true;
  }
  return false;
}
