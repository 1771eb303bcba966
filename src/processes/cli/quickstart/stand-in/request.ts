import { randomUUID } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { ProxiedRequest } from "../../../../adapters/envoy/check-request.ts";
import { type ConnectionFacts, connectionOf } from "./connection.ts";
import type { Incoming } from "./front-door.ts";
import { type Headers, pairsOf } from "./headers.ts";

/** What is to be done with a request: ask about it, or refuse it as Envoy does without asking. */
export type ReadRequest =
  | { readonly type: "ask"; readonly request: ProxiedRequest }
  | { readonly type: "refused"; readonly status: 400 | 404; readonly body: string };

/** Headers that are about one connection only (RFC 9110, 7.6.1; RFC 9113, 8.2.2). */
const hopHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Headers of the proxy's own: what a client sends under these names is not passed on. */
const ownHeaders = /^(x-envoy-.*|x-forwarded-client-cert|x-forwarded-proto|x-request-id)$/;

/**
 * Returns what Envoy makes of an incoming request with the quickstart's settings. `id` is the proxy's
 * number of it, `nowMs` when it came.
 *
 * The rules in Envoy's words: `use_remote_address`, `headers_with_underscores_action: REJECT_REQUEST`,
 * `forward_client_cert_details: SANITIZE_SET` with the URI, no path normalisation. Left out are the
 * `x-envoy-…` headers that tell the application of the proxy's own doings. Source: envoy-ext-authz
 * 1.1, 4.6, 9.
 */
export function readRequest(incoming: Incoming, id: string, nowMs: number): ReadRequest {
  const { url: path = "", method = "" } = incoming;
  const received = pairsOf(incoming.rawHeaders);
  const refused = refuse(path, received);
  if (refused !== null) return refused;
  const host = joined(received, ":authority") ?? joined(received, "host") ?? "";
  const connection = connectionOf(incoming.socket);
  const { source, destination, scheme, serverName } = connection;
  const headers: Headers = [
    [":authority", host],
    [":path", path],
    [":method", method],
    [":scheme", scheme],
    ...received.filter(([name]) => isPassedOn(name)),
    ...addedHeaders(connection, joined(received, "x-forwarded-for")),
  ];
  const protocol = protocolOf(incoming);
  return {
    type: "ask",
    request: {
      ...{ id, startedAtMs: nowMs, method, path, host, scheme, protocol },
      // Node reads header bytes as Latin-1.
      headers: headers.map(([name, value]) => [name, Buffer.from(value, "latin1")] as const),
      ...{ source, destination, serverName },
    },
  };
}

/** What Envoy refuses by itself, beyond what Node's parsers do. */
function refuse(path: string, headers: Headers): ReadRequest | null {
  if (headers.some(([name]) => name.includes("_"))) {
    return { type: "refused", status: 400, body: "Bad Request" };
  }
  if (path.includes("#")) return { type: "refused", status: 400, body: "" };
  return path.startsWith("/") ? null : { type: "refused", status: 404, body: "" };
}

function joined(headers: Headers, wanted: string): string | undefined {
  const values = headers.filter(([name]) => name === wanted).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(",");
}

function isPassedOn(name: string): boolean {
  if (name.startsWith(":") || name === "host" || name === "x-forwarded-for") return false;
  return !hopHeaders.has(name) && !ownHeaders.test(name);
}

function addedHeaders(connection: ConnectionFacts, forwardedFor: string | undefined): Headers {
  const { source, destination, scheme, clientFingerprint } = connection;
  const client = clientAddress(source.address);
  const added: [string, string][] = [
    ["x-forwarded-for", forwardedFor === undefined ? client : `${forwardedFor},${client}`],
    ["x-forwarded-proto", scheme],
    ["x-request-id", randomUUID()],
  ];
  if (clientFingerprint !== null) {
    const element = `By=${destination.principal};Hash=${clientFingerprint};URI=${source.principal}`;
    added.push(["x-forwarded-client-cert", element]);
  }
  return added;
}

/** Of a client on this host Envoy tells the host's outer address. */
function clientAddress(address: string): string {
  if (!address.startsWith("127.")) return address;
  const outer = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  return outer?.address ?? address;
}

function protocolOf(incoming: Incoming): ProxiedRequest["protocol"] {
  if (incoming.httpVersionMajor === 2) return "HTTP/2";
  return incoming.httpVersionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1";
}
