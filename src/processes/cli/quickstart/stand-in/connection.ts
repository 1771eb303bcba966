import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ConnectionPeer } from "../../../../adapters/envoy/check-request.ts";

/** What a proxy knows of the connection under a request. */
export interface ConnectionFacts {
  readonly scheme: "http" | "https";
  readonly source: ConnectionPeer;
  readonly destination: ConnectionPeer;
  /** SNI; empty without TLS or without one. */
  readonly serverName: string;
  /** SHA-256 of the client's certificate, lower-case hex; null without one. */
  readonly clientFingerprint: string | null;
}

/** Returns the facts of a connection whose TLS handshake, if it has one, is over. */
export function connectionOf(socket: Socket): ConnectionFacts {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!(socket instanceof TLSSocket)) {
    return {
      scheme: "http",
      source: peer(remoteAddress, remotePort, undefined),
      destination: peer(localAddress, localPort, undefined),
      serverName: "",
      clientFingerprint: null,
    };
  }
  const client = socket.getPeerX509Certificate();
  // Of a server's socket Node knows the client's SNI, `false` for none.
  const { servername } = socket as TLSSocket & { readonly servername?: string | false };
  return {
    scheme: "https",
    source: peer(remoteAddress, remotePort, client),
    destination: peer(localAddress, localPort, socket.getX509Certificate()),
    serverName: typeof servername === "string" ? servername : "",
    clientFingerprint: client?.fingerprint256.replaceAll(":", "").toLowerCase() ?? null,
  };
}

function peer(
  address: string | undefined,
  port: number | undefined,
  certificate: X509Certificate | undefined,
): ConnectionPeer {
  return {
    address: address ?? "",
    port: port ?? 0,
    principal: certificate === undefined ? "" : firstUri(certificate),
    certificate: certificate?.toString() ?? null,
  };
}

/** Only certificates of the quickstart's own authority get here, and each has one plain URI SAN. */
function firstUri({ subjectAltName }: X509Certificate): string {
  return /(?:^|, )URI:([^,"]+)/.exec(subjectAltName ?? "")?.[1] ?? "";
}
