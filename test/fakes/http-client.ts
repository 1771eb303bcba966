import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { openSession, rawCall } from "./grpc-client.ts";

/** Clients that send exactly what they are told: targets, repeated headers, odd bytes. */

/** A client's certificate and the authorities it trusts; absent: plaintext. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface HttpReply {
  readonly status: number;
  /** In order, names lower-case, repeated headers apart. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Returns all values of the header `name` in a reply or an echoed request. */
export function headerValues(message: Pick<HttpReply, "headers">, name: string): string[] {
  return message.headers.filter(([key]) => key === name).map(([, value]) => value);
}

export interface HttpRequest {
  readonly method?: string;
  /** Sent as it is, whatever it holds. Default `/`. */
  readonly target?: string | Buffer;
  /** Default `orders`. */
  readonly host?: string;
  readonly headers?: readonly (readonly [name: string, value: string | Buffer])[];
  readonly body?: string;
  readonly tls?: ClientTls;
}

/** Sends one HTTP/1.1 request byte by byte as given, and resolves with the reply. */
export async function http1Request(address: string, request: HttpRequest = {}): Promise<HttpReply> {
  const body = Buffer.from(request.body ?? "");
  const lines: Buffer[] = [
    Buffer.from(`${request.method ?? "GET"} `),
    Buffer.from(request.target ?? "/"),
    Buffer.from(` HTTP/1.1\r\nhost: ${request.host ?? "orders"}\r\nconnection: close\r\n`),
  ];
  for (const [name, value] of request.headers ?? []) {
    lines.push(Buffer.from(`${name}: `), Buffer.from(value), Buffer.from("\r\n"));
  }
  if (body.length > 0) lines.push(Buffer.from(`content-length: ${body.length}\r\n`));
  lines.push(Buffer.from("\r\n"), body);
  const isWhole = request.method === "HEAD" ? hasHead : hasBody;
  return parseReply(await exchange(address, Buffer.concat(lines), request.tls, isWhole));
}

/** Sends bytes and returns what comes back until `isWhole` of it, or until the peer closes. */
export async function exchange(
  address: string,
  bytes: Buffer,
  tls?: ClientTls,
  isWhole: (received: Buffer) => boolean = () => false,
): Promise<Buffer> {
  const socket = openSocket(address, tls);
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (isWhole(Buffer.concat(chunks))) socket.destroy();
  });
  socket.once("error", reject);
  socket.once("close", () => resolve());
  socket.setTimeout(10_000, () => socket.destroy(new Error("no reply within 10 s")));
  socket.write(bytes);
  await promise;
  return Buffer.concat(chunks);
}

function hasHead(received: Buffer): boolean {
  return received.includes("\r\n\r\n");
}

function hasBody(received: Buffer): boolean {
  if (!hasHead(received)) return false;
  const reply = parseReply(received);
  const length = headerValues(reply, "content-length")[0];
  if (length !== undefined) return Buffer.byteLength(reply.body) >= Number(length);
  return received.includes("\r\n0\r\n\r\n");
}

/** Opens a socket to `host:port`, with TLS and HTTP/1.1 agreed where `tls` is given. */
export function openSocket(address: string, tls?: ClientTls): Socket {
  const [host = "", port = ""] = address.split(":");
  if (tls === undefined) return connectTcp(Number(port), host);
  const options: ConnectionOptions = {
    ...tls,
    servername: "localhost",
    ALPNProtocols: ["http/1.1"],
  };
  return connectTls(Number(port), host, options);
}

function parseReply(bytes: Buffer): HttpReply {
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.toString("latin1", 0, Math.max(end, 0)).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const rest = bytes.subarray(end + 4);
  const isChunked = headers.some(([k, v]) => k === "transfer-encoding" && v === "chunked");
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers,
    body: (isChunked ? unchunk(rest) : rest).toString("utf8"),
  };
}

function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) break;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}

export interface Http2Request {
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string;
  /** A name may have a list of values, each sent as a header of its own. */
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Sent behind the body. */
  readonly trailers?: OutgoingHttpHeaders;
  readonly tls?: ClientTls;
}

/** Sends one HTTP/2 request, without TLS by prior knowledge. Status 0: the stream was reset instead. */
export async function http2Request(
  address: string,
  request: Http2Request = {},
): Promise<HttpReply> {
  const { tls, trailers } = request;
  const session =
    tls === undefined
      ? connectHttp2(`http://${address}`)
      : connectHttp2(`https://${address}`, { ...tls, servername: "localhost" });
  try {
    const stream = session.request(
      {
        ":method": request.method ?? "GET",
        ":path": request.target ?? "/",
        ":authority": request.authority ?? "orders",
        ...request.headers,
      },
      { endStream: request.body === undefined, waitForTrailers: trailers !== undefined },
    );
    stream.once("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
    session.once("error", reject);
    stream.once("error", (cause) => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) reject(cause);
    });
    stream.once("response", (headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once("end", () =>
        resolve({
          status: Number(headers[":status"]),
          headers: Object.entries(headers).flatMap(([name, value]) =>
            [value ?? []].flat().map((each): [string, string] => [name, each]),
          ),
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    // Behind a reply this changes nothing.
    stream.once("close", () => resolve({ status: 0, headers: [], body: "" }));
    if (request.body !== undefined) stream.end(request.body);
    return await promise;
  } finally {
    session.destroy();
  }
}

export interface GrpcReply {
  readonly httpStatus: number;
  readonly grpcStatus: string | undefined;
  /** Percent-decoded. */
  readonly grpcMessage: string;
  readonly message: Buffer | undefined;
}

/** Makes one unary gRPC call, without TLS by prior knowledge. */
export async function grpcRequest(
  address: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  tls?: ClientTls,
): Promise<GrpcReply> {
  const session = await openSession(
    address,
    tls === undefined ? {} : { ...tls, servername: "localhost" },
  );
  try {
    const reply = await rawCall(session, { path, headers: { ":authority": "orders", ...headers } });
    const message = reply.trailers["grpc-message"] ?? reply.headers["grpc-message"] ?? "";
    return {
      httpStatus: reply.httpStatus,
      grpcStatus: reply.grpcStatus,
      grpcMessage: decodeURIComponent(String(message)),
      message: reply.messages[0],
    };
  } finally {
    session.destroy();
  }
}
