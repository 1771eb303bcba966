import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Incoming, Outgoing } from "./front-door.ts";
import type { Headers } from "./mutate.ts";

/** The way to the application: HTTP/2 in clear text, one connection, opened again when it broke. */
export interface Application {
  /**
   * Passes a request on and its response back, bodies as they come. Returns false when the application
   * cannot be reached: nothing was answered then.
   */
  pass(headers: Headers, incoming: Incoming, outgoing: Outgoing, added: Headers): Promise<boolean>;
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
    pass: (headers, incoming, outgoing, added) =>
      pass(connected(), headers, incoming, outgoing, added),
    close: () => session?.destroy(),
  };
}

function pass(
  session: ClientHttp2Session,
  headers: Headers,
  incoming: Incoming,
  outgoing: Outgoing,
  added: Headers,
): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = session.request(listed(headers));
    let isAnswered = false;
    stream.on("response", (received: IncomingHttpHeaders) => {
      isAnswered = true;
      const { ":status": status = 200, ...rest } = received;
      writeHead(outgoing, Number(status), { ...rest, ...listed(added), server: serverName });
      stream.pipe(outgoing, { end: false });
    });
    // Trailers come before the end of the body is told.
    stream.on("trailers", (trailers) => {
      if ("addTrailers" in outgoing) outgoing.addTrailers(plain(trailers));
    });
    stream.on("end", () => outgoing.end());
    stream.on("error", () => {
      if (isAnswered) outgoing.destroy();
    });
    stream.on("close", () => resolve(isAnswered));
    outgoing.on("close", () => stream.close());
    incoming.pipe(stream);
  });
}

function writeHead(outgoing: Outgoing, status: number, headers: OutgoingHttpHeaders): void {
  outgoing.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) outgoing.setHeader(name, value as string | readonly string[]);
  }
}

/** Names with their values: one as text, several as a list, in order. */
function listed(headers: Headers): OutgoingHttpHeaders {
  const all: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const known = all[name];
    if (known === undefined) all[name] = value;
    else if (typeof known === "string") all[name] = [known, value];
    else known.push(value);
  }
  return all;
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
