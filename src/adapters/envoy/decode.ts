import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { type Denied, deny } from "../../domain/request/denied.ts";
import { isHeaderToken, isIdentityHeader } from "./header-name.ts";
import { PairReader } from "./pair-reader.ts";
import { destination, note, scanPeer, source } from "./peer-scanner.ts";
import { type PairTable, RequestRecord, slot } from "./request-record.ts";
import { isUtf8Span } from "./utf8.ts";
import { bytesTag, varintTag, WireReader } from "./wire-reader.ts";

/** Bounds of one CheckRequest; each excess is a denial `request-too-large`. */
export interface DecoderOptions {
  /** Bytes of a message. Default 262,144; raise it where Envoy sends bodies. */
  readonly maxMessageBytes?: number;
  /** Entries of `headers` or `header_map`, pseudo-headers included. Default 256. */
  readonly maxHeaders?: number;
  /** Entries of `context_extensions`, and of the destination's labels. Default 64. */
  readonly maxContextExtensions?: number;
}

export interface Decoder {
  /**
   * Returns the attributes of a serialised CheckRequest, or the denial that answers it.
   *
   * The result is one record that is filled anew by each call: it and `message` are borrowed until
   * then. Refusals: `request-too-large`; `malformed` for bytes that are no CheckRequest, a message
   * without attributes, a request without its HTTP part, `headers` beside `header_map`, a header
   * with two values, text that is no UTF-8. Never throws; allocates nothing but texts asked for.
   * Cost: linear in the message, one look at each element.
   *
   * Source: envoy.service.auth.v3.CheckRequest (envoy-ext-authz 1.1, performance 2.2).
   */
  decode(message: Uint8Array): CheckAttributes | Denied;
}

/** Returns a decoder with a record of its own. Not reentrant: a Check is synchronous. */
export function createDecoder(options: DecoderOptions = {}): Decoder {
  const maxMessageBytes = options.maxMessageBytes ?? 262_144;
  const scanner = new Scanner(options.maxHeaders ?? 256, options.maxContextExtensions ?? 64);
  return {
    decode(message) {
      if (message.length > maxMessageBytes) return deny("request-too-large", "message-bytes");
      return scanner.scan(
        Buffer.isBuffer(message)
          ? message
          : Buffer.from(message.buffer, message.byteOffset, message.length),
      );
    },
  };
}

const tag = {
  attributes: bytesTag(1),
  source: bytesTag(1),
  destination: bytesTag(2),
  request: bytesTag(4),
  contextExtensions: bytesTag(10),
  tlsSession: bytesTag(12),
  time: bytesTag(1),
  http: bytesTag(2),
  seconds: varintTag(1),
  nanos: varintTag(2),
} as const;

/** One pass over the bytes: notes where things are in the record, makes no text. */
class Scanner {
  readonly #record: RequestRecord;
  readonly #reader = new WireReader();
  readonly #pairs = new PairReader(this.#reader);
  #hasAttributes = false;
  #hasRequest = false;
  #hasHeaderMap = false;
  #mapEntries = 0;
  #identityNames: string[] | null = null;
  #seconds = 0;
  #nanos = 0;

  constructor(maxHeaders: number, maxContextExtensions: number) {
    this.#record = new RequestRecord(maxHeaders, maxContextExtensions);
  }

