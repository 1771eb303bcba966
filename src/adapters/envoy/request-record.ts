import type { CheckAttributes, HeaderField, HeaderSpan } from "../../domain/request/attributes.ts";
import { coerceUtf8 } from "./utf8.ts";

/** The texts of a CheckRequest whose place is noted; each is a start and an end in `spans`. */
export const slot = {
  method: 0,
  target: 1,
  host: 2,
  scheme: 3,
  protocol: 4,
  sourcePrincipal: 5,
  sourceAddress: 6,
  sourceCertificate: 7,
  destinationPrincipal: 8,
  destinationAddress: 9,
  serverName: 10,
} as const;

const slotCount = 11;

/** What an `Address` holds: the wire number of its oneof, 0 for nothing. */
export const socketAddress = 1;

const noLabels: ReadonlyMap<string, string> = new Map();
const noNames: readonly string[] = Object.freeze([]);

/** Places of key and value of up to `limit` pairs: four offsets each. */
export class PairTable {
  /** For the detail of a denial. */
  readonly name: string;
  readonly limit: number;
  readonly spans: Int32Array;
  count = 0;

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
    this.spans = new Int32Array(limit * 4);
  }

  /** Returns false when the table is full. */
  add(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): boolean {
    if (this.count === this.limit) return false;
    const at = this.count * 4;
    this.spans[at] = keyStart;
    this.spans[at + 1] = keyEnd;
    this.spans[at + 2] = valueStart;
    this.spans[at + 3] = valueEnd;
    this.count += 1;
    return true;
  }

  /** Returns the index of the last pair before `before` whose key is the ASCII text `name`, or -1. */
  lastBefore(bytes: Buffer, name: string, before: number): number {
    const { spans } = this;
    for (let index = before - 1; index >= 0; index--) {
      const start = spans[index * 4] as number;
      if ((spans[index * 4 + 1] as number) - start !== name.length) continue;
      if (equalsAscii(bytes, start, name)) return index;
    }
    return -1;
  }
}

function equalsAscii(bytes: Buffer, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    if (bytes[start + at] !== name.charCodeAt(at)) return false;
  }
  return true;
}

/**
 * The one reusable view of a decoded CheckRequest: places in the message, made into texts when asked
 * for. Filled by `decode`; borrowed by its reader until the next `decode`.
 */
export class RequestRecord implements CheckAttributes {
  bytes: Buffer = Buffer.alloc(0);
  hasRequest = false;
  rawHeaders = false;
  requestTimeMs: number | null = null;
  identityHeaderNames: readonly string[] = noNames;
  readonly spans = new Int32Array(slotCount * 2);
  readonly headers: PairTable;
  readonly extensions: PairTable;
  readonly labels: PairTable;
  /** Index 0 is the source, 1 the destination: kind of the address, port or -1. */
  readonly addressKinds = new Uint8Array(2);
  readonly ports = new Float64Array(2);
  readonly #texts: string[] = new Array(slotCount).fill("");
  /** Bit n: text n was made of this message. */
  #made = 0;
  readonly #span = { bytes: this.bytes, start: 0, end: 0 };

  constructor(maxHeaders: number, maxContextExtensions: number) {
    this.headers = new PairTable("headers", maxHeaders);
    this.extensions = new PairTable("context-extensions", maxContextExtensions);
    this.labels = new PairTable("labels", maxContextExtensions);
  }

  /** Forgets the last message and borrows `bytes`. */
  start(bytes: Buffer): void {
    this.bytes = bytes;
    this.hasRequest = false;
    this.rawHeaders = false;
    this.requestTimeMs = null;
    this.identityHeaderNames = noNames;
    this.spans.fill(0);
    this.headers.count = 0;
    this.extensions.count = 0;
    this.labels.count = 0;
    this.addressKinds[0] = 0;
    this.addressKinds[1] = 0;
    this.ports[0] = -1;
    this.ports[1] = -1;
    this.#made = 0;
  }

  get method(): string {
    return this.#text(slot.method);
  }

  get target(): string {
    const { spans } = this;
    if (this.#isMade(slot.target)) return this.#texts[slot.target] as string;
    return this.#keep(
      slot.target,
      this.bytes.toString("latin1", spans[slot.target * 2], spans[slot.target * 2 + 1]),
    );
  }

  get host(): string {
    return this.#text(slot.host);
  }

