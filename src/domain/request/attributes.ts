/**
 * The proxy-neutral view of one Check: what `envoy/decode` makes of a CheckRequest, and all that the
 * rest of the journey knows of it. Texts are made when asked for. Borrowed until the Check is
 * answered: whoever wants to keep something copies it.
 *
 * Field by field: envoy-ext-authz 1.1 and iam-semantics 8.4 (fields that mislead).
 */
export interface CheckAttributes {
  /** False for a TCP check: no method, target, host or header then (KEY-7). */
  readonly hasRequest: boolean;
  /** `request.http.method`, as received, case-sensitive. */
  readonly method: string;
  /** `request.http.path`: the target with its query, empty for CONNECT. One char per byte (latin1). */
  readonly target: string;
  /**
   * The `:path` pseudo-header where the message carries one, one char per byte; null where it does
   * not. `rawPathCount` counts its occurrences: more than one is a forged or broken peer.
   */
  readonly rawPath: string | null;
  readonly rawPathCount: number;
  /** True when headers came as `header_map` (raw, in order), false when as the joined map. */
  readonly rawHeaders: boolean;
  readonly host: string;
  readonly scheme: string;
  readonly protocol: string;
  /** `request.time`, null when absent. */
  readonly requestTimeMs: number | null;

  /** `source.principal`: the peer's SAN as Envoy verified it; empty without TLS. */
  readonly sourcePrincipal: string;
  readonly destinationPrincipal: string;
  /** Peer and listener addresses; null for pipes and internal addresses. */
  readonly sourceAddress: string | null;
  readonly destinationPort: number | null;
  readonly destinationLabels: ReadonlyMap<string, string>;
  /** `tls_session.sni`; proves nothing. */
  readonly serverName: string;
  /** True when `source.certificate` is not empty. */
  readonly hasPeerCertificate: boolean;
  /** Operator data of the route; never forwarded upstream. */
  contextExtension(name: string): string | undefined;

  /** The header `name` (lower-case), undefined when absent. */
  header(name: string): HeaderField | undefined;
  /**
   * Where the value of the header `name` lies in the message, for whoever knows it by its bytes; null
   * where it is absent, came more than once, or there are no bytes to show. One record for all calls:
   * borrowed until the next.
   */
  headerSpan(name: string): HeaderSpan | null;
  /**
   * The names (as received) of request headers that belong to the identity family in any spelling:
   * `x-mesh-iam-*` with `_` for `-` and in any case (R6). Usually empty.
   */
  readonly identityHeaderNames: readonly string[];
}

/**
 * One header. With `header_map` `count` says how often it came and `value` is the comma-joined text;
 * with the joined map `count` is 1 and a comma in `value` may hide a repetition.
 * Bytes that are no UTF-8 are shown as `!`, as Envoy itself shows them, in both encodings.
 */
export interface HeaderField {
  readonly value: string;
  readonly count: number;
}

/** The bytes of one header's value: `bytes[start, end)`, as received. */
export interface HeaderSpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * True when the header may hold more than one value: exactly known with `header_map`, suspected from
 * a comma in the joined map (KEY-8).
 */
export function mayBeRepeated(attributes: CheckAttributes, field: HeaderField): boolean {
  return attributes.rawHeaders ? field.count > 1 : field.value.includes(",");
}
