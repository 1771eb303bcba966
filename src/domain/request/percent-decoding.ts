import { foldAscii } from "../../iam/ascii.ts";
import { hexDigit } from "./ascii.ts";
import type { Denied } from "./denied.ts";
import type { RequestOptions } from "./options.ts";
import { reject } from "./rejection.ts";

/**
 * Stands for `%2F` until the double-encoding test is over. It cannot come from the request: a NUL is
 * refused raw and encoded.
 */
const slashMark = "\0";

/**
 * Returns the text of one path segment, percent-decoded exactly once, or its refusal
 * (`bad-percent-encoding`, `encoded-*`, `invalid-utf8`, `double-encoding`).
 *
 * `segment` is printable ASCII without `/`. Linear in it. Source: envoy-ext-authz 4.2, decode_segment.
 */
export function decodeSegment(segment: string, options: RequestOptions): string | Denied {
  if (!segment.includes("%")) return options.caseInsensitive ? foldAscii(segment) : segment;
  const refusal = segmentRefusal(segment, options);
  if (refusal !== null) return refusal;
  const text = decodeTriplets(segment, false);
  if (text === null) return reject("invalid-utf8");
  if (hasC1Control(text)) return reject("encoded-control");
  if (hasTriplet(text)) return reject("double-encoding");
  const marked = text.includes(slashMark) ? text.replaceAll(slashMark, "%2F") : text;
  return options.caseInsensitive ? foldAscii(marked) : marked;
}

function segmentRefusal(segment: string, options: RequestOptions): Denied | null {
  for (let at = segment.indexOf("%"); at >= 0; at = segment.indexOf("%", at + 3)) {
    const byte = tripletAt(segment, at);
    if (byte < 0) return reject("bad-percent-encoding");
    if (isControl(byte)) return reject("encoded-control");
    switch (byte) {
      case 0x2f:
        if (options.encodedSlash !== "literal") return reject("encoded-slash");
        break;
      case 0x5c:
        return reject("encoded-backslash");
      case 0x2e:
        return reject("encoded-dot");
      case 0x3b:
        if (options.parameters !== "literal") return reject("encoded-parameter");
        break;
    }
  }
  return null;
}

/**
 * Returns the text of a query parameter's name or value, decoded once with `+` as a space, or its
 * refusal (`bad-query-encoding`, `encoded-control`, `invalid-utf8`). There is no double-encoding test:
 * nested URLs are legitimate. Source: envoy-ext-authz 4.2, form_decode.
 */
export function decodeQueryText(text: string, part: "name" | "value"): string | Denied {
  if (!text.includes("%")) return text.includes("+") ? text.replaceAll("+", " ") : text;
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 3)) {
    const byte = tripletAt(text, at);
    if (byte < 0) return reject("bad-query-encoding");
    if (byte === 0 || (part === "name" && isControl(byte))) return reject("encoded-control");
  }
  const decoded = decodeTriplets(text, true);
  if (decoded === null) return reject("invalid-utf8");
  return part === "name" && hasC1Control(decoded) ? reject("encoded-control") : decoded;
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}

/** Returns the byte of the triplet that begins at `at`, or -1 where there is none. */
function tripletAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x25) return -1;
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/**
 * Returns `text` with its triplets decoded as strict UTF-8, or null. All triplets are well formed and
 * the rest is ASCII, so every byte from 0x80 on is a triplet. In a form `+` is a space, in a path an
 * encoded slash becomes the mark.
 */
function decodeTriplets(text: string, form: boolean): string | null {
  let out = "";
  let copied = 0;
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", copied)) {
    out += plain(text.slice(copied, at), form);
    const byte = tripletAt(text, at);
    const length = sequenceLength(byte);
    if (length === 0) return null;
    const code = length === 1 ? byte : codePointAt(text, at, byte, length);
    if (code < 0) return null;
    out += code === 0x2f && !form ? slashMark : String.fromCodePoint(code);
    copied = at + 3 * length;
  }
  return out + plain(text.slice(copied), form);
}

function plain(run: string, form: boolean): string {
  return form && run.includes("+") ? run.replaceAll("+", " ") : run;
}

/** Returns how many bytes a UTF-8 sequence with this first byte has; 0: none begins so. */
function sequenceLength(byte: number): 0 | 1 | 2 | 3 | 4 {
  if (byte < 0x80) return 1;
  if (byte < 0xc2) return 0;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return byte < 0xf5 ? 4 : 0;
}

/** Returns the code point of a sequence of 2 to 4 triplets, or -1 (RFC 3629, 4). */
function codePointAt(text: string, at: number, first: number, length: number): number {
  let code = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const byte = tripletAt(text, at + 3 * i);
    if (byte < 0x80 || byte > 0xbf) return -1;
    code = code * 64 + (byte & 0x3f);
  }
  const overlong = (length === 3 && code < 0x800) || (length === 4 && code < 0x1_0000);
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10_ffff ? -1 : code;
}

function hasC1Control(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x80 && c <= 0x9f) return true;
  }
  return false;
}

/** Returns whether `text` holds a percent sign with two hexadecimal digits behind it. */
export function hasTriplet(text: string): boolean {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 1)) {
    if (tripletAt(text, at) >= 0) return true;
  }
  return false;
}