  get scheme(): string {
    return this.#text(slot.scheme);
  }

  get protocol(): string {
    return this.#text(slot.protocol);
  }

  get sourcePrincipal(): string {
    return this.#text(slot.sourcePrincipal);
  }

  get destinationPrincipal(): string {
    return this.#text(slot.destinationPrincipal);
  }

  get serverName(): string {
    return this.#text(slot.serverName);
  }

  get hasPeerCertificate(): boolean {
    return this.#isPresent(slot.sourceCertificate);
  }

  get sourceAddress(): string | null {
    const isSocket = this.addressKinds[0] === socketAddress;
    return isSocket && this.#isPresent(slot.sourceAddress) ? this.#text(slot.sourceAddress) : null;
  }

  get destinationPort(): number | null {
    const port = this.ports[1] as number;
    return this.addressKinds[1] === socketAddress && port >= 0 ? port : null;
  }

  get destinationLabels(): ReadonlyMap<string, string> {
    if (this.labels.count === 0) return noLabels;
    const labels = new Map<string, string>();
    const { spans } = this.labels;
    for (let at = 0; at < this.labels.count * 4; at += 4) {
      labels.set(
        this.bytes.toString("utf8", spans[at], spans[at + 1]),
        this.bytes.toString("utf8", spans[at + 2], spans[at + 3]),
      );
    }
    return labels;
  }

  get rawPath(): string | null {
    const at = this.headers.lastBefore(this.bytes, ":path", this.headers.count) * 4;
    if (at < 0) return null;
    const { spans } = this.headers;
    return this.bytes.toString("latin1", spans[at + 2], spans[at + 3]);
  }

  get rawPathCount(): number {
    return this.#occurrences(":path");
  }

  contextExtension(name: string): string | undefined {
    const { extensions } = this;
    const at = extensions.lastBefore(this.bytes, name, extensions.count) * 4;
    if (at < 0) return undefined;
    return this.bytes.toString("utf8", extensions.spans[at + 2], extensions.spans[at + 3]);
  }

  header(name: string): HeaderField | undefined {
    const last = this.headers.lastBefore(this.bytes, name, this.headers.count);
    if (last < 0) return undefined;
    const value = this.#headerValue(last);
    // The joined form is a protobuf map: of a key that comes twice the last entry stays.
    if (!this.rawHeaders) return { value, count: 1 };
    let count = 1;
    let joined = value;
    let at = this.headers.lastBefore(this.bytes, name, last);
    while (at >= 0) {
      joined = `${this.#headerValue(at)},${joined}`;
      count += 1;
      at = this.headers.lastBefore(this.bytes, name, at);
    }
    return { value: joined, count };
  }

  headerSpan(name: string): HeaderSpan | null {
    const { headers, bytes } = this;
    const last = headers.lastBefore(bytes, name, headers.count);
    if (last < 0) return null;
    // Of a joined header that comes twice the last entry stays, as everywhere.
    if (this.rawHeaders && headers.lastBefore(bytes, name, last) >= 0) return null;
    const span = this.#span;
    span.bytes = bytes;
    span.start = headers.spans[last * 4 + 2] as number;
    span.end = headers.spans[last * 4 + 3] as number;
    return span;
  }

  #occurrences(name: string): number {
    let count = 0;
    let at = this.headers.lastBefore(this.bytes, name, this.headers.count);
    while (at >= 0) {
      count += 1;
      at = this.headers.lastBefore(this.bytes, name, at);
    }
    return this.rawHeaders ? count : Math.min(count, 1);
  }

  #headerValue(index: number): string {
    const { spans } = this.headers;
    return coerceUtf8(this.bytes, spans[index * 4 + 2] as number, spans[index * 4 + 3] as number);
  }

  #isPresent(index: number): boolean {
    return (this.spans[index * 2 + 1] as number) > (this.spans[index * 2] as number);
  }

  #text(index: number): string {
    if (this.#isMade(index)) return this.#texts[index] as string;
    const { spans } = this;
    return this.#keep(index, this.bytes.toString("utf8", spans[index * 2], spans[index * 2 + 1]));
  }

  #isMade(index: number): boolean {
    return ((this.#made >>> index) & 1) === 1;
  }

  #keep(index: number, text: string): string {
    this.#texts[index] = text;
    this.#made |= 1 << index;
    return text;
  }
}
