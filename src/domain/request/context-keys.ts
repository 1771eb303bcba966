import { foldAscii } from "../../iam/ascii.ts";
import { formatIsoTime, timeKeys } from "../../iam/derived-keys.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { CheckAttributes } from "./attributes.ts";
import { canonicalHost } from "./canonical-host.ts";
import type { GrpcRequest, HttpRequest } from "./canonical-path.ts";
import { clientAddress } from "./client-address.ts";
import { headerValue, isExposedHeader, otherSpellings } from "./header-keys.ts";
import type { ResolvedRequest } from "./resolve.ts";
import type { ServiceDefinition } from "./service-definition.ts";
import { serviceKey } from "./service-keys.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

/** What of the authorizer's configuration the keys of a request depend on. */
export interface RequestKeySettings {
  /** Position of the client's address from the right of `x-forwarded-for`; 0: the peer's address. */
  readonly trustedHops: number;
  /** Configured region, empty for none: `aws:RequestedRegion` where no context extension says more. */
  readonly region: string;
  /** The listener in front takes TLS only: `aws:SecureTransport` is true for every request. */
  readonly tlsTerminating: boolean;
}

type Value = ContextValue | KeyFault | undefined;

type Reader = (
  attributes: CheckAttributes,
  request: ResolvedRequest,
  settings: RequestKeySettings,
  nowMs: number,
) => Value;

const yes: ContextValue = Object.freeze({ multivalued: false, values: Object.freeze(["true"]) });
const no: ContextValue = Object.freeze({ multivalued: false, values: Object.freeze(["false"]) });

/** The keys of iam-semantics 8.2 and 8.3 whose source is the request, by lower-cased name. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "aws:sourceip",
    (attributes, _request, settings) => {
      return single(clientAddress(attributes, settings.trustedHops));
    },
  ],
  [
    "aws:securetransport",
    (attributes, _request, settings) => {
      if (!attributes.hasRequest) return undefined;
      return settings.tlsTerminating || isSecure(attributes) ? yes : no;
    },
  ],
  [
    "aws:requestedregion",
    (attributes, _request, settings) =>
      single(attributes.contextExtension("mesh-iam-region")) ?? single(settings.region),
  ],
  ["aws:sourcevpce", (attributes) => single(attributes.contextExtension("mesh-iam-endpoint"))],
  ["aws:currenttime", (_a, _r, _s, nowMs) => single(formatIsoTime(nowMs))],
  ["aws:epochtime", (_a, _r, _s, nowMs) => timeKeys(nowMs).get("aws:epochtime")],
  ["aws:useragent", headerReader("user-agent")],
  ["aws:referer", headerReader("referer")],
  ["mesh:requestmethod", (_attributes, request) => single(request.canonical?.method)],
  ["mesh:requestpath", (_attributes, request) => single(target(request)?.path)],
  ["mesh:requesthost", (attributes) => single(canonicalHost(attributes.host)?.host)],
  ["mesh:requestscheme", (attributes) => single(attributes.scheme)],
  ["mesh:requestprotocol", (attributes) => single(attributes.protocol)],
  ["mesh:requestsize", requestSize],
  ["mesh:grpcservice", (_attributes, request) => single(rpc(request)?.service)],
  ["mesh:grpcmethod", (_attributes, request) => single(rpc(request)?.method)],
  [
    "mesh:destinationspiffeid",
    ({ destinationPrincipal }) =>
      parseSpiffeId(destinationPrincipal).ok ? single(destinationPrincipal) : undefined,
  ],
  ["mesh:destinationservicearn", (_attributes, request) => single(request.service.arn)],
  [
    "mesh:destinationport",
    (attributes) => {
      return attributes.destinationPort === null
        ? undefined
        : single(String(attributes.destinationPort));
    },
  ],
  ["mesh:servername", (attributes) => single(foldAscii(attributes.serverName))],
]);

const headerPrefix = "mesh:requestheader/";
const queryPrefix = "mesh:requestquerystring/";
const tagPrefix = "aws:resourcetag/";

/**
 * Returns the value of a condition key whose source is the request, by its ASCII-lower-cased name:
 * undefined where it is absent or not such a key, a fault where it cannot be told (KEY-3, KEY-8).
 *
 * `nowMs` is the evaluation time (`evaluationTimeMs`). A Check without a request has only the keys of
 * its connection (KEY-7). Looks nothing else up than the key asked for; allocates the value.
 */
export function requestKey(
  keyLower: string,
  attributes: CheckAttributes,
  request: ResolvedRequest,
  settings: RequestKeySettings,
  nowMs: number,
): Value {
  const reader = readers.get(keyLower);
  if (reader !== undefined) return reader(attributes, request, settings, nowMs);
  if (keyLower.startsWith(headerPrefix)) {
    const name = keyLower.slice(headerPrefix.length);
    if (!isExposedHeader(name)) return undefined;
    return headerValue(attributes, name, request.service.request);
  }
  if (keyLower.startsWith(queryPrefix)) {
    const values = target(request)?.query.valuesOf(keyLower.slice(queryPrefix.length));
    return values === undefined || values.length === 0 ? undefined : { multivalued: true, values };
  }
  if (keyLower.startsWith(tagPrefix)) return resourceTag(keyLower, attributes, request);
  const own = request.routes.contextKeys.get(keyLower);
  return own === undefined ? undefined : serviceKey(own, attributes, request);
}

