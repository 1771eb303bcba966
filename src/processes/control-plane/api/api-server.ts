import { chmod, mkdir, stat, unlink } from "node:fs/promises";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { connect, type ListenOptions } from "node:net";
import { dirname } from "node:path";
import type { ServerCertificate } from "../../../adapters/keys/certificates.ts";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import type { ApiRequest, ApiResponse } from "./api-handler.ts";

type Handler = (request: ApiRequest, response: ApiResponse) => Promise<void>;

/** A listener of the API. */
export interface ApiServer {
  /** `host:port` or the socket's path. */
  readonly address: string;
  /** Puts a new certificate in force; no effect without TLS. */
  updateTls(certificate: ServerCertificate): void;
  /** Takes no new call, and ends when those under way are answered, after `graceMs` at the latest. */
  drain(graceMs: number): Promise<void>;
}

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  maxHeaderSize: 32_768,
} as const;
const maxConnections = 4_096;

/**
 * Listens for calls over TCP: HTTP/1.1 in cleartext, HTTP/2 and HTTP/1.1 under TLS. Cleartext is for
 * loopback: `config-invalid` elsewhere. With authorities of clients every client shows a certificate.
 */
export async function listenTcp(
  address: { readonly host: string; readonly port: number },
  certificate: ServerCertificate | null,
  handle: Handler,
): Promise<ApiServer> {
  const { host, port } = address;
  if (certificate === null && !isLoopback(host)) {
    throw new MeshIamError(
      "config-invalid",
      `addr: ${quote(host)} is not loopback; expected \`tls.certFile\` and \`tls.keyFile\`, since credentials would travel in cleartext`,
    );
  }
  if (certificate === null) {
    const server = createHttpServer(limits, (request, response) => void handle(request, response));
    return await listening(server, { host, port }, () => undefined);
  }
  const server = createSecureServer(
    { ...tlsOf(certificate), allowHTTP1: true, maxHeaderListPairs: 128 },
    (request, response) => void handle(request, response),
  );
  return await listening(server, { host, port }, (next) => server.setSecureContext(tlsOf(next)));
}

/** Listens on a Unix socket that its owner alone may use (TEN-5). A socket left behind is replaced. */
export async function listenLocal(path: string, handle: Handler): Promise<ApiServer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removeStale(path);
  const server = createHttpServer(limits, (request, response) => void handle(request, response));
  // Nobody else may connect in the moment before the mode is set.
  const before = process.umask(0o177);
  try {
    const api = await listening(server, { path }, () => undefined);
    await chmod(path, 0o600);
    return api;
  } finally {
    process.umask(before);
  }
}

/** Whoever answers on the socket is left alone: it is in use. */
async function removeStale(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new MeshIamError("address-invalid", `${quote(path)} is there and is no socket`);
  }
  const isLive = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true)).on("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
  if (isLive) throw new MeshIamError("address-in-use", `another process listens on ${quote(path)}`);
  await unlink(path);
}

async function listening(
  server: HttpServer | Http2SecureServer,
  options: ListenOptions,
  updateTls: (certificate: ServerCertificate) => void,
): Promise<ApiServer> {
  server.maxConnections = maxConnections;
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket: NodeJS.Socket & { destroy(): void }) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => reject(listenFailure(options, cause));
    server.once("error", failed);
    server.listen(options, () => {
      server.off("error", failed);
      resolve();
    });
  });
  return {
    address: addressOf(server, options),
    updateTls,
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ("closeIdleConnections" in server) server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listenFailure(options: ListenOptions, cause: NodeJS.ErrnoException): MeshIamError {
  const where = quote(options.path ?? `${options.host}:${options.port}`);
  return cause.code === "EADDRINUSE"
    ? new MeshIamError("address-in-use", `another process listens on ${where}`, { cause })
    : new MeshIamError("address-invalid", `cannot listen on ${where}: ${cause.code}`, { cause });
}

function addressOf(server: HttpServer | Http2SecureServer, options: ListenOptions): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return bound ?? String(options.path);
  return bound.family === "IPv6"
    ? `[${bound.address}]:${bound.port}`
    : `${bound.address}:${bound.port}`;
}

function tlsOf({ cert, key, clientCa }: ServerCertificate) {
  return {
    cert,
    key,
    minVersion: "TLSv1.2" as const,
    ...(clientCa === null ? {} : { ca: clientCa, requestCert: true }),
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
