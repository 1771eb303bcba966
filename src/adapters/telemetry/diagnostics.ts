import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { Scrape } from "./exposition.ts";
import { redactFields, redactText } from "./redact.ts";

export interface DiagnosticsOptions {
  readonly scrape: (accept: string | undefined) => Promise<Scrape>;
  /** The process works; never depends on anything outside it. */
  readonly live: () => boolean;
  /** A bundle is active and the process is not draining. */
  readonly ready: () => boolean;
  /** Plain data for people and `doctor`. */
  readonly status: () => unknown;
  /** Told of what a handler threw; the caller over the network learns only that it did. */
  readonly onError: (failure: unknown) => void;
  /** How long an end waits for the requests under way. Default 1,000. */
  readonly closeGraceMs?: number;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The diagnostics listener. */
export interface Diagnostics {
  /**
   * Listens and returns the address in force (of port 0 the one chosen).
   * Refusals: `address-in-use`, `address-invalid`.
   */
  listen(address: HostPort): Promise<HostPort>;
  /**
   * Ends the listener and its idle connections. Requests under way have a grace; then they are cut, as
   * are connections that never asked for anything.
   */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const json = "application/json; charset=utf-8";
const maxHeaderBytes = 8_192;
/** A peer that holds connections must not keep the kubelet out: many, and short-lived. */
const maxConnections = 1_024;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const idleTimeoutMs = 5_000;

/**
 * Returns the HTTP side of a process: `/metrics`, `/health/live`, `/health/ready`, `/status`.
 *
 * Read-only: GET and HEAD, nothing that is sent is read, and nothing reachable here changes state.
 * It is on the pod's address, since the kubelet cannot probe loopback, so every peer is a stranger.
 * Source: kubernetes-and-observability 2.2, 2.6.
 */
export function createDiagnostics(options: DiagnosticsOptions): Diagnostics {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      answer(request, options).then(
        (made) => send(request, response, made),
        (failure: unknown) => {
          options.onError(failure);
          send(request, response, problem(500, "internal"));
        },
      );
    },
  );
  server.maxConnections = maxConnections;
  return {
    listen: (address) => listen(server, address),
    close: () =>
      new Promise((resolve) => {
        // Once it is closing, Node no longer ends connections that are slow to ask.
        const { closeGraceMs = 1_000 } = options;
        const cut = setTimeout(() => server.closeAllConnections(), closeGraceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function answer(request: IncomingMessage, options: DiagnosticsOptions): Promise<Answer> {
  const { method, url = "" } = request;
  if (method !== "GET" && method !== "HEAD") return problem(405, "method-not-allowed");
  const query = url.indexOf("?");
  switch (query < 0 ? url : url.slice(0, query)) {
    case "/metrics": {
      const { contentType, body } = await options.scrape(request.headers.accept);
      return { status: 200, contentType, body };
    }
    case "/health/live":
      return health(options.live(), "live");
    case "/health/ready":
      return health(options.ready(), "ready");
    case "/status": {
      const text = JSON.stringify(redactFields(options.status()), null, 2);
      return { status: 200, contentType: json, body: `${redactText(text)}\n` };
    }
    default:
      return problem(404, "not-found");
  }
}

function health(isTrue: boolean, word: string): Answer {
  const status = isTrue ? word : `not-${word}`;
  return { status: isTrue ? 200 : 503, contentType: json, body: `${JSON.stringify({ status })}\n` };
}

function problem(status: number, error: string): Answer {
  return { status, contentType: json, body: `${JSON.stringify({ error })}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, made: Answer): void {
  const body = Buffer.from(made.body);
  response.writeHead(made.status, {
    "content-type": made.contentType,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(made.status === 405 ? { allow: "GET, HEAD", connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function listen(server: Server, { host, port }: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      const text = quote(`${host.includes(":") ? `[${host}]` : host}:${port}`);
      reject(
        cause.code === "EADDRINUSE"
          ? new MeshIamError("address-in-use", `another process listens on ${text}`, { cause })
          : new MeshIamError("address-invalid", `cannot listen on ${text}`, { cause }),
      );
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}
