import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";

/** What the sample application saw of a request: the proof of what passed the proxy. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** Names lower-case, values of repeated ones joined; without pseudo-headers, tokens cut short. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

export interface Upstream {
  readonly port: number;
  /** Returns the requests seen since the last call. */
  takeSeen(): readonly SeenRequest[];
  /** Ends at once, open connections included. */
  close(): Promise<void>;
}

/** Requests that are remembered: while somebody plays, nobody takes them. */
const maxSeen = 16;

/**
 * Returns the running sample application on loopback: HTTP/2 in clear text, which Envoy speaks to it
 * for HTTP and gRPC alike. It answers every request with what it saw of it, as JSON, or with an empty
 * gRPC message.
 */
export async function startUpstream(): Promise<Upstream> {
  let seen: SeenRequest[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    let bodyBytes = 0;
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    stream.on("end", () => {
      const request = seenOf(headers, bodyBytes);
      seen = [...seen.slice(1 - maxSeen), request];
      if (request.headers["content-type"]?.startsWith("application/grpc")) answerGrpc(stream);
      else answerHttp(stream, request);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    takeSeen() {
      const taken = seen;
      seen = [];
      return taken;
    },
    close: () => closed(server, sessions),
  };
}

function seenOf(headers: Readonly<Record<string, unknown>>, bodyBytes: number): SeenRequest {
  const all = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  const { ":method": method = "", ":path": path = "" } = Object.fromEntries(all);
  const shown = all
    .filter(([name]) => !name.startsWith(":"))
    .map(([name, value]) => [name, name === "authorization" ? cutToken(value) : value]);
  return { method, path, headers: Object.fromEntries(shown), bodyBytes };
}

/** An application that shows tokens teaches the wrong thing. */
function cutToken(value: string): string {
  return value.length > 24 ? `${value.slice(0, 18)}... (${value.length} characters)` : value;
}

function answerHttp(stream: ServerHttp2Stream, seen: SeenRequest): void {
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(`${JSON.stringify(seen)}\n`);
}

function answerGrpc(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  // One empty message: flag 0, length 0.
  stream.end(Buffer.alloc(5));
}

function closed(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.destroy();
  });
}
