import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

/** What the sample application saw of a request: the proof of what passed the proxy. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Upstream {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Returns the running sample application on loopback: HTTP/2 in clear text, which Envoy speaks to it
 * for HTTP and gRPC alike. It answers every request with what it saw of it, as JSON, or with an empty
 * gRPC message.
 */
export async function startUpstream(): Promise<Upstream> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    stream.on("end", () => {
      const type = String(headers["content-type"] ?? "");
      if (type.startsWith("application/grpc")) answerGrpc(stream);
      else answerHttp(stream, headers as Record<string, string>);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function answerHttp(stream: ServerHttp2Stream, headers: Record<string, string>): void {
  const seen: SeenRequest = {
    method: headers[":method"] ?? "",
    path: headers[":path"] ?? "",
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":"))),
  };
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(`${JSON.stringify(seen)}\n`);
}

function answerGrpc(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  // One empty message: flag 0, length 0.
  stream.end(Buffer.alloc(5));
}

function closed(server: Http2Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
