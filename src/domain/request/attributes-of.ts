import type { CheckAttributes, HeaderField } from "./attributes.ts";
import { isIdentityHeader } from "./identity-headers.ts";

/** A request written down by hand; whatever is left out is as a plain `GET /` over plaintext has it. */
export interface WrittenRequest {
  readonly method?: string;
  /** The target with its query, one char per byte. Default `/`, for CONNECT empty. */
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly protocol?: string;
  /** By name in any case; several values are several headers, in this order. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** How Envoy sends the headers: joined at commas (the default), or raw and in order. */
  readonly encoding?: "headers" | "header_map";
  /** The `:path` entries; default one that equals `path`. An empty list: withheld by the listener. */
  readonly rawPaths?: readonly string[];
  readonly requestTimeMs?: number;
}

/** The connection that a request came on, or, without a request, a TCP check. */
export interface WrittenConnection {
  readonly sourcePrincipal?: string;
  readonly destinationPrincipal?: string;
  /** Null for a pipe. Default `127.0.0.1`. */
  readonly sourceAddress?: string | null;
  readonly destinationPort?: number | null;
  readonly destinationLabels?: Readonly<Record<string, string>>;
  readonly serverName?: string;
  readonly hasPeerCertificate?: boolean;
  readonly contextExtensions?: Readonly<Record<string, string>>;
}

/**
 * Returns the attributes of a Check that nobody sent over a wire: for simulation, replay and tests. They
 * obey the rules of `CheckAttributes` as the decoder's do: header names are lower-cased and repeated
 * headers counted in the raw encoding, joined with `,` in both. Owns everything; nothing is validated.
 */
export function attributesOf(request: WrittenRequest & WrittenConnection = {}): CheckAttributes {
  const { method = "GET", encoding = "headers" } = request;
  const target = request.path ?? (method === "CONNECT" ? "" : "/");
  const rawPaths = request.rawPaths ?? [target];
  const headers = collectHeaders(request.headers ?? {}, encoding === "header_map");
  return {
    ...connectionOf(request),
    hasRequest: true,
    method,
    target,
    rawPath: rawPaths.at(-1) ?? null,
    rawPathCount: rawPaths.length,
    rawHeaders: encoding === "header_map",
    host: request.host ?? "localhost",
    scheme: request.scheme ?? "http",
    protocol: request.protocol ?? "HTTP/1.1",
    requestTimeMs: request.requestTimeMs ?? null,
    header: (name) => headers.get(name),
    headerSpan: () => null,
    identityHeaderNames: Object.keys(request.headers ?? {}).filter(isIdentityHeader),
  };
}

/** Returns the attributes of a TCP check (network filter): a connection and no request. */
export function attributesOfConnection(connection: WrittenConnection = {}): CheckAttributes {
  return {
    ...connectionOf(connection),
    hasRequest: false,
    method: "",
    target: "",
    rawPath: null,
    rawPathCount: 0,
    rawHeaders: false,
    host: "",
    scheme: "",
    protocol: "",
    requestTimeMs: null,
    header: () => undefined,
    headerSpan: () => null,
    identityHeaderNames: [],
  };
}

function connectionOf(connection: WrittenConnection) {
  const extensions = new Map(Object.entries(connection.contextExtensions ?? {}));
  const { sourceAddress = "127.0.0.1" } = connection;
  return {
    sourcePrincipal: connection.sourcePrincipal ?? "",
    destinationPrincipal: connection.destinationPrincipal ?? "",
    sourceAddress,
    destinationPort: connection.destinationPort ?? null,
    destinationLabels: new Map(Object.entries(connection.destinationLabels ?? {})),
    serverName: connection.serverName ?? "",
    hasPeerCertificate: connection.hasPeerCertificate ?? false,
    contextExtension: (name: string) => extensions.get(name),
  };
}

function collectHeaders(
  written: Readonly<Record<string, string | readonly string[]>>,
  raw: boolean,
): Map<string, HeaderField> {
  const values = new Map<string, string[]>();
  for (const [name, given] of Object.entries(written)) {
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), ...(typeof given === "string" ? [given] : given)]);
  }
  const fields = new Map<string, HeaderField>();
  for (const [name, all] of values) {
    if (all.length > 0) fields.set(name, { value: all.join(","), count: raw ? all.length : 1 });
  }
  return fields;
}