const maxClockDifferenceMs = 300_000;

/**
 * Returns the time at which a request is judged, in milliseconds: when its first byte came, if that is
 * within 300 s of the local clock `nowMs`, else the local clock (iam-semantics 8.2).
 */
export function evaluationTimeMs(attributes: CheckAttributes, nowMs: number): number {
  const { requestTimeMs } = attributes;
  if (requestTimeMs === null) return nowMs;
  return Math.abs(requestTimeMs - nowMs) <= maxClockDifferenceMs ? requestTimeMs : nowMs;
}

/**
 * Returns whether `requestKey` may find the key faulty at this service: the keys to be asked before an
 * evaluation, so that the answer never hangs on which statement was read first.
 */
export function mayBeFaulty(keyLower: string, service: ServiceDefinition): boolean {
  if (headerOf(keyLower, service) !== null || keyLower.startsWith(tagPrefix)) return true;
  const own = service.contextKeys.find((key) => foldAscii(key.key) === keyLower);
  return own?.source.type === "query" && !own.multivalued;
}

/**
 * Returns the request headers that the keys (lower-cased) can read at this service, with the spellings
 * that make them ambiguous: lower-case, each once. `x-forwarded-for` is read only with trusted hops.
 */
export function headersReadBy(
  keys: readonly string[],
  service: ServiceDefinition,
): readonly string[] {
  const names = new Set<string>();
  for (const key of keys) {
    if (key === "aws:sourceip") names.add("x-forwarded-for");
    const name = headerOf(key, service);
    if (name === null) continue;
    names.add(name);
    for (const spelling of otherSpellings(name)) names.add(spelling);
  }
  return [...names];
}

function headerOf(keyLower: string, service: ServiceDefinition): string | null {
  if (keyLower === "aws:useragent") return "user-agent";
  if (keyLower === "aws:referer") return "referer";
  if (keyLower === "mesh:requestsize") return "content-length";
  const name = keyLower.startsWith(headerPrefix)
    ? keyLower.slice(headerPrefix.length)
    : ownHeaderOf(keyLower, service);
  return name !== null && isExposedHeader(name) ? name : null;
}

function ownHeaderOf(keyLower: string, service: ServiceDefinition): string | null {
  const own = service.contextKeys.find((key) => foldAscii(key.key) === keyLower);
  return own?.source.type === "header" ? foldAscii(own.source.name) : null;
}

function single(text: string | null | undefined): ContextValue | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  return { multivalued: false, values: [text] };
}

function headerReader(name: string): Reader {
  return (attributes, request) => headerValue(attributes, name, request.service.request);
}

function target(request: ResolvedRequest): HttpRequest | GrpcRequest | undefined {
  const { canonical } = request;
  return canonical === null || canonical.type === "connect" ? undefined : canonical;
}

/**
 * Evidence of TLS in one Check: what only a handshake can have given, or the word of the listener's route.
 * Not the scheme, which a client can write, nor the server name, which may come from inspection.
 */
function isSecure(attributes: CheckAttributes): boolean {
  return (
    attributes.sourcePrincipal !== "" ||
    attributes.hasPeerCertificate ||
    attributes.contextExtension("mesh-iam-tls") === "true"
  );
}

/** The declared RPC wherever the path is one, whatever content type the client picked. */
function rpc(request: ResolvedRequest): { service: string; method: string } | undefined {
  const match = request.route?.route.match;
  if (match?.type === "grpc") return match;
  const { canonical } = request;
  return canonical?.type === "grpc"
    ? { service: canonical.service, method: canonical.rpc }
    : undefined;
}

function requestSize(attributes: CheckAttributes, request: ResolvedRequest): Value {
  const value = headerValue(attributes, "content-length", request.service.request);
  if (value === undefined || typeof value === "string") return value;
  return /^\d{1,19}$/.test(value.values[0] ?? "") ? value : undefined;
}

/** The bundle's tag, else the destination's label. Labels that differ only in case name no one value. */
function resourceTag(
  keyLower: string,
  attributes: CheckAttributes,
  request: ResolvedRequest,
): Value {
  const tag = (request.route ?? request.routes).resourceTagKeys.get(keyLower);
  if (tag !== undefined) return tag;
  const { destinationLabels } = attributes;
  if (destinationLabels.size === 0) return undefined;
  const name = keyLower.slice(tagPrefix.length);
  let found: string | undefined;
  for (const [label, value] of destinationLabels) {
    if (foldAscii(label) !== name) continue;
    if (found !== undefined) return "evaluation-error";
    found = value;
  }
  return single(found);
}
