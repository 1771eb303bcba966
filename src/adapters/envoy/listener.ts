/** Where a listener binds. A TCP host is an IP address or a name, without brackets. */
export type ListenAddress =
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "abstract"; readonly name: string };

/** PEM texts. Not kept longer than the handshake context needs them. */
export interface TlsMaterial {
  readonly certificate: string | Buffer;
  readonly privateKey: string | Buffer;
  /** Authorities of client certificates, which are then required; null: clients show none. */
  readonly clientAuthorities: string | Buffer | null;
}

/**
 * Answers one Check: takes a serialised CheckRequest, borrowed until it answers, and gives a
 * serialised CheckResponse. A promise is for the Check that must wait, which is rare; the listener
 * bounds the wait.
 */
export type CheckFunction = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** What goes wrong in a listener itself and is answered by it. */
export type ListenerDenial = "internal" | "deadline" | "overloaded";

export interface ListenerOptions {
  readonly address: ListenAddress;
  readonly check: CheckFunction;
  /** Returns a serialised denial; default `lastResortDenial` with an id of its own. */
  readonly deny?: (reason: ListenerDenial, cause?: unknown) => Uint8Array;
  /** Absent: plaintext. */
  readonly tls?: TlsMaterial;
  readonly limits?: Partial<ListenerLimits>;
  /** A Check was given up by Envoy before its answer was sent. */
  readonly onCancel?: () => void;
  /** Told of every RPC that ends. Absent: no clock is read for one. */
  readonly onRpc?: RpcObserver;
  /** Connections open now, told after each change. */
  readonly onConnection?: (open: number) => void;
  readonly log?: ListenerLog;
}

/** The RPCs that are served. */
export type Rpc = "check" | "healthCheck" | "healthWatch";

export interface RpcObserver {
  readonly monotonicMs: () => number;
  /** `code` is the gRPC status: 1 for a call that its caller gave up. */
  readonly handled: (rpc: Rpc, code: number, durationNs: number) => void;
}

export type ListenerLog = (
  level: "info" | "warn" | "error",
  message: string,
  cause?: unknown,
) => void;

/** The bounds of a listener; see `defaultLimits`. */
export interface ListenerLimits {
  /** Open connections; more are closed at once. */
  readonly maxConnections: number;
  /** Streams of one connection. Not below 1,024: Envoy queues at the cap (H2-009). */
  readonly maxConcurrentStreams: number;
  /** Bytes of one message. Above it the call fails with grpc-status 8 (H2-008). */
  readonly maxMessageBytes: number;
  /** Bytes of all messages that are not complete yet (H2-021). */
  readonly maxUnfinishedBytes: number;
  /** Longest wait for a pending Check, then 503 `deadline` (H2-011). */
  readonly pendingTimeoutMs: number;
  /** Longest wait for the rest of a message, then grpc-status 4 (H2-011). */
  readonly messageTimeoutMs: number;
  /** Memory of one HTTP/2 session, MB (H2-007). */
  readonly maxSessionMemoryMb: number;
  /** RST_STREAM frames that one connection may send at once, and a second (H2-001, H2-002). */
  readonly streamResetBurst: number;
  readonly streamResetRate: number;
  /**
   * Streams of one connection that may be refused in its life. Node refuses one while it still holds
   * too many that are over, which a burst of cancels causes, and closes the connection after so many.
   */
  readonly maxRejectedStreams: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Age and idle time of a connection; Infinity: unlimited (H2-010). */
  readonly connectionAgeMs: number;
  readonly connectionAgeGraceMs: number;
  readonly connectionIdleMs: number;
  /** Between the GOAWAY that announces the end and the one that is it. */
  readonly goawayNoticeMs: number;
  /** Longest wait for calls in flight after GOAWAY. */
  readonly drainGraceMs: number;
}

/**
 * Returns the limits in force: those given, else the defaults of security-and-reliability 6.4.
 *
 * A peer that had to be on this host or to show a certificate is trusted with resets, because each
 * timed-out Check is one, and with connections that never age.
 */
export function limitsOf(options: ListenerOptions): ListenerLimits {
  const { address, tls } = options;
  const local = isLocalAddress(address);
  const trusted = local || (tls !== undefined && tls.clientAuthorities !== null);
  return {
    maxConnections: 1024,
    maxConcurrentStreams: 1024,
    maxMessageBytes: 4 * 1024 * 1024,
    maxUnfinishedBytes: 64 * 1024 * 1024,
    pendingTimeoutMs: 200,
    messageTimeoutMs: 10_000,
    maxSessionMemoryMb: 64,
    streamResetBurst: trusted ? 100_000 : 1000,
    streamResetRate: trusted ? 10_000 : 33,
    maxRejectedStreams: trusted ? 100_000 : 100,
    keepaliveTimeMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    connectionAgeMs: local ? Number.POSITIVE_INFINITY : 30 * 60_000,
    connectionAgeGraceMs: 10_000,
    connectionIdleMs: local ? Number.POSITIVE_INFINITY : 15 * 60_000,
    goawayNoticeMs: 100,
    drainGraceMs: 10_000,
    ...options.limits,
  };
}

function isLocalAddress(address: ListenAddress): boolean {
  if (address.type !== "tcp") return true;
  return address.host === "localhost" || address.host === "::1" || address.host.startsWith("127.");
}

export interface ListenerCounters {
  /** Connections open now. */
  readonly connections: number;
  /** Checks that are received or answered just now. */
  readonly inFlight: number;
  /** Checks that Envoy gave up before their answer was sent, since the start. */
  readonly cancelled: number;
}

/**
 * The server side of `envoy.service.auth.v3.Authorization` and `grpc.health.v1.Health` on one
 * address. Whatever happens in a Check, its caller gets an answer with a denial in it, never a gRPC
 * error: those are for calls that are not well formed (performance 2.16).
 */
export interface Listener {
  /**
   * Binds and serves; returns the address with the port that the system chose, or the socket's path.
   * Throws `address-in-use`, `address-invalid`, `certificate-invalid`.
   */
  start(): Promise<{ readonly address: string }>;
  /** What health checks hear. False from the beginning. */
  setServing(serving: boolean): void;
  /** New connections use `tls` from now on. Throws `certificate-invalid` and keeps the old one. */
  updateTls(tls: TlsMaterial): void;
  /**
   * Ends without losing a Check: health turns NOT_SERVING, serving goes on for `drainSeconds`, then
   * GOAWAY, calls in flight finish. Resolves when all connections are closed (envoy-ext-authz 7.3).
   */
  drain(options: { readonly drainSeconds: number }): Promise<void>;
  /** Ends now: connections are cut. Cuts a drain short. */
  close(): Promise<void>;
  counters(): ListenerCounters;
}
