import { createServer as createHttp1, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { grpcFrame } from "./grpc-client.ts";

/** A request as the application got it. */
export interface EchoedRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  /** In order, names lower-case, repeated headers apart. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Upstream {
  /** `host:port` of the HTTP/1.1 side. */
  readonly http1: string;
  /** `host:port` of the side that speaks HTTP/2 without TLS, for gRPC. */
  readonly http2: string;
  /** Every request since the start or the last `forget`. */
  readonly requests: EchoedRequest[];
  forget(): void;
  close(): Promise<void>;
}

/**
 * Starts the application behind Envoy: it answers 200 with the request it got, as JSON; a gRPC call
 * with the same JSON as its one message and grpc-status 0.
 */
export async function startUpstream(): Promise<Upstream> {
  const requests: EchoedRequest[] = [];
  const http1 = createHttp1(async (request, response) => {
    const echoed = await echo(request);
    requests.push(echoed);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(echoed));
  });
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createHttp2();
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  http2.on("stream", (stream, headers, _flags, rawHeaders) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("end", () => {
      const echoed = {
        method: String(headers[":method"]),
        target: String(headers[":path"]),
        headers: pairs(rawHeaders),
        body: Buffer.concat(chunks).toString("latin1"),
      };
      requests.push(echoed);
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(grpcFrame(Buffer.from(JSON.stringify(echoed))));
    });
  });
  return {
    http1: await listen(http1),
    http2: await listen(http2),
    requests,
    forget() {
      requests.length = 0;
    },
    async close() {
      for (const session of sessions) session.destroy();
      http1.closeAllConnections();
      http1.close();
      http2.close();
    },
  };
}

async function echo(request: IncomingMessage): Promise<EchoedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    headers: pairs(request.rawHeaders),
    body: Buffer.concat(chunks).toString("latin1"),
  };
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    list.push([(raw[at] ?? "").toLowerCase(), raw[at + 1] ?? ""]);
  }
  return list;
}

function listen(server: Server | Http2Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { address, port } = server.address() as AddressInfo;
      resolve(`${address}:${port}`);
    });
  });
}
