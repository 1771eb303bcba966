import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { Answerer } from "./answer.ts";
import { Interruptible, rateLimited } from "./drain.ts";
import { Health } from "./health.ts";
import {
  type Listener,
  type ListenerCounters,
  type ListenerLimits,
  type ListenerOptions,
  limitsOf,
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
 * come after the answer was handed over.
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
  readonly #watches = new Set<() => void>();
  readonly #ending = new Interruptible();
  #inFlight = 0;
  #cancelled = 0;

  constructor(options: ListenerOptions) {
    const log = options.log ?? (() => {});
    this.#options = options;
    this.#limits = limitsOf(options);
    const { check, deny } = options;
    const { pendingTimeoutMs } = this.#limits;
    this.#answerer = new Answerer({ check, deny, pendingTimeoutMs, log });
    this.#server = new Server(serverOptions(this.#limits));
    this.#register();
    const warn = rateLimited((message, cause) => log("warn", message, cause), 1000);
    this.#sockets = new SocketServer({
      address: options.address,
      tls: options.tls,
      maxConnections: this.#limits.maxConnections,
      onSocket: (socket) => this.#injector.injectConnection(socket),
      onConnection: (open) => options.onConnection?.(open),
      log: (level, message, cause) =>
        level === "warn" ? warn(message, cause) : log(level, message, cause),
    });
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
    for (const end of this.#watches) end();
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
        const response = this.#health.check(call.request);
        if (response === null) callback({ code: status.NOT_FOUND, details: "unknown service" });
        else callback(null, response);
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
    this.#inFlight += 1;
    let open = true;
    const finish = () => {
      if (!open) return false;
      open = false;
      this.#inFlight -= 1;
      return true;
    };
    const pending = this.#answerer.answer(call.request, timeoutMs, (response) => {
      if (finish()) callback(null, asBuffer(response));
    });
    if (pending === null) return;
    // grpc-js emits this at the end of every call; before the answer it means a cancel.
    call.once("cancelled", () => {
      if (!finish()) return;
      pending.cancel();
      this.#cancelled += 1;
      this.#options.onCancel?.();
    });
  }

  #watch(call: ServerWritableStream<Buffer, Buffer>): void {
    const unwatch = this.#health.watch(call.request, (response) => {
      call.write(response);
    });
    const end = () => {
      unwatch();
      this.#watches.delete(end);
      call.end();
    };
    this.#watches.add(end);
    call.once("cancelled", end);
  }
}

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
