import type { PairTable } from "./request-record.ts";
import { bytesTag, type WireReader } from "./wire-reader.ts";

const keyTag = bytesTag(1);
const valueTag = bytesTag(2);
const rawValueTag = bytesTag(3);

/** Reads the messages that hold a name and a value; holds the places of the one read last. */
export class PairReader {
  readonly #reader: WireReader;
  /** The table that was full, empty for none. */
  excess = "";
  keyStart = 0;
  keyEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(reader: WireReader) {
    this.#reader = reader;
  }

  /** Keeps the last pair in `table`; a full one is a failure whose name is in `excess`. */
  keepIn(table: PairTable): void {
    if (this.#reader.failed) return;
    if (table.add(this.keyStart, this.keyEnd, this.#valueStart, this.#valueEnd)) return;
    this.excess = table.name;
    this.#reader.fail();
  }

  /** A HeaderValue: `raw_value`, or `value` where a client writes texts; not both. */
  headerValue(end: number): void {
    const reader = this.#reader;
    this.#clear();
    let rawStart = 0;
    let rawEnd = 0;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next !== keyTag && next !== valueTag && next !== rawValueTag) {
        reader.skipUnknown(next, end, 0b1110);
        continue;
      }
      const stop = reader.payload(end);
      if (next === keyTag) {
        this.keyStart = reader.position;
        this.keyEnd = stop;
      } else if (next === valueTag) {
        this.#valueStart = reader.position;
        this.#valueEnd = stop;
      } else {
        rawStart = reader.position;
        rawEnd = stop;
      }
      reader.position = stop;
    }
    if (rawEnd === rawStart) return;
    if (this.#valueEnd !== this.#valueStart) reader.fail();
    this.#valueStart = rawStart;
    this.#valueEnd = rawEnd;
  }

  /** A map entry: key and value in either order, absent means empty, the last one wins. */
  entry(end: number): void {
    const reader = this.#reader;
    this.#clear();
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next !== keyTag && next !== valueTag) {
        reader.skipUnknown(next, end, 0b110);
        continue;
      }
      const stop = reader.payload(end);
      if (next === keyTag) {
        this.keyStart = reader.position;
        this.keyEnd = stop;
      } else {
        this.#valueStart = reader.position;
        this.#valueEnd = stop;
      }
      reader.position = stop;
    }
  }

  /**
   * Keeps in `table` an entry as every encoder writes it: a key of less than 128 bytes, a value of less
   * than 16 KiB, nothing else. Returns false, nothing being changed, for any other and for a full table:
   * `entry` and `keepIn` then do it.
   */
  plainEntryIn(table: PairTable, end: number): boolean {
    const reader = this.#reader;
    const { bytes, position } = reader;
    if (end - position < 4 || end > bytes.length || bytes[position] !== keyTag) return false;
    const keyLength = bytes[position + 1] as number;
    const keyEnd = position + 2 + keyLength;
    if (keyLength >= 0x80 || keyEnd + 2 > end || bytes[keyEnd] !== valueTag) return false;
    let valueStart = keyEnd + 2;
    let valueLength = bytes[keyEnd + 1] as number;
    if (valueLength >= 0x80) {
      const high = bytes[valueStart] as number;
      if (valueStart >= end || high >= 0x80) return false;
      valueLength += (high - 1) * 0x80;
      valueStart += 1;
    }
    if (valueStart + valueLength !== end) return false;
    if (!table.add(position + 2, keyEnd, valueStart, end)) return false;
    this.keyStart = position + 2;
    this.keyEnd = keyEnd;
    reader.position = end;
    return true;
  }

  #clear(): void {
    this.keyStart = 0;
    this.keyEnd = 0;
    this.#valueStart = 0;
    this.#valueEnd = 0;
  }
}
