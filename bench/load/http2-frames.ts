/*
 * As much of HTTP/2 (RFC 9113) as a load generator needs to write: bytes made once, so that the generator
 * is never what is measured. Reading is in grpc-connection.ts.
 */

export const frameHeaderBytes = 9;

export const frameType = {
  data: 0x0,
  headers: 0x1,
  rstStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const;

export const setting = { enablePush: 0x2, initialWindowSize: 0x4 } as const;

/** The connection preface of a client (section 3.4), without the SETTINGS that must follow. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Writes a frame's header at `at`; returns where its payload begins. */
export function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(streamId, at + 5);
  return at + frameHeaderBytes;
}

export function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const out = Buffer.alloc(frameHeaderBytes + payload.length);
  payload.copy(out, writeFrameHeader(out, 0, payload.length, type, flags, streamId));
  return out;
}

/** Returns a SETTINGS frame of pairs of identifier and value. */
export function settingsFrame(pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], n) => {
    payload.writeUInt16BE(id, n * 6);
    payload.writeUInt32BE(value, n * 6 + 2);
  });
  return frame(frameType.settings, 0, 0, payload);
}

export function windowUpdateFrame(streamId: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(frameType.windowUpdate, 0, streamId, payload);
}

/** A header block (RFC 7541) in two spellings: what fills the dynamic table, and what then refers to it. */
export interface HeaderBlocks {
  readonly first: Buffer;
  readonly later: Buffer;
}

/** Static table entries (RFC 7541, appendix A) of what every call sends alike. */
const staticPairs: ReadonlyMap<string, number> = new Map([
  [":method: POST", 3],
  [":scheme: http", 6],
]);
const firstDynamicIndex = 62;

/**
 * Returns the blocks of headers that never change on a connection, as nghttp2 and Envoy send them: with
 * incremental indexing the first time, one octet a header from then on. At most 60 headers, each text
 * shorter than 127 octets.
 */
export function headerBlocks(headers: readonly (readonly [string, string])[]): HeaderBlocks {
  const indexed = headers.filter(([name, value]) => !staticPairs.has(`${name}: ${value}`));
  const first: number[] = [];
  const later: number[] = [];
  for (const [name, value] of headers) {
    const known = staticPairs.get(`${name}: ${value}`);
    if (known !== undefined) {
      first.push(0x80 | known);
      later.push(0x80 | known);
      continue;
    }
    first.push(0x40, ...octets(name), ...octets(value));
    const place = indexed.findIndex(([each]) => each === name);
    later.push(0x80 | (firstDynamicIndex + indexed.length - 1 - place));
  }
  return { first: Buffer.from(first), later: Buffer.from(later) };
}

function octets(text: string): number[] {
  if (text.length >= 127) throw new Error(`a header text of ${text.length} octets`);
  return [text.length, ...Buffer.from(text, "latin1")];
}
