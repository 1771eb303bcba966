import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A request of either protocol. */
export type Incoming = IncomingMessage | Http2ServerRequest;
/** Where its response goes. */
export type Outgoing = ServerResponse | Http2ServerResponse;
export type Handler = (request: Incoming, response: Outgoing) => void;

/** A listener on loopback. */
export interface FrontDoor {
  readonly port: number;
  /** Ends listening and cuts every connection. */
  close(): Promise<void>;
}

/** PEM texts. */
export interface FrontDoorTls {
  readonly certificate: string;
  readonly privateKey: string;
  /** Clients must show a certificate of this authority. */
  readonly clientAuthority: string;
}

/** Envoy's default, max_request_headers_kb. */
const maxHeaderSize = 60 * 1024;

/**
 * Returns a clear-text listener that speaks HTTP/1.1 and HTTP/2 by prior knowledge, as an Envoy with
 * `codec_type: AUTO` does: the first bytes of a connection tell which.
 */
export function openClearDoor(handler: Handler): Promise<FrontDoor> {
  const http1 = createHttp1Server({ maxHeaderSize }, handler);
  const http2 = createHttp2Server(handler);
  const server = createServer((socket) => {
    socket.once("data", (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      const isHttp2 = first.toString("latin1", 0, 3) === "PRI"; // RFC 9113, 3.4
      (isHttp2 ? http2 : http1).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });
  return open(server);
}

/** Returns a listener for HTTP/1.1 and HTTP/2 over TLS whose clients show a certificate. */
export function openTlsDoor(handler: Handler, tls: FrontDoorTls): Promise<FrontDoor> {
  const server = createSecureServer(
    {
      allowHTTP1: true,
      cert: tls.certificate,
      key: tls.privateKey,
      ca: tls.clientAuthority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
    },
    handler,
  );
  return open(server as unknown as Server);
}

async function open(server: Server): Promise<FrontDoor> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // A client that goes away is no event.
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
