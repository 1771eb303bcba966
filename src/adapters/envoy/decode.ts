import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { type Denied, deny } from "../../domain/request/denied.ts";
import { identityPrefixLength, isHeaderToken, isIdentityHeader } from "./header-name.ts";
import { type PairTable, RequestRecord, slot, socketAddress } from "./request-record.ts";
import { isUtf8Span } from "./utf8.ts";
import { bytesType, varintType, WireReader } from "./wire-reader.ts";

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

const source = 0;
const destination = 1;

/** Tags are compared whole, so a known field of another wire type is never taken for it. */
function bytesTag(field: number): number {
  return field * 8 + bytesType;
}

function varintTag(field: number): number {
  return field * 8 + varintType;
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
  key: bytesTag(1),
  value: bytesTag(2),
  rawValue: bytesTag(3),
} as const;

/** One pass over the bytes: notes where things are in the record, makes no text. */
class Scanner {
  readonly #record: RequestRecord;
  readonly #reader = new WireReader();
  #tooLarge = "";
  #hasAttributes = false;
  #hasRequest = false;
  #hasHeaderMap = false;
  #mapEntries = 0;
  #identityNames: string[] = [];
  #seconds = 0;
  #nanos = 0;
  // The pair or header read last.
  #keyStart = 0;
  #keyEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(maxHeaders: number, maxContextExtensions: number) {
    this.#record = new RequestRecord(maxHeaders, maxContextExtensions);
  }

  scan(bytes: Buffer): CheckAttributes | Denied {
    const record = this.#record;
    record.start(bytes);
    this.#reader.start(bytes);
    this.#tooLarge = "";
    this.#hasAttributes = false;
    this.#hasRequest = false;
    this.#hasHeaderMap = false;
    this.#mapEntries = 0;
    this.#identityNames = [];
    this.#checkRequest(bytes.length);

    if (this.#tooLarge !== "") return deny("request-too-large", this.#tooLarge);
    if (this.#reader.failed) return deny("malformed", "wire");
    if (!this.#hasAttributes) return deny("malformed", "no-attributes");
    if (this.#hasRequest !== record.hasRequest) return deny("malformed", "request-without-http");
    if (this.#hasHeaderMap && this.#mapEntries > 0) return deny("malformed", "two-header-forms");
    if (!this.#textsAreUtf8()) return deny("malformed", "utf8");
    if (this.#identityNames.length > 0) record.identityHeaderNames = this.#identityNames;
    return record;
  }

  #checkRequest(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === tag.attributes) {
        this.#hasAttributes = true;
        this.#attributes(reader.payload(end));
      } else this.#skipUnknown(next, end, 0b10);
    }
  }

  #attributes(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case tag.source:
          this.#peer(source, reader.payload(end));
          break;
        case tag.destination:
          this.#peer(destination, reader.payload(end));
          break;
        case tag.request:
          this.#hasRequest = true;
          this.#request(reader.payload(end));
          break;
        case tag.contextExtensions:
          this.#pair(reader.payload(end));
          this.#keepPair(this.#record.extensions, "context-extensions");
          break;
        case tag.tlsSession:
          this.#tlsSession(reader.payload(end));
          break;
        default:
          this.#skipUnknown(next, end, 0b1_0100_0001_0110);
      }
    }
  }

  #peer(which: number, end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case bytesTag(1):
          this.#address(which, reader.payload(end));
          break;
        case bytesTag(2):
          reader.skip(next, end);
          break;
        case bytesTag(3):
          this.#pair(reader.payload(end));
          if (which === destination) this.#keepPair(this.#record.labels, "labels");
          break;
        case bytesTag(4):
          this.#note(which === source ? slot.sourcePrincipal : slot.destinationPrincipal, end);
          break;
        case bytesTag(5):
          if (which === source) this.#note(slot.sourceCertificate, end);
          else reader.skip(next, end);
          break;
        default:
          this.#skipUnknown(next, end, 0b11_1110);
      }
    }
  }

  #address(which: number, end: number): void {
    const reader = this.#reader;
    const { addressKinds, ports, spans } = this.#record;
    const at = which === source ? slot.sourceAddress : slot.destinationAddress;
    while (reader.position < end) {
      const next = reader.tag(end);
      const kind = next >>> 3;
      if ((next & 7) !== bytesType || kind > 3) {
        this.#skipUnknown(next, end, 0b1110);
        continue;
      }
      // A oneof: another member forgets the one before, the same member is merged.
      if (addressKinds[which] !== kind) {
        addressKinds[which] = kind;
        ports[which] = -1;
        spans[at * 2] = 0;
        spans[at * 2 + 1] = 0;
      }
      const stop = reader.payload(end);
      if (kind === socketAddress) this.#socketAddress(which, at, stop);
      else this.#fields(stop, kind === 2 ? 0b010 : 0b110, kind === 2 ? 0b100 : 0);
    }
  }

  #socketAddress(which: number, at: number, end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case bytesTag(2):
          this.#note(at, end);
          break;
        case varintTag(3):
          reader.varint(end);
          this.#record.ports[which] = reader.low;
          break;
        case bytesTag(4):
          reader.skip(next, end);
          this.#record.ports[which] = -1; // named_port is the other member of the oneof
          break;
        case varintTag(1):
        case bytesTag(5):
        case varintTag(6):
        case bytesTag(7):
          reader.skip(next, end);
          break;
        default:
          this.#skipUnknown(next, end, 0b1111_1110);
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
      } else this.#skipUnknown(next, end, 0b110);
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
      } else this.#skipUnknown(next, end, 0b110);
    }
    this.#record.requestTimeMs = this.#seconds * 1000 + Math.floor(this.#nanos / 1_000_000);
  }

  #http(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      switch (next) {
        case bytesTag(2):
          this.#note(slot.method, end);
          break;
        case bytesTag(3):
          this.#mapEntries += 1;
          this.#pair(reader.payload(end));
          this.#keepHeader();
          break;
        case bytesTag(4):
          this.#note(slot.target, end);
          break;
        case bytesTag(5):
          this.#note(slot.host, end);
          break;
        case bytesTag(6):
          this.#note(slot.scheme, end);
          break;
        case bytesTag(10):
          this.#note(slot.protocol, end);
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
          this.#skipUnknown(next, end, 0b11_1111_1111_1110);
      }
    }
  }

  #headerMap(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === bytesTag(1)) {
        this.#headerValue(reader.payload(end));
        this.#keepHeader();
      } else this.#skipUnknown(next, end, 0b10);
    }
  }

  /** A HeaderValue: `raw_value`, or `value` where a client writes texts; not both. */
  #headerValue(end: number): void {
    const reader = this.#reader;
    this.#clearPair();
    let rawStart = 0;
    let rawEnd = 0;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next !== tag.key && next !== tag.value && next !== tag.rawValue) {
        this.#skipUnknown(next, end, 0b1110);
        continue;
      }
      const stop = reader.payload(end);
      if (next === tag.key) {
        this.#keyStart = reader.position;
        this.#keyEnd = stop;
      } else if (next === tag.value) {
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
  #pair(end: number): void {
    const reader = this.#reader;
    this.#clearPair();
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next !== tag.key && next !== tag.value) {
        this.#skipUnknown(next, end, 0b110);
        continue;
      }
      const stop = reader.payload(end);
      if (next === tag.key) {
        this.#keyStart = reader.position;
        this.#keyEnd = stop;
      } else {
        this.#valueStart = reader.position;
        this.#valueEnd = stop;
      }
      reader.position = stop;
    }
  }

  #clearPair(): void {
    this.#keyStart = 0;
    this.#keyEnd = 0;
    this.#valueStart = 0;
    this.#valueEnd = 0;
  }

  #keepPair(table: PairTable, detail: string): void {
    if (this.#reader.failed) return;
    if (table.add(this.#keyStart, this.#keyEnd, this.#valueStart, this.#valueEnd)) return;
    this.#tooLarge = detail;
    this.#reader.fail();
  }

  #keepHeader(): void {
    this.#keepPair(this.#record.headers, "headers");
    const length = this.#keyEnd - this.#keyStart;
    if (length < identityPrefixLength || this.#reader.failed) return;
    const { bytes } = this.#record;
    if (!isIdentityHeader(bytes, this.#keyStart, this.#keyEnd)) return;
    // A name that is no token cannot come from Envoy, and could not be named for removal.
    if (!isHeaderToken(bytes, this.#keyStart, this.#keyEnd)) {
      this.#reader.fail();
      return;
    }
    const name = bytes.toString("latin1", this.#keyStart, this.#keyEnd);
    if (!this.#identityNames.includes(name)) this.#identityNames.push(name);
  }

  #tlsSession(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      if (next === bytesTag(1)) this.#note(slot.serverName, end);
      else this.#skipUnknown(next, end, 0b10);
    }
  }

  #note(at: number, end: number): void {
    const reader = this.#reader;
    const stop = reader.payload(end);
    this.#record.spans[at * 2] = reader.position;
    this.#record.spans[at * 2 + 1] = stop;
    reader.position = stop;
  }

  /** Walks a message that nobody reads; bit n of the masks is field n. */
  #fields(end: number, bytesFields: number, varintFields: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const next = reader.tag(end);
      const field = next >>> 3;
      const mask = (next & 7) === bytesType ? bytesFields : varintFields;
      if (field < 31 && ((mask >>> field) & 1) === 1) reader.skip(next, end);
      else this.#skipUnknown(next, end, bytesFields | varintFields);
    }
  }

  /** Skips a field this binary does not know; one that it knows has come with a wrong wire type. */
  #skipUnknown(next: number, end: number, known: number): void {
    const field = next >>> 3;
    if (next === 0 || (field < 31 && ((known >>> field) & 1) === 1)) this.#reader.fail();
    else this.#reader.skip(next, end);
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
