/** Bytes of one header value that we set, at most (envoy-ext-authz, R5). */
const maxValueBytes = 1024;

// Printable ASCII but "%" stands for itself; a space only where it is not at an end.
const plain = /^(?! )[ -$&-~]*(?<! )$/;

/**
 * Returns `text` as a header value: printable ASCII stays, every other character and `%` itself is
 * percent-encoded UTF-8, so a value can never end its line or begin another. Null when there is
 * nothing to set: an empty text, or one whose encoding is over 1,024 bytes. A value cut short would
 * name somebody else, so it is left out, and the name is removed like any that we do not set.
 *
 * Source: envoy-ext-authz, R5. Decoded by any percent-decoder.
 */
export function encodeHeaderValue(text: string): string | null {
  const value = plain.test(text) ? text : percentEncoded(text);
  return value === "" || value.length > maxValueBytes ? null : value;
}

function percentEncoded(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  let value = "";
  for (const [at, byte] of bytes.entries()) {
    const atEnd = at === 0 || at === bytes.length - 1;
    const stays = byte > 0x20 ? byte < 0x7f && byte !== 0x25 : byte === 0x20 && !atEnd;
    value += stays ? String.fromCharCode(byte) : `%${hex(byte)}`;
  }
  return value;
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}