  scan(bytes: Buffer): CheckAttributes | Denied {
    const record = this.#record;
    record.start(bytes);
    this.#reader.start(bytes);
    this.#pairs.excess = "";
    this.#hasAttributes = false;
    this.#hasRequest = false;
    this.#hasHeaderMap = false;
    this.#mapEntries = 0;
    this.#identityNames = null;
    this.#checkRequest(bytes.length);

    if (this.#pairs.excess !== "") return deny("request-too-large", this.#pairs.excess);
    if (this.#reader.failed) return deny("malformed", "wire");
    if (!this.#hasAttributes) return deny("malformed", "no-attributes");
    if (this.#hasRequest !== record.hasRequest) return deny("malformed", "request-without-http");
    if (this.#hasHeaderMap && this.#mapEntries > 0) return deny("malformed", "two-header-forms");
    if (!this.#textsAreUtf8()) return deny("malformed", "utf8");
    if (this.#identityNames !== null) record.identityHeaderNames = this.#identityNames;
    return record;
  }

  #checkRequest(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === tag.attributes) {
        this.#hasAttributes = true;
        this.#attributes(reader.payload(end));
      } else reader.skipUnknown(next, end, 0b10);
    }
  }

  #attributes(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case tag.source:
          scanPeer(reader, this.#record, source, reader.payload(end), this.#pairs);
          break;
        case tag.destination:
          scanPeer(reader, this.#record, destination, reader.payload(end), this.#pairs);
          break;
        case tag.request:
          this.#hasRequest = true;
          this.#request(reader.payload(end));
          break;
        case tag.contextExtensions:
          this.#pairs.entry(reader.payload(end));
          this.#pairs.keepIn(this.#record.extensions);
          break;
        case tag.tlsSession:
          this.#tlsSession(reader.payload(end));
          break;
        default:
          reader.skipUnknown(next, end, 0b1_0100_0001_0110);
      }
    }
  }

  #request(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === tag.time) this.#timestamp(reader.payload(end));
      else if (next === tag.http) {
        this.#record.hasRequest = true;
        this.#http(reader.payload(end));
      } else reader.skipUnknown(next, end, 0b110);
    }
  }

  #timestamp(end: number): void {
    const reader = this.#reader;
    if (this.#record.requestTimeMs === null) {
      this.#seconds = 0;
      this.#nanos = 0;
    }
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === tag.seconds) {
        reader.varint(end);
        this.#seconds = (reader.high | 0) * 4_294_967_296 + reader.low;
      } else if (next === tag.nanos) {
        reader.varint(end);
        this.#nanos = reader.low | 0;
      } else reader.skipUnknown(next, end, 0b110);
    }
    this.#record.requestTimeMs = this.#seconds * 1000 + Math.floor(this.#nanos / 1_000_000);
  }

  #http(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case bytesTag(2):
          note(reader, this.#record, slot.method, end);
          break;
        case bytesTag(3):
          this.#mapEntries += 1;
          this.#mapEntry(reader.payload(end));
          break;
        case bytesTag(4):
          note(reader, this.#record, slot.target, end);
          break;
        case bytesTag(5):
          note(reader, this.#record, slot.host, end);
          break;
        case bytesTag(6):
          note(reader, this.#record, slot.scheme, end);
          break;
        case bytesTag(10):
          note(reader, this.#record, slot.protocol, end);
          break;
        case bytesTag(13):
          this.#hasHeaderMap = true;
          this.#record.rawHeaders = true;
          this.#headerMap(reader.payload(end));
          break;
        case bytesTag(1): // Envoy's stream number
        case bytesTag(7): // query and fragment: always empty, `path` has them
        case bytesTag(8):
        case varintTag(9): // bytes received so far
        case bytesTag(11): // body
        case bytesTag(12):
          reader.skip(next, end);
          break;
        default:
          reader.skipUnknown(next, end, 0b11_1111_1111_1110);
      }
    }
  }

  #mapEntry(end: number): void {
    const { headers } = this.#record;
    if (!this.#pairs.plainEntryIn(headers, end)) {
      this.#pairs.entry(end);
      this.#pairs.keepIn(headers);
    }
    this.#noteIdentityHeader();
  }

  #headerMap(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === bytesTag(1)) {
        this.#pairs.headerValue(reader.payload(end));
        this.#pairs.keepIn(this.#record.headers);
        this.#noteIdentityHeader();
      } else reader.skipUnknown(next, end, 0b10);
    }
  }

  #noteIdentityHeader(): void {
    const { keyStart, keyEnd } = this.#pairs;
    const { bytes } = this.#record;
    if (this.#reader.failed || !isIdentityHeader(bytes, keyStart, keyEnd)) return;
    // A name that is no token cannot come from Envoy, and could not be named for removal.
    if (!isHeaderToken(bytes, keyStart, keyEnd)) {
      this.#reader.fail();
      return;
    }
    const name = bytes.toString("latin1", keyStart, keyEnd);
    this.#identityNames ??= [];
    if (!this.#identityNames.includes(name)) this.#identityNames.push(name);
  }

  #tlsSession(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === bytesTag(1)) note(reader, this.#record, slot.serverName, end);
      else reader.skipUnknown(next, end, 0b10);
    }
  }

  #textsAreUtf8(): boolean {
    const { bytes, spans, extensions, labels } = this.#record;
    for (let at = 0; at < spans.length; at += 2) {
      if (at === slot.target * 2) continue; // read byte by byte, and only 0x21-0x7E passes
      if (!isUtf8Span(bytes, spans[at] as number, spans[at + 1] as number)) return false;
    }
    return pairsAreUtf8(bytes, extensions) && pairsAreUtf8(bytes, labels);
  }
}

function pairsAreUtf8(bytes: Buffer, table: PairTable): boolean {
  for (let at = 0; at < table.count * 4; at += 2) {
    if (!isUtf8Span(bytes, table.spans[at] as number, table.spans[at + 1] as number)) return false;
  }
  return true;
}
