import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { ConnectTransportOptions } from "@connectrpc/connect-node";
import type { Clock, Timer } from "./clock.ts";
import type { PeerMaterial } from "./peer-files.ts";

/** What Connect's transport wants of a connection. */
type SessionOfTransport = NonNullable<
  Extract<ConnectTransportOptions, { httpVersion: "2" }>["sessionManager"]
>;

export interface PingOptions {
  /** How often the other side has to show that it is there. Default 20 s. */
  readonly intervalMs: number;
  /** How long it may take over it. Default 10 s. */
  readonly timeoutMs: number;
}

/** The bounds of BUN-14. */
export const defaultPing: PingOptions = Object.freeze({ intervalMs: 20_000, timeoutMs: 10_000 });

// A slice of megabytes should not wait for a round trip every 64 KiB.
const windowBytes = 4 * 1024 * 1024;

/**
 * One HTTP/2 connection, which is never opened again: when it dies, everything on it fails, and whoever
 * uses it decides when to try anew and with which files. The other side is pinged all the time, since
 * a connection that died without a word would look alive for ever (connect-es#463, #673).
 */
export class ClientSession implements SessionOfTransport {
  readonly authority: string;
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  readonly #ping: PingOptions;
  readonly #open: Promise<void>;
  #timer: Timer | null = null;
  #failure: string | null = null;

  constructor(origin: string, material: PeerMaterial, clock: Clock, ping: PingOptions) {
    const { ca, cert, key } = material;
    this.authority = origin;
    this.#clock = clock;
    this.#ping = ping;
    this.#session = connect(origin, {
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      settings: { enablePush: false, initialWindowSize: windowBytes },
      ...(ca === null ? {} : { ca }),
      ...(cert === null || key === null ? {} : { cert, key }),
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#open = promise;
    this.#session.once("connect", () => {
      this.#session.setLocalWindowSize(windowBytes);
      resolve();
      this.#pingLater();
    });
    this.#session.once("error", (error: NodeJS.ErrnoException) => {
      this.#failure = error.code ?? "unknown";
      reject(error);
    });
    this.#session.once("close", () => {
      this.#timer?.cancel();
      reject(new Error("the connection is closed"));
    });
    // Errors after the first end the streams, which tell them; a rejection nobody waits for is none.
    this.#session.on("error", () => {});
    promise.catch(() => {});
  }

  /** The system's or the protocol's code for what ended the connection; null while nothing has. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Calls `run` when the connection has ended, for whatever reason. */
  onceClosed(run: () => void): void {
    this.#session.once("close", run);
  }

  /** Opens a stream. Rejects when there is no connection. */
  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: object,
  ): Promise<ClientHttp2Stream> {
    await this.#open;
    return this.#session.request({ ...headers, ":method": method, ":path": path }, options);
  }

  notifyResponseByteRead(): void {
    // Pinged whether bytes come or not: a proxy may go on sending for a server that is gone.
  }

  close(): void {
    this.#timer?.cancel();
    this.#session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  #pingLater(): void {
    if (this.#session.destroyed) return;
    this.#timer = this.#clock.after(this.#ping.intervalMs, () => {
      this.#timer = this.#clock.after(this.#ping.timeoutMs, () => this.close());
      const isSent = this.#session.ping((error) => {
        this.#timer?.cancel();
        if (error === null) this.#pingLater();
        else this.close();
      });
      if (!isSent) this.close();
    });
  }
}
