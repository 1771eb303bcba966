/** Wire types of the protobuf encoding; 3 and 4 are groups. */
const varintType = 0;
export const bytesType = 2;

/**
 * Groups inside groups that are skipped before a message is called malformed. protobuf-es allows a
 * hundred levels of groups and messages together; a CheckRequest nests messages six deep.
 */
const maxGroupDepth = 90;

/** Past every offset of a buffer, so that each loop over `position < end` ends after a failure. */
const failedPosition = 0x7fff_ffff;

/**
 * Returns the tag of a field with a length. Tags are compared whole, so a known field of another wire
 * type is never taken for it.
 */
export function bytesTag(field: number): number {
  return field * 8 + bytesType;
}

/** Returns the tag of a varint field. */
export function varintTag(field: number): number {
  return field * 8 + varintType;
}

/**
 * A cursor over protobuf bytes that never throws and allocates nothing.
 *
 * Failure is sticky: whoever meets bytes that are no protobuf moves the cursor past every end, all
 * loops over `position < end` stop, and the one who started the reading asks `failed`. Every read
 * takes the end of the enclosing message and never looks behind it.
 *
 * Source: Protocol Buffers, "Encoding". Stricter than protobuf-es, the test's oracle, in three
 * things: an element must end inside its message, a length must fit 32 bits, a skipped varint has
 * at most ten bytes.
 */
export class WireReader {
  bytes: Buffer = Buffer.alloc(0);
  position = 0;
  /** The halves of the last varint read, as unsigned 32-bit numbers. */
  low = 0;
  high = 0;

  /** Starts over on `bytes`, which are borrowed until the next start. */
  start(bytes: Buffer): void {
    this.bytes = bytes;
    this.position = 0;
  }

  get failed(): boolean {
    return this.position === failedPosition;
  }

  fail(): void {
    this.position = failedPosition;
  }

  /** Returns the next tag (field number × 8 + wire type), or 0 after a failure. */
  tag(end: number): number {
    const first = this.position < end ? (this.bytes[this.position] as number) : 0x80;
    if (first < 0x80) {
      this.position += 1;
      if (first >>> 3 !== 0 && (first & 7) <= 5) return first;
      this.fail();
      return 0;
    }
    const start = this.position;
    this.varint(end);
    const fits = this.high === 0 && this.position - start <= 5;
    if (!this.failed && fits && this.low >>> 3 !== 0 && (this.low & 7) <= 5) return this.low;
    this.fail();
    return 0;
  }

  /** Reads a varint of at most ten bytes into `low` and `high`. */
  varint(end: number): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) break;
      const byte = this.bytes[this.position++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= (bits & 0x0f) << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    this.low = 0;
    this.high = 0;
    this.fail();
  }

  /** Reads a length and returns the end of its payload, which begins at `position`. */
  payload(end: number): number {
    const first = this.position < end ? (this.bytes[this.position] as number) : 0x80;
    let length = first;
    if (first < 0x80) this.position += 1;
    else {
      this.varint(end);
      length = this.high === 0 ? this.low : failedPosition;
    }
    const stop = this.position + length;
    if (stop <= end) return stop;
    this.fail();
    return failedPosition;
  }

  /** Skips the element of a tag just read. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case 0:
        this.varint(end);
        return;
      case 1:
        this.advance(8, end);
        return;
      case 2:
        this.position = this.payload(end);
        return;
      case 3:
        this.skipGroup(tag >>> 3, end);
        return;
      case 5:
        this.advance(4, end);
        return;
      default:
        this.fail(); // an end-group without its start
    }
  }

  /**
   * Skips a field that this binary does not know. One that it does know, bit n of `known` for field n,
   * has come with a wrong wire type, which is a failure.
   */
  skipUnknown(tag: number, end: number, known: number): void {
    const field = tag >>> 3;
    if (tag === 0 || (field < 31 && ((known >>> field) & 1) === 1)) this.fail();
    else this.skip(tag, end);
  }

  /** Walks a message that nobody reads; bit n of the masks is field n of that wire type. */
  skipFields(end: number, bytesFields: number, varintFields: number): void {
    while (this.position < end) {
      const tag = this.tag(end);
      const field = tag >>> 3;
      const mask = (tag & 7) === bytesType ? bytesFields : varintFields;
      if (field < 31 && ((mask >>> field) & 1) === 1) this.skip(tag, end);
      else this.skipUnknown(tag, end, bytesFields | varintFields);
    }
  }

  private advance(count: number, end: number): void {
    if (this.position + count <= end) this.position += count;
    else this.fail();
  }

  private skipGroup(field: number, end: number): void {
    const open: number[] = [field];
    while (open.length > 0) {
      const tag = this.position < end ? this.tag(end) : 0;
      if (tag === 0 || open.length > maxGroupDepth) {
        this.fail();
        return;
      }
      if ((tag & 7) === 3) open.push(tag >>> 3);
      else if ((tag & 7) !== 4) this.skip(tag, end);
      else if (open.pop() !== tag >>> 3) this.fail();
    }
  }
}
