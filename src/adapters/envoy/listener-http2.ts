import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { Answerer } from "./answer.ts";
import { Interruptible, rateLimited } from "./drain.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";
import { Health } from "./health.ts";
import { frameMessage, grpcStatus, Http2Call } from "./http2-call.ts";
import { endSession, superviseSession } from "./http2-session.ts";
import {
  type Listener,
  type ListenerCounters,
  type ListenerLimits,
  type ListenerOptions,
  limitsOf,
  type Rpc,
  type TlsMaterial,
} from "./listener.ts";
import { SocketServer } from "./socket-server.ts";

const methods: ReadonlyMap<string, Rpc> = new Map([
  ["/envoy.service.auth.v3.Authorization/Check", "check"],
  ["/grpc.health.v1.Health/Check", "healthCheck"],
  ["/grpc.health.v1.Health/Watch", "healthWatch"],
]);

const grpcContentType = /^application\/grpc(?:$|[+;])/;
const okHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" };
const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };
/** `sendDate` is understood by `respond` and missing in its type: no peer of ours reads a date. */
const withTrailers: { waitForTrailers: boolean; sendDate: boolean } = {
  waitForTrailers: true,
  sendDate: false,
};

/** Streams that Node may hold for each one that its peer has open. */
const lingering = 4;

/** How often calls that wait for their peer are looked at: no clock is read for a Check. */
const sweepMs = 250;

/**
 * Returns a listener on `node:http2` with unary gRPC framed by hand.
 *
 * It exists beside grpc-js for the session options that grpc-js does not pass on: above all the
 * reset limiter, which closes the connection of an Envoy whose clients give up often (H2-002).
 * `docs/decisions/0002-check-listener.md` has the figures.
 */
export function createHttp2Listener(options: ListenerOptions): Listener {
  return new Http2Listener(options);
}

/**
 * The call of a stream, on the stream itself: as a key of a WeakMap each stream would cost its collection
 * more than its Check.
 */
const callKey = Symbol("call");
type CallStream = ServerHttp2Stream & { [callKey]?: Http2Call };

function callOf(stream: ServerHttp2Stream): Http2Call | undefined {
  return (stream as CallStream)[callKey];
}

