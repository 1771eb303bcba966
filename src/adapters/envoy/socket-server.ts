import { lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { MeshIamError } from "../../iam/error.ts";
import { rateLimited } from "./drain.ts";
import type { ListenAddress, ListenerOptions, TlsMaterial } from "./listener.ts";

/** `sun_path` holds 108 bytes, one of them the final NUL (Envoy refuses 108 as well). */
const maxSocketPathBytes = 107;
const handshakeTimeoutMs = 5000;

/**
 * The accepting side that both listeners share: binds TCP, Unix or abstract addresses, counts and
 * caps connections, ends TLS. HTTP/2 is its owner's business.
 */
export class SocketServer {
  readonly #options: ListenerOptions;
  readonly #onSocket: (socket: Socket) => void;
  readonly #warn: (message: string, cause?: unknown) => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `onSocket` takes over a connected socket: plain, or after the handshake with `h2` agreed. */
  constructor(
    options: ListenerOptions,
    maxConnections: number,
    onSocket: (socket: Socket) => void,
  ) {
    this.#options = options;
    this.#onSocket = onSocket;
    // A peer can cause these as often as it likes.
    this.#warn = rateLimited((message, cause) => options.log?.("warn", message, cause), 1000);
    this.#server = this.#createServer();
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", () => this.#warn("connection refused: too many are open"));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Returns the bound address as text. Throws `address-in-use` and `address-invalid`. */
  async start(): Promise<string> {
    const { address } = this.#options;
    if (address.type === "unix") await makeWay(address.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) => reject(bindFailure(address, cause)));
      this.#server.listen(listenOptions(address), resolve);
    });
    this.#server.removeAllListeners("error");
    this.#server.on("error", (cause) => this.#options.log?.("error", "listening failed", cause));
    const bound = this.#server.address();
    if (bound === null || typeof bound === "string") return formatListenAddress(address);
    return bound.family === "IPv6"
      ? `[${bound.address}]:${bound.port}`
      : `${bound.address}:${bound.port}`;
  }

  /** Ends accepting; connections stay. A Unix socket's file is gone afterwards. */
  stop(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Cuts every connection. */
  destroy(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  updateTls(tls: TlsMaterial): void {
    if (!("setSecureContext" in this.#server)) {
      throw new MeshIamError("certificate-invalid", "the listener was started without TLS");
    }
    const server = this.#server as TlsServer;
    withCertificateErrors(() => server.setSecureContext(secureContext(tls)));
  }

  #createServer(): Server {
    const { tls } = this.#options;
    if (tls === undefined) {
      return createServer({ noDelay: true }, (socket) => this.#accept(socket));
    }
    const server = withCertificateErrors(() =>
      createTlsServer({
        ...secureContext(tls),
        noDelay: true,
        ALPNProtocols: ["h2"],
        minVersion: "TLSv1.2",
        requestCert: tls.clientAuthorities !== null,
        rejectUnauthorized: tls.clientAuthorities !== null,
        handshakeTimeout: handshakeTimeoutMs,
      }),
    );
    server.on("secureConnection", (socket) => {
      if (socket.alpnProtocol === "h2") this.#accept(socket);
      else socket.destroy();
    });
    server.on("tlsClientError", (cause, socket) => {
      this.#warn("TLS handshake failed", cause);
      socket.destroy();
    });
    return server;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    // A peer that goes away is no event worth a line; the session above hears of it as well.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#options.onConnection?.(this.#sockets.size);
    });
    this.#options.onConnection?.(this.#sockets.size);
    this.#onSocket(socket);
  }
}

function secureContext(tls: TlsMaterial): {
  cert: string | Buffer;
  key: string | Buffer;
  ca?: string | Buffer;
} {
  const context = { cert: tls.certificate, key: tls.privateKey };
  return tls.clientAuthorities === null ? context : { ...context, ca: tls.clientAuthorities };
}

function withCertificateErrors<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new MeshIamError("certificate-invalid", "the certificate or its key is not accepted", {
      cause,
    });
  }
}

/** Returns `host:port`, a socket's path, or `@name`. */
export function formatListenAddress(address: ListenAddress): string {
  switch (address.type) {
    case "tcp":
      return address.host.includes(":")
        ? `[${address.host}]:${address.port}`
        : `${address.host}:${address.port}`;
    case "unix":
      return address.path;
    case "abstract":
      return `@${address.name}`;
  }
}

function listenOptions(address: ListenAddress): ListenOptions {
  switch (address.type) {
    case "tcp":
      return { host: address.host, port: address.port };
    case "unix":
      // Mode 0666: Envoy runs as another user; who may come near is the folder's business.
      return { path: address.path, readableAll: true, writableAll: true };
    case "abstract":
      return { path: `\0${address.name}` };
  }
}

/** Removes the socket that a dead process left behind. Throws `address-in-use` for anything else. */
async function makeWay(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new MeshIamError(
      "address-invalid",
      `expected a socket path of at most ${maxSocketPathBytes} bytes, got \`${path}\``,
    );
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new MeshIamError("address-in-use", `\`${path}\` exists and is no socket`);
  }
  if (await answers(path)) throw inUse(path);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const finish = (alive: boolean) => {
      probe.destroy();
      resolve(alive);
    };
    probe.once("connect", () => finish(true));
    // Only a refusal proves that nobody listens: a full backlog (EAGAIN) does not.
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      finish(cause.code !== "ECONNREFUSED" && cause.code !== "ENOENT");
    });
  });
}

function inUse(address: string): MeshIamError {
  return new MeshIamError("address-in-use", `another process listens on \`${address}\``);
}

function bindFailure(address: ListenAddress, cause: NodeJS.ErrnoException): MeshIamError {
  const text = formatListenAddress(address);
  if (cause.code === "EADDRINUSE") return inUse(text);
  return new MeshIamError(
    "address-invalid",
    `cannot listen on \`${text}\`: ${cause.code ?? "unknown"}`,
    { cause },
  );
}
