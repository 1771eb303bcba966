import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { Answerer } from "./answer.ts";
import { Interruptible } from "./drain.ts";
import { Health } from "./health.ts";
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

type Injector = ReturnType<Server["createConnectionInjector"]>;

/** How often a drain asks whether its connections are closed. */
const drainPollMs = 20;

/**
 * Returns a listener on grpc-js: Check is registered by hand with serialisers that do nothing, so
 * the handler gets and gives bytes. The reference for the protocol; not the default, because its
 * HTTP/2 server closes a connection after about a thousand resets and 33 a second (H2-002).
 *
 * Less than the other one in what grpc-js offers no way for: `messageTimeoutMs` without a
 * `grpc-timeout`, `maxUnfinishedBytes`, the announcing GOAWAY of a drain, resets in `cancelled` that
 * come after the answer was handed over, and `onRpc` for a call that is not well formed.
 */
export function createGrpcJsListener(options: ListenerOptions): Listener {
  return new GrpcJsListener(options);
}

class GrpcJsListener implements Listener {
  readonly #limits: ListenerLimits;
  readonly #options: ListenerOptions;
  readonly #answerer: Answerer;
  readonly #health = new Health();
  readonly #server: Server;
  readonly #injector: Injector;
  readonly #sockets: SocketServer;
  readonly #watches = new Set<(code: number) => void>();
  readonly #ending = new Interruptible();
  #inFlight = 0;
  #cancelled = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#answerer = new Answerer(options, this.#limits.pendingTimeoutMs);
    this.#server = new Server(serverOptions(this.#limits));
    this.#register();
    this.#sockets = new SocketServer(options, this.#limits.maxConnections, (socket) =>
      this.#injector.injectConnection(socket),
    );
    // TLS is ended by the socket server, whose certificate can be replaced.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  async start(): Promise<{ readonly address: string }> {
    return { address: await this.#sockets.start() };
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
    for (const end of this.#watches) end(status.OK);
    if (!this.#ending.isInterrupted) {
      this.#injector.drain(this.#limits.drainGraceMs);
      const polls = Math.ceil(this.#limits.drainGraceMs / drainPollMs);
      for (let poll = 0; poll < polls && this.#sockets.connections > 0; poll++) {
        await this.#ending.sleep(drainPollMs);
      }
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.#ending.interrupt();
    this.#sockets.destroy();
    this.#server.forceShutdown();
  }

  #register(): void {
    this.#server.register(
      "/envoy.service.auth.v3.Authorization/Check",
      (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
        this.#check(call, callback),
      sameBytes,
      sameBytes,
      "unary",
    );
    this.#server.register(
      "/grpc.health.v1.Health/Check",
      (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const handled = this.#handles("healthCheck");
        const response = this.#health.check(call.request);
        if (response === null) callback({ code: status.NOT_FOUND, details: "unknown service" });
        else callback(null, response);
        handled(response === null ? status.NOT_FOUND : status.OK);
      },
      sameBytes,
      sameBytes,
      "unary",
    );
    this.#server.register(
      "/grpc.health.v1.Health/Watch",
      (call: ServerWritableStream<Buffer, Buffer>) => this.#watch(call),
      sameBytes,
      sameBytes,
      "serverStream",
    );
  }

  #check(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    const timeoutMs = Number(call.getDeadline()) - Date.now();
    const handled = this.#handles("check");
    this.#inFlight += 1;
    let open = true;
    const finish = (code: number) => {
      if (!open) return false;
      open = false;
      this.#inFlight -= 1;
      handled(code);
      return true;
    };
    const pending = this.#answerer.answer(call.request, timeoutMs, (response) => {
      if (finish(status.OK)) callback(null, asBuffer(response));
    });
    if (pending === null) return;
    // grpc-js emits this at the end of every call; before the answer it means a cancel.
    call.once("cancelled", () => {
      if (!finish(status.CANCELLED)) return;
      pending.cancel();
      this.#cancelled += 1;
      this.#options.onCancel?.();
    });
  }

  #watch(call: ServerWritableStream<Buffer, Buffer>): void {
    const handled = this.#handles("healthWatch");
    const unwatch = this.#health.watch(call.request, (response) => {
      call.write(response);
    });
    const end = (code: number) => {
      if (!this.#watches.delete(end)) return;
      unwatch();
      call.end();
      handled(code);
    };
    this.#watches.add(end);
    call.once("cancelled", () => end(status.CANCELLED));
  }

  /** Returns what tells the end of the RPC that begins now. */
  #handles(rpc: Rpc): (code: number) => void {
    const { onRpc } = this.#options;
    if (onRpc === undefined) return ignore;
    const beganMs = onRpc.monotonicMs();
    return (code) => onRpc.handled(rpc, code, (onRpc.monotonicMs() - beganMs) * 1e6);
  }
}

function ignore(): void {}

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Every option that matters, set by name (H2-007 to H2-010, H2-012). */
function serverOptions(limits: ListenerLimits) {
  const unlimitedMs = 2 ** 31 - 1; // grpc-js's own word for "never"
  return {
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc-node.max_session_memory": limits.maxSessionMemoryMb,
    "grpc.keepalive_time_ms": limits.keepaliveTimeMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    "grpc.max_connection_age_ms": Math.min(limits.connectionAgeMs, unlimitedMs),
    "grpc.max_connection_age_grace_ms": Math.min(limits.connectionAgeGraceMs, unlimitedMs),
    "grpc.max_connection_idle_ms": Math.min(limits.connectionIdleMs, unlimitedMs),
    "grpc.enable_channelz": 0,
  };
}