class Http2Listener implements Listener {
  readonly #limits: ListenerLimits;
  readonly #options: ListenerOptions;
  readonly #answerer: Answerer;
  readonly #health = new Health();
  readonly #http2: Http2Server;
  readonly #sockets: SocketServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #calls = new Set<Http2Call>();
  readonly #ending = new Interruptible();
  #sweeper: NodeJS.Timeout | null = null;
  #tick = 0;
  #unfinishedBytes = 0;
  #inFlight = 0;
  #cancelled = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#answerer = new Answerer(options, this.#limits.pendingTimeoutMs);
    this.#http2 = createServer(sessionOptions(this.#limits));
    const warn = rateLimited((message, cause) => options.log?.("warn", message, cause), 1000);
    this.#http2.on("session", (session) => this.#onSession(session));
    this.#http2.on("sessionError", (cause) => warn("an HTTP/2 session failed", cause));
    this.#http2.on("stream", (stream, headers) => this.#onStream(stream, headers));
    // The server never listens itself: it is handed sockets, as its own listening part would do.
    this.#sockets = new SocketServer(options, this.#limits.maxConnections, (socket) =>
      this.#http2.emit("connection", socket),
    );
  }

  async start(): Promise<{ readonly address: string }> {
    const address = await this.#sockets.start();
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeper.unref();
    return { address };
  }

  setServing(serving: boolean): void {
    this.#health.set(serving);
  }

  updateTls(tls: TlsMaterial): void {
    this.#sockets.updateTls(tls);
  }

  counters(): ListenerCounters {
    return {
      connections: this.#sockets.connections,
      inFlight: this.#inFlight,
      cancelled: this.#cancelled,
    };
  }

  async drain(options: { readonly drainSeconds: number }): Promise<void> {
    this.setServing(false);
    await this.#ending.sleep(options.drainSeconds * 1000);
    this.#sockets.stop();
    for (const call of this.#calls) call.unwatch?.();
    const { goawayNoticeMs, drainGraceMs } = this.#limits;
    if (!this.#ending.isInterrupted) {
      await Promise.all(
        Array.from(this.#sessions, (session) => endSession(session, goawayNoticeMs, drainGraceMs)),
      );
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.#ending.interrupt();
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const session of this.#sessions) session.destroy();
    this.#sockets.destroy();
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    superviseSession(session, this.#limits, Math.random());
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Whatever fails on a stream is followed by its "close", which ends the call.
    stream.on("error", ignore);
    if (stream.destroyed) return;
    const method = methods.get(headers[":path"] ?? "");
    const timeoutMs = parseGrpcTimeout(single(headers["grpc-timeout"]));
    if (headers[":method"] !== "POST") this.#refuse(stream, { ":status": 405 });
    else if (!grpcContentType.test(headers["content-type"] ?? "")) {
      this.#refuse(stream, { ":status": 415 });
    } else if (method === undefined) this.#fail(stream, grpcStatus.unimplemented);
    else if (timeoutMs === null) this.#fail(stream, grpcStatus.internal);
    else {
      const encoding = single(headers["grpc-encoding"]) ?? "";
      const waitMs = Math.min(this.#limits.messageTimeoutMs, timeoutMs);
      this.#open(new Http2Call(stream, method, encoding, timeoutMs, this.#tickAfter(waitMs)));
    }
  }

  #open(call: Http2Call): void {
    const { stream } = call;
    (stream as CallStream)[callKey] = call;
    this.#calls.add(call);
    if (call.method === "check") this.#inFlight += 1;
    const { onRpc } = this.#options;
    if (onRpc !== undefined) call.beganMs = onRpc.monotonicMs();
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onClose);
    stream.on("wantTrailers", sendOkTrailers);
  }

  // One function for all streams, with the stream as `this`: no closure is made for a Check.
  readonly #onData = bound<[Buffer]>((stream, chunk) => {
    const call = callOf(stream);
    if (call === undefined || call.answered) return;
    this.#unfinishedBytes += chunk.length;
    const status = call.receive(chunk, this.#limits.maxMessageBytes);
    if (status !== 0) this.#end(call, status);
    else if (this.#unfinishedBytes > this.#limits.maxUnfinishedBytes) this.#shed(call);
  });

  readonly #onEnd = bound<[]>((stream) => {
    const call = callOf(stream);
    if (call === undefined || call.answered || call.pending !== null) return;
    // After a reset the readable side ends too: what has come then is no request.
    if (stream.aborted || stream.destroyed) return;
    const message = call.message();
    if (typeof message === "number") this.#end(call, message);
    else this.#dispatch(call, message);
  });

  readonly #onClose = bound<[]>((stream) => {
    const call = callOf(stream);
    if (call === undefined || !this.#calls.delete(call)) return;
    call.unwatch?.();
    call.pending?.cancel();
    this.#release(call);
    const wasReset = stream.rstCode !== constants.NGHTTP2_NO_ERROR && !call.resetByUs;
    if (call.unwatch !== null) {
      this.#handled(call, wasReset ? grpcStatus.cancelled : grpcStatus.ok);
    } else if (!call.answered) this.#handled(call, grpcStatus.cancelled);
    if (call.method !== "check") return;
    this.#inFlight -= 1;
    if (wasReset) {
      this.#cancelled += 1;
      this.#options.onCancel?.();
    }
  });

  #dispatch(call: Http2Call, message: Buffer): void {
    switch (call.method) {
      case "check":
        this.#check(call, message);
        break;
      case "healthCheck": {
        const response = this.#health.check(message);
        if (response === null) this.#end(call, grpcStatus.notFound);
        else this.#reply(call, response);
        break;
      }
      case "healthWatch":
        this.#watch(call, message);
        break;
    }
  }

  #check(call: Http2Call, message: Buffer): void {
    call.pending = this.#answerer.answer(message, call.timeoutMs, (response) => {
      this.#reply(call, response);
    });
    if (call.pending !== null) call.expiresAtTick = Number.POSITIVE_INFINITY;
  }

  #watch(call: Http2Call, message: Buffer): void {
    const { stream } = call;
    call.answered = true;
    call.expiresAtTick = Number.POSITIVE_INFINITY;
    this.#release(call);
    stream.respond(okHeaders, withTrailers);
    const end = this.#health.watch(message, (response) => {
      if (!stream.destroyed && !stream.writableEnded) stream.write(frameMessage(response));
    });
    call.unwatch = () => {
      end();
      if (!stream.destroyed && !stream.writableEnded) stream.end();
    };
  }

  /** Sends the one message of a unary call. */
  #reply(call: Http2Call, message: Uint8Array): void {
    const { stream } = call;
    if (call.answered) return;
    this.#answered(call, grpcStatus.ok);
    if (stream.destroyed || stream.closed) return;
    stream.respond(okHeaders, withTrailers);
    stream.end(frameMessage(message));
  }

  /** Gives a call up whose message would take too much memory with all the others (H2-021). */
  #shed(call: Http2Call): void {
    if (call.method !== "check") {
      this.#end(call, grpcStatus.resourceExhausted);
      return;
    }
    this.#reply(call, this.#answerer.deny("overloaded"));
    // The rest of the message is not waited for.
    call.expiresAtTick = this.#tickAfter(0);
  }

  /** Ends a call that is not well formed. */
  #end(call: Http2Call, status: number): void {
    if (call.answered) return;
    this.#answered(call, status);
    this.#fail(call.stream, status);
  }

  #answered(call: Http2Call, status: number): void {
    call.answered = true;
    this.#handled(call, status);
    call.expiresAtTick = this.#tickAfter(this.#limits.messageTimeoutMs);
    this.#release(call);
  }

  #handled({ method, beganMs }: Http2Call, status: number): void {
    const { onRpc } = this.#options;
    onRpc?.handled(method, status, (onRpc.monotonicMs() - beganMs) * 1e6);
  }

  #release(call: Http2Call): void {
    this.#unfinishedBytes -= call.received;
    call.received = 0;
    call.forget();
  }

  #fail(stream: ServerHttp2Stream, status: number): void {
    this.#refuse(stream, { ...okHeaders, "grpc-status": String(status) });
  }

  #refuse(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
    if (stream.destroyed || stream.closed) return;
    const call = callOf(stream);
    if (call !== undefined) call.resetByUs = true;
    stream.respond(headers, { endStream: true });
    // The rest of the request is not waited for. Node 22 drops headers that a close in the same turn
    // overtakes, so the reset comes in the next.
    stream.resume();
    setImmediate(() => {
      if (!stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #tickAfter(ms: number): number {
    return this.#tick + Math.ceil(ms / sweepMs) + 1;
  }

  /** Ends the calls whose peer is too slow: with its message (H2-011, H2-019) or in reading (H2-020). */
  #sweep(): void {
    this.#tick += 1;
    for (const call of this.#calls) {
      if (call.expiresAtTick > this.#tick) continue;
      if (!call.answered) this.#end(call, grpcStatus.deadlineExceeded);
      else {
        call.resetByUs = true;
        call.stream.close(constants.NGHTTP2_CANCEL);
      }
    }
  }
}

function ignore(): void {}

function sendOkTrailers(this: ServerHttp2Stream): void {
  if (!this.destroyed && !this.closed) this.sendTrailers(okTrailers);
}

function bound<A extends unknown[]>(
  handle: (stream: ServerHttp2Stream, ...rest: A) => void,
): (this: ServerHttp2Stream, ...rest: A) => void {
  return function (this: ServerHttp2Stream, ...rest: A): void {
    handle(this, ...rest);
  };
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.join(",");
}

/** Every session option that matters, set by name (H2-002, H2-006, H2-007, H2-009). */
function sessionOptions(limits: ListenerLimits) {
  return {
    maxSessionMemory: limits.maxSessionMemoryMb,
    maxSettings: 32,
    maxOutstandingPings: 10,
    maxSessionInvalidFrames: 1000,
    maxSessionRejectedStreams: limits.maxRejectedStreams,
    maxHeaderListPairs: 128,
    maxSendHeaderBlockLength: 65_536,
    streamResetBurst: limits.streamResetBurst,
    streamResetRate: limits.streamResetRate,
    unknownProtocolTimeout: 5000,
    settings: {
      // Node counts streams until their objects are gone, its peer until they are reset: without room
      // above what Envoy uses (1,024) a burst of cancels makes Node refuse honest streams.
      maxConcurrentStreams: limits.maxConcurrentStreams * lingering,
      maxHeaderListSize: 65_536,
      enablePush: false,
    },
  };
}
