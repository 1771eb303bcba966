import { connect, type Socket } from "node:net";
import {
  flag,
  frame,
  frameHeaderBytes,
  frameType,
  type HeaderBlocks,
  headerBlocks,
  preface,
  setting,
  settingsFrame,
  windowUpdateFrame,
  writeFrameHeader,
} from "./http2-frames.ts";

/** Gives the messages of calls one after the other, each behind gRPC's five octets; borrowed. */
export interface MessageSource {
  next(): Buffer;
}

export interface AnswerCounts {
  /** Calls that ended. */
  answered: number;
  /** Answers whose message is a CheckResponse that allows; an honest run has as many as `answered`. */
  allowed: number;
}

const openWindow = 0x7fff_ffff - 65_535;
const headers: readonly (readonly [string, string])[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/envoy.service.auth.v3.Authorization/Check"],
  [":authority", "mesh-iam"],
  ["te", "trailers"],
  ["grpc-timeout", "250m"],
  ["content-type", "application/grpc"],
];

/**
 * One HTTP/2 connection of the load generator: sends prepared bytes and counts answers. It reads just
 * enough to see that each call ended and that its answer allows, so that a server which answers every
 * call with an error never looks fast (performance 4.4).
 */
export class GrpcConnection {
  readonly counts: AnswerCounts = { answered: 0, allowed: 0 };
  readonly #socket: Socket;
  readonly #blocks: HeaderBlocks = headerBlocks(headers);
  readonly #source: MessageSource;
  readonly #onEnd: (connection: GrpcConnection, ended: number) => void;
  #streamId = 1;
  #sendWindow = 65_535;
  /** When the calls that wait for the server to open its window were due. */
  #held: number[] = [];
  #received = 0;
  #rest: Buffer | null = null;
  #closed: string | null = null;
  /** When each open call was to be sent, by its stream; for latencies. */
  readonly #intendedMs = new Float64Array(1 << 16);
  /** Called with the latency of each call, in ms, while it is set. */
  onLatency: ((ms: number) => void) | null = null;

  private constructor(
    socket: Socket,
    source: MessageSource,
    onEnd: (connection: GrpcConnection, ended: number) => void,
  ) {
    this.#socket = socket;
    this.#source = source;
    this.#onEnd = onEnd;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (cause) => this.#end(String(cause)));
    socket.on("close", () => this.#end("the server closed the connection"));
    socket.write(
      Buffer.concat([
        preface,
        settingsFrame([
          [setting.enablePush, 0],
          [setting.initialWindowSize, 1 << 20],
        ]),
        windowUpdateFrame(0, openWindow),
      ]),
    );
  }

  /** Connects to `host:port` or a socket's path. `onEnd` is told of the calls that each read ended. */
  static open(
    address: string,
    source: MessageSource,
    onEnd: (connection: GrpcConnection, ended: number) => void,
  ): Promise<GrpcConnection> {
    const colon = address.lastIndexOf(":");
    const socket = address.startsWith("/")
      ? connect(address)
      : connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => resolve(new GrpcConnection(socket, source, onEnd)));
    });
  }

  /** Starts `count` calls in one write. `intendedMs` is when they were due. */
  send(count: number, intendedMs = 0): void {
    if (this.#closed !== null) throw new Error(this.#closed);
    for (let n = 0; n < count; n++) this.#held.push(intendedMs);
    const out: Buffer[] = [];
    for (const dueMs of this.#held) {
      const call = this.#call(dueMs);
      if (call === null) break;
      out.push(call);
    }
    this.#held = this.#held.slice(out.length);
    if (out.length > 0)
      this.#socket.write(out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out));
  }

  close(): void {
    this.#closed = "closed";
    this.#socket.destroy();
  }

  #call(intendedMs: number): Buffer | null {
    const message = this.#source.next();
    if (message.length > this.#sendWindow) return null;
    this.#sendWindow -= message.length;
    const block = this.#streamId === 1 ? this.#blocks.first : this.#blocks.later;
    const out = Buffer.allocUnsafe(2 * frameHeaderBytes + block.length + message.length);
    const id = this.#streamId;
    this.#streamId += 2;
    this.#intendedMs[(id >> 1) & 0xffff] = intendedMs;
    let at = writeFrameHeader(out, 0, block.length, frameType.headers, flag.endHeaders, id);
    at += block.copy(out, at);
    at = writeFrameHeader(out, at, message.length, frameType.data, flag.endStream, id);
    message.copy(out, at);
    return out;
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    const before = this.counts.answered;
    let at = 0;
    while (at + frameHeaderBytes <= bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + frameHeaderBytes + length;
      if (end > bytes.length) break;
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at);
    const ended = this.counts.answered - before;
    if (ended > 0) this.#onEnd(this, ended);
    if (this.#held.length > 0) this.send(0);
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    const type = bytes[start + 3] as number;
    const flags = bytes[start + 4] as number;
    const streamId = bytes.readUInt32BE(start + 5);
    const at = start + frameHeaderBytes;
    switch (type) {
      case frameType.data:
        if (isAllow(bytes, at, end)) this.counts.allowed += 1;
        this.#credit(end - at);
        break;
      case frameType.headers:
        if ((flags & flag.endStream) !== 0) this.#answered(streamId);
        break;
      case frameType.settings:
        if ((flags & flag.ack) === 0) {
          this.#socket.write(frame(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
        }
        break;
      case frameType.ping:
        if ((flags & flag.ack) === 0) {
          const payload = Buffer.from(bytes.subarray(at, end));
          this.#socket.write(frame(frameType.ping, flag.ack, 0, payload));
        }
        break;
      case frameType.windowUpdate:
        if (streamId === 0) this.#sendWindow += bytes.readUInt32BE(at);
        break;
      case frameType.rstStream:
        this.#end(`the server reset a stream with code ${bytes.readUInt32BE(at)}`);
        break;
      case frameType.goaway:
        this.#end(`the server said GOAWAY with code ${bytes.readUInt32BE(at + 4)}`);
        break;
    }
  }

  #answered(streamId: number): void {
    this.counts.answered += 1;
    if (this.onLatency === null) return;
    this.onLatency(performance.now() - (this.#intendedMs[(streamId >> 1) & 0xffff] as number));
  }

  /** Gives the server window back before it runs out, in large pieces. */
  #credit(bytes: number): void {
    this.#received += bytes;
    if (this.#received < 1 << 29) return;
    this.#socket.write(windowUpdateFrame(0, this.#received));
    this.#received = 0;
  }

  #end(why: string): void {
    this.#closed ??= why;
  }

  /** Throws why the connection is no more. */
  check(): void {
    if (this.#closed !== null) throw new Error(this.#closed);
  }
}

/** One whole gRPC message whose CheckResponse begins with status OK (`0a 00`) and an `ok_response`. */
function isAllow(bytes: Buffer, at: number, end: number): boolean {
  return (
    end - at > 8 &&
    bytes[at] === 0 &&
    bytes.readUInt32BE(at + 1) === end - at - 5 &&
    bytes[at + 5] === 0x0a &&
    bytes[at + 6] === 0x00 &&
    bytes[at + 7] === 0x1a
  );
}
