import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CheckRequestSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";

/** One side of the connection that a request came on. */
export interface ConnectionPeer {
  readonly address: string;
  readonly port: number;
  /** First URI SAN of its certificate; empty without TLS. */
  readonly principal: string;
  /** PEM, or null where it showed none. Told of the source only. */
  readonly certificate: string | null;
}

/** An HTTP request as a proxy has it when it asks: after its own header rules, before any mutation. */
export interface ProxiedRequest {
  /** The proxy's own number of the request. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly method: string;
  /** Path and query as received. */
  readonly path: string;
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  /** In order, names lower-case, pseudo-headers among them, repeated ones apart; values as bytes. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  readonly source: ConnectionPeer;
  readonly destination: ConnectionPeer;
  /** SNI; empty without TLS. */
  readonly serverName: string;
}

/**
 * Returns the serialised CheckRequest that Envoy makes of `request` with `encode_raw_headers`,
 * `include_peer_certificate` and `include_tls_session`: headers as `header_map` with raw values and
 * no `host` among them, `query`, `fragment` and body empty. Source: envoy-ext-authz 1.1.
 */
export function encodeCheckRequest(request: ProxiedRequest): Uint8Array {
  const { method, path, host, scheme, protocol, serverName } = request;
  const http = {
    id: request.id,
    method,
    path,
    host,
    scheme,
    protocol,
    headerMap: { headers: request.headers.map(([key, rawValue]) => ({ key, rawValue })) },
  };
  const attributes = {
    source: peer(request.source),
    destination: peer({ ...request.destination, certificate: null }),
    request: { time: timestampFromMs(request.startedAtMs), http },
    tlsSession: { sni: serverName },
  };
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
}

function peer({ address, port, principal, certificate }: ConnectionPeer) {
  const portSpecifier = { case: "portValue" as const, value: port };
  return {
    address: { address: { case: "socketAddress" as const, value: { address, portSpecifier } } },
    principal,
    // Envoy percent-encodes the PEM.
    certificate: certificate === null ? "" : encodeURIComponent(certificate),
  };
}
