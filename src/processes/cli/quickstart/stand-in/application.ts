import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import type { HeaderMutation } from "../../../../adapters/envoy/check-reply.ts";
import type { Incoming, Outgoing } from "./front-door.ts";
import { type Headers, mutate, pairsOf, toObject } from "./headers.ts";

/** The way to the application: HTTP/2 in clear text, one connection, opened again when it broke. */
export interface Application {
  /**
   * Passes a request on and its response back, bodies as they come. Returns false when the application
   * cannot be reached: nothing was answered then.
   */
  pass(
    headers: Headers,
    incoming: Incoming,
    outgoing: Outgoing,
    responseHeaders: readonly HeaderMutation[],
  ): Promise<boolean>;
  close(): void;
}

/** Says of each response that no Envoy was at work. */
export const serverName = "mesh-iam-stand-in";

/** Returns the way to the application that listens on this port of loopback. */
export function createApplication(port: number): Application {
  let session: ClientHttp2Session | null = null;
  const connected = (): ClientHttp2Session => {
    if (session === null || session.closed || session.destroyed) {
      session = connect(`http://127.0.0.1:${port}`);
      // Each stream hears of it too.
      session.on("error", () => {});
    }
    return session;
  };
  return {
    pass: (headers, incoming, outgoing, responseHeaders) =>
      pass(connected(), headers, incoming, outgoing, responseHeaders),
    close: () => session?.destroy(),
  };
}

function pass(
  session: ClientHttp2Session,
  headers: Headers,
  incoming: Incoming,
  outgoing: Outgoing,
  responseHeaders: readonly HeaderMutation[],
): Promise<boolean> {
  return new Promise((resolve) => {
    // Node would take a GET for one without a body.
    const stream = session.request(toObject(headers), { endStream: false });
    let isAnswered = false;
    stream.on("response", (_received, _flags, raw) => {
      isAnswered = true;
      writeHead(outgoing, mutate(pairsOf(raw), responseHeaders, []));
      stream.pipe(outgoing, { end: false });
    });
    stream.on("trailers", (trailers) => outgoing.addTrailers(toTexts(trailers)));
    // After the trailers, which belong to the end.
    stream.on("end", () => outgoing.end());
    stream.on("error", () => {
      if (isAnswered) outgoing.destroy();
    });
    stream.on("close", () => resolve(isAnswered));
    outgoing.on("close", () => stream.close());
    incoming.pipe(stream);
  });
}

function writeHead(outgoing: Outgoing, headers: Headers): void {
  for (const [name, value] of Object.entries(toObject(headers))) {
    if (name === ":status") outgoing.statusCode = Number(value);
    else outgoing.setHeader(name, value);
  }
  outgoing.setHeader("server", serverName);
}

function toTexts(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
