/** Characters up to which a loop beats a call into native code. */
const shortText = 64;

/**
 * Writes a protobuf message from its end to its start, so that the length of each nested message is
 * known when its turn comes: no pass for sizes, nothing moved. Fields are written last to first.
 *
 * One writer is reused for every answer; `take` hands out a copy.
 */
export class ReverseWriter {
  #bytes: Buffer;
  /** Where the written part begins. */
  #start: number;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#start = capacity;
  }

  /** Bytes written so far: the mark that `delimit` counts from. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** Returns the message as bytes that the caller owns, and starts over. */
  take(): Buffer {
    const message = Buffer.from(this.#bytes.subarray(this.#start));
    this.#start = this.#bytes.length;
    return message;
  }

  /** Forgets what was written: for whoever starts after a failure. */
  reset(): void {
    this.#start = this.#bytes.length;
  }

  bytes(block: Uint8Array): void {
    this.#reserve(block.length);
    this.#start -= block.length;
    this.#bytes.set(block, this.#start);
  }

  varint(value: number): void {
    this.#reserve(5);
    if (value < 0x80) {
      this.#start -= 1;
      this.#bytes[this.#start] = value;
      return;
    }
    let size = 1;
    for (let rest = value >>> 7; rest !== 0; rest >>>= 7) size += 1;
    this.#start -= size;
    let rest = value;
    for (let at = this.#start; ; at++) {
      if (rest < 0x80) {
        this.#bytes[at] = rest;
        return;
      }
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  /** Writes a varint field. */
  uint(field: number, value: number): void {
    this.varint(value);
    this.varint(field * 8);
  }

  /** Writes a string field in UTF-8. */
  text(field: number, text: string): void {
    const size = text.length <= shortText && this.#ascii(text) ? text.length : this.#utf8(text);
    this.varint(size);
    this.varint(field * 8 + 2);
  }

  /** Writes a short text without a call into native code; returns false if it is not ASCII. */
  #ascii(text: string): boolean {
    this.#reserve(text.length);
    const start = this.#start - text.length;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x80) return false;
      this.#bytes[start + at] = code;
    }
    this.#start = start;
    return true;
  }

  #utf8(text: string): number {
    const size = Buffer.byteLength(text);
    this.#reserve(size);
    this.#start -= size;
    this.#bytes.write(text, this.#start, size, "utf8");
    return size;
  }

  /** Makes a field of everything written since `mark`, a former `length`. */
  delimit(field: number, mark: number): void {
    this.varint(this.length - mark);
    this.varint(field * 8 + 2);
  }

  #reserve(size: number): void {
    if (size <= this.#start) return;
    const written = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, written + size));
    this.#bytes.copy(grown, grown.length - written, this.#start);
    this.#start = grown.length - written;
    this.#bytes = grown;
  }
}

/** Returns the message that `write` writes, field after field from the last to the first. */
export function build(write: (writer: ReverseWriter) => void): Buffer {
  const writer = new ReverseWriter(256);
  write(writer);
  return writer.take();
}
