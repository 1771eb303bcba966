import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect as connectSocket } from "node:net";

/**
 * A gRPC client that hides nothing: it sends the very bytes it is told to, so a test can send what
 * no library would, and tells all that came back.
 */
export interface RawCall {
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Pieces of the body, each a DATA frame. Default: one frame with `message` in it. */
  readonly pieces?: readonly Buffer[];
  readonly message?: Uint8Array;
  /** Leaves the stream open after the pieces. */
  readonly open?: boolean;
}

export interface RawReply {
  readonly httpStatus: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** `grpc-status` of trailers, else of headers. */
  readonly grpcStatus: string | undefined;
  /** The messages of the body. */
  readonly messages: readonly Buffer[];
  readonly rstCode: number;
}

export const checkPath = "/envoy.service.auth.v3.Authorization/Check";

/** Returns `message` as one gRPC frame. */
export function grpcFrame(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Returns the messages of a body of whole frames. */
export function grpcMessages(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= body.length; ) {
    const length = body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}

/** Opens a session to `host:port`, a socket's path or `@name`; resolves when the peer speaks HTTP/2. */
export async function openSession(
  address: string,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const path = address.startsWith("@") ? `\0${address.slice(1)}` : address;
  const isPath = address.startsWith("/") || address.startsWith("@");
  const scheme = "ca" in options ? "https" : "http";
  const session = isPath
    ? connect(`${scheme}://localhost`, { ...options, createConnection: () => connectSocket(path) })
    : connect(`${scheme}://${address}`, options);
  const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
  session.once("remoteSettings", () => resolve(session));
  session.once("error", reject);
  const closed = () => reject(new Error("closed before the settings came"));
  session.once("close", closed);
  // A TLS alert after the handshake destroys a client's session without an event of its own.
  session.once("connect", (_session, socket) => {
    socket.once("error", reject);
    socket.once("close", closed);
  });
  await promise;
  session.on("error", () => {});
  return session;
}

/** Sends one call and resolves when its stream is closed, however that came about. */
export function rawCall(session: ClientHttp2Session, call: RawCall = {}): Promise<RawReply> {
  return startCall(session, call).reply;
}

export interface StartedCall {
  readonly reply: Promise<RawReply>;
  cancel(): void;
}

export function startCall(session: ClientHttp2Session, call: RawCall = {}): StartedCall {
  const stream = session.request({
    ":method": "POST",
    ":path": call.path ?? checkPath,
    "content-type": "application/grpc",
    te: "trailers",
    ...call.headers,
  });
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (got) => {
    headers = got;
  });
  stream.on("trailers", (got) => {
    trailers = got;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<RawReply>();
  stream.on("close", () => {
    const body = Buffer.concat(chunks);
    const status = trailers["grpc-status"] ?? headers["grpc-status"];
    resolve({
      httpStatus: Number(headers[":status"] ?? 0),
      headers,
      trailers,
      body,
      grpcStatus: typeof status === "string" ? status : undefined,
      messages: grpcMessages(body),
      rstCode: stream.rstCode ?? 0,
    });
  });
  for (const piece of call.pieces ?? [grpcFrame(call.message ?? Buffer.from("x"))]) {
    stream.write(piece);
  }
  if (call.open !== true) stream.end();
  return { reply: promise, cancel: () => stream.close(8) };
}
