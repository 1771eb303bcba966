import { randomBytes } from "node:crypto";
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { grpcFrame } from "../fakes/grpc-client.ts";

/*
 * What stands where the authorizer should be, and is none: it closes, is silent, talks something else,
 * or answers with an allow that is no answer. Nothing of it may let a request through.
 */

/** One way to be broken: of whole connections, or of each Check. */
export interface Fault {
  readonly why: string;
  readonly connection?: (socket: Socket) => void;
  readonly check?: (stream: ServerHttp2Stream) => void;
}

/** `status {code: 0}` and an empty `ok_response`: what an allow is on the wire. */
const allow = grpcFrame(Buffer.from("0a001a00", "hex"));
const ok = { ":status": 200, "content-type": "application/grpc" };

function answer(body: Buffer, trailers: Record<string, string> | null) {
  return (stream: ServerHttp2Stream): void => {
    stream.respond(ok, { waitForTrailers: trailers !== null });
    if (trailers !== null) stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(body);
  };
}

const fine = { "grpc-status": "0" };

/** Answers a Check as an authorizer does that allows everything. */
export const answerAllow = answer(allow, fine);

/** Refuses a Check before it is looked at, as a server does that ends (RFC 9113, 8.7). */
export function refuse(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}

export const faults: readonly Fault[] = [
  { why: "it closes each connection", connection: (socket) => socket.destroy() },
  { why: "it resets each connection", connection: (socket) => socket.resetAndDestroy() },
  { why: "it hangs: it accepts and says nothing", connection: () => {} },
  { why: "it sends noise", connection: (socket) => void socket.write(randomBytes(4096)) },
  {
    why: "it speaks HTTP/1.1",
    connection: (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
  },
  {
    why: "it hangs: no Check is answered",
    check: () => {},
  },
  {
    why: "it allows, but after the timeout",
    check: (stream) => void setTimeout(() => stream.destroyed || answerAllow(stream), 600),
  },
  {
    why: "it resets each Check",
    check: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  },
  {
    why: "it refuses each Check",
    check: refuse,
  },
  {
    why: "it answers with a page",
    check(stream) {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("<h1>allowed</h1>");
    },
  },
  {
    why: "it answers 404",
    check: (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
  },
  {
    why: "it says OK without a message",
    check: (stream) => stream.respond({ ...ok, ...fine }, { endStream: true }),
  },
  { why: "an allow, then a failed call", check: answer(allow, { "grpc-status": "13" }) },
  { why: "an allow, then no status", check: answer(allow, null) },
  { why: "an allow that is cut short", check: answer(allow.subarray(0, 7), fine) },
  { why: "a message of nonsense", check: answer(grpcFrame(randomBytes(64).fill(255, 0, 8)), fine) },
  {
    why: "a frame that claims 4 GiB",
    check: answer(Buffer.concat([Buffer.from("00ffffffff", "hex"), allow]), fine),
  },
];

export interface BrokenAuthorizer {
  /** `host:port` */
  readonly address: string;
  /** From now on it is broken in this way; open connections are cut. */
  behave(fault: Fault): void;
  /** Checks and connections that met the fault since the last `behave`. */
  readonly met: number;
  close(): Promise<void>;
}

export async function startBrokenAuthorizer(): Promise<BrokenAuthorizer> {
  const sockets = new Set<Socket>();
  let fault: Fault = { why: "" };
  let met = 0;
  const http2 = createHttp2Server();
  http2.on("sessionError", () => {});
  http2.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    met++;
    fault.check?.(stream);
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    if (fault.connection === undefined) http2.emit("connection", socket);
    else {
      met++;
      fault.connection(socket);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave(next) {
      fault = next;
      met = 0;
      cut();
    },
    get met() {
      return met;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
