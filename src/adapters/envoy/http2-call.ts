import type { ServerHttp2Stream } from "node:http2";
import type { PendingCheck } from "./answer.ts";
import type { Rpc } from "./listener.ts";

/** gRPC statuses that a call ends with; all but the first two: it is not well formed (performance 2.16). */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

/** Bytes before a message: a flag and a length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const prefixBytes = 5;

/** One call: what of its message has come, and how far its answer is. */
export class Http2Call {
  readonly stream: ServerHttp2Stream;
  readonly method: Rpc;
  readonly encoding: string;
  readonly timeoutMs: number;
  /** In ticks of the listener's sweep: when the call has waited too long for its peer. */
  expiresAtTick: number;
  answered = false;
  /** On the clock of `onRpc`; 0 where nobody asks. */
  beganMs = 0;
  /** The listener itself reset the stream. */
  resetByUs = false;
  pending: PendingCheck | null = null;
  unwatch: (() => void) | null = null;
  received = 0;
  #first: Buffer | null = null;
  #rest: Buffer[] | null = null;
  #announced = -1;

  constructor(
    stream: ServerHttp2Stream,
    method: Rpc,
    encoding: string,
    timeoutMs: number,
    expiresAtTick: number,
  ) {
    this.stream = stream;
    this.method = method;
    this.encoding = encoding;
    this.timeoutMs = timeoutMs;
    this.expiresAtTick = expiresAtTick;
  }

  /** Takes a piece of the body. Returns 0, or the gRPC status that ends the call. */
  receive(chunk: Buffer, maxMessageBytes: number): number {
    this.received += chunk.length;
    if (this.#first === null) this.#first = chunk;
    else if (this.#rest === null) this.#rest = [chunk];
    else this.#rest.push(chunk);
    if (this.#announced < 0) {
      if (this.received < prefixBytes) return 0;
      this.#announced = this.#prefix().readUInt32BE(1);
      // INVARIANT: the length is looked at before anything of that size is kept (H2-021).
      if (this.#announced > maxMessageBytes) return grpcStatus.resourceExhausted;
    }
    return this.received > prefixBytes + this.#announced ? grpcStatus.unimplemented : 0;
  }

  /** Returns the message once the body has ended, or the gRPC status that ends the call. */
  message(): Buffer | number {
    const { received } = this;
    if (this.#first === null) return grpcStatus.unimplemented;
    if (received < prefixBytes || received !== prefixBytes + this.#announced) {
      return grpcStatus.internal;
    }
    const whole = this.#rest === null ? this.#first : Buffer.concat([this.#first, ...this.#rest]);
    const flag = whole[0];
    if (flag === 0) return whole.subarray(prefixBytes);
    const isCoded = this.encoding !== "" && this.encoding !== "identity";
    return flag === 1 && isCoded ? grpcStatus.unimplemented : grpcStatus.internal;
  }

  /** Lets go of the body. */
  forget(): void {
    this.#first = null;
    this.#rest = null;
  }

  #prefix(): Buffer {
    const first = this.#first as Buffer;
    if (first.length >= prefixBytes || this.#rest === null) return first;
    const whole = Buffer.concat([first, ...this.#rest]);
    this.#first = whole;
    this.#rest = null;
    return whole;
  }
}

/** Returns `message` behind its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}
