import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A real server on loopback, plain or TLS, whose answer a test changes while it runs. */
export interface KeyServer {
  /** `https://127.0.0.1:<port>` */
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly asked: string[];
  answer: RequestListener;
  /** Presents another certificate from the next connection on. */
  present(pair: { readonly certificate: string; readonly privateKey: string }): void;
  close(): Promise<void>;
}

export async function startKeyServer(
  pair: { readonly certificate: string; readonly privateKey: string } | null,
): Promise<KeyServer> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request.url ?? "");
    keyServer.answer(request, response);
  };
  const tls = pair && createHttpsServer({ cert: pair.certificate, key: pair.privateKey }, listener);
  const server: Server = tls ?? createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const keyServer: KeyServer = {
    origin: `${tls === null ? "http" : "https"}://127.0.0.1:${port}`,
    asked,
    answer: (_request, response) => response.writeHead(404).end(),
    present: ({ certificate, privateKey }) =>
      tls?.setSecureContext({ cert: certificate, key: privateKey }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return keyServer;
}

/** Answers every request with a JSON text. */
export function serveJson(text: string, contentType = "application/json"): RequestListener {
  return (_request, response) => response.writeHead(200, { "content-type": contentType }).end(text);
}
