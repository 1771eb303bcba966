import { type Arn, createArn } from "../../iam/arn.ts";
import { isToken } from "./ascii.ts";
import type { CheckAttributes } from "./attributes.ts";
import { isHost } from "./canonical-host.ts";
import {
  type CanonicalRequest,
  type ConnectRequest,
  canonicalise,
  type GrpcRequest,
  type HttpRequest,
} from "./canonical-path.ts";
import { type Denied, deny, isDenied } from "./denied.ts";
import { overrideHeaders } from "./method-override.ts";
import { reject } from "./rejection.ts";
import {
  type MappedRoute,
  matchRoute,
  type RouteMap,
  type RouteMatch,
  resourceArn,
} from "./route-map.ts";
import type { ServiceDefinition, Tags } from "./service-definition.ts";

/** Why a request is judged as anonymous with an implied Allow of the service (EXC-10). */
export type ImpliedAllow = "auth-type-none" | "cors-preflight";

/** What a request asks for: an action on a resource of a service. Made once a Check. */
export interface ResolvedRequest {
  /** The table that decided, with the configured partition and region. */
  readonly routes: RouteMap;
  readonly service: ServiceDefinition;
  /** Null for `mesh:Connect`: CONNECT and connections without a request. */
  readonly route: MappedRoute | null;
  /** `orders:GetOrder` */
  readonly action: string;
  readonly resource: Arn;
  /** Null for a connection without a request. */
  readonly canonical: CanonicalRequest | null;
  /** Values of the variables of `route`, in its order. */
  readonly values: readonly string[];
  readonly resourceTags: Tags;
  /**
   * Null: the caller is authenticated. Else it is anonymous, its credentials are stripped, and the
   * resource policy begins with an implied Allow; Deny statements and RCPs bind.
   */
  readonly implied: ImpliedAllow | null;
  /** Classified as gRPC: decides the form of a denial. */
  readonly grpc: boolean;
  /** What else must be allowed: the same request with its override method. Either denial denies. */
  readonly second: ResolvedRequest | null;
}

/** Returns the value of a path variable, or undefined where the route has none of this name. */
export function pathVariable(request: ResolvedRequest, name: string): string | undefined {
  if (request.route === null) return undefined;
  const index = request.route.variables.indexOf(name);
  return index < 0 ? undefined : request.values[index];
}

const connectAction = "mesh:Connect";
const noRoute = Object.freeze(deny("route-not-found", "no-route"));
const noPreflightRoute = Object.freeze(deny("route-not-found", "no-route-for-preflight"));
const noOverrideRoute = Object.freeze(deny("route-not-found", "no-route-for-override"));
const noValues: readonly string[] = Object.freeze([]);

/**
 * Returns what the request asks for at the service of `entry`, or its refusal: `ambiguous-path`,
 * `ambiguous-host`, `route-not-found`. Total and synchronous; before any credential is looked at.
 *
 * CONNECT and a connection without a request ask for `mesh:Connect` on `host:port`: no route allows it,
 * only a policy. A Host that is none is refused even where it decides nothing, since conditions and the
 * application read it; an absent one is not.
 */
export function resolve(
  entry: { readonly routes: RouteMap },
  attributes: CheckAttributes,
): ResolvedRequest | Denied {
  const { routes } = entry;
  const { service } = routes;
  if (!attributes.hasRequest) return resolveConnection(routes, attributes, null);
  if (attributes.host !== "" && !isHost(attributes.host)) return reject("bad-host");
  const canonical = canonicalise(attributes, service.request);
  if (isDenied(canonical)) return canonical;
  if (canonical.type === "connect") return resolveConnection(routes, attributes, canonical);

  const preflight = preflightMethod(attributes, canonical, service);
  const match = matchRoute(routes, preflight ?? canonical.method, canonical);
  if (match === null) return preflight === null ? noRoute : noPreflightRoute;
  if (canonical.overrideMethod !== null) return resolveBoth(routes, attributes, canonical, match);
  const open = match.mapped.authType === "NONE" ? "auth-type-none" : null;
  const implied = preflight === null ? open : "cors-preflight";
  return resolved(routes, attributes, canonical, match, implied, null);
}

/**
 * The received and the override method are two requests, and the caller of both is the same: it stays
 * anonymous only where neither route asks for authentication.
 */
function resolveBoth(
  routes: RouteMap,
  attributes: CheckAttributes,
  canonical: HttpRequest | GrpcRequest,
  match: RouteMatch,
): ResolvedRequest | Denied {
  const method = canonical.overrideMethod ?? canonical.method;
  const other = matchRoute(routes, method, canonical);
  if (other === null) return noOverrideRoute;
  const open = match.mapped.authType === "NONE" && other.mapped.authType === "NONE";
  const implied = open ? "auth-type-none" : null;
  const overridden = { ...canonical, method, overrideMethod: null };
  const second = resolved(routes, attributes, overridden, other, implied, null);
  return resolved(routes, attributes, canonical, match, implied, second);
}

function resolved(
  routes: RouteMap,
  attributes: CheckAttributes,
  canonical: HttpRequest | GrpcRequest,
  match: RouteMatch,
  implied: ImpliedAllow | null,
  second: ResolvedRequest | null,
): ResolvedRequest {
  const { mapped, values } = match;
  const partition = extension(attributes, "mesh-iam-partition", routes.partition);
  const region = extension(attributes, "mesh-iam-region", routes.region);
  return {
    routes,
    service: routes.service,
    route: mapped,
    action: mapped.action,
    resource: resourceArn(routes, match, partition, region),
    canonical,
    values,
    resourceTags: mapped.resourceTags,
    implied,
    grpc: canonical.type === "grpc",
    second,
  };
}

function resolveConnection(
  routes: RouteMap,
  attributes: CheckAttributes,
  connect: ConnectRequest | null,
): ResolvedRequest {
  const { service } = routes;
  const target =
    connect === null
      ? `${service.name}:${attributes.destinationPort ?? ""}`
      : `${connect.host}:${connect.port}`;
  // A tunnel leads past the service, so what the service leaves open does not open it.
  const open = connect === null && service.authType === "NONE";
  return {
    routes,
    service,
    route: null,
    action: connectAction,
    resource: connectionArn(routes, attributes, target),
    canonical: connect,
    values: noValues,
    resourceTags: service.tags,
    implied: open ? "auth-type-none" : null,
    grpc: false,
    second: null,
  };
}

function connectionArn(routes: RouteMap, attributes: CheckAttributes, target: string): Arn {
  const partition = extension(attributes, "mesh-iam-partition", routes.partition);
  const region = extension(attributes, "mesh-iam-region", routes.region);
  return createArn(partition, routes.service.name, region, routes.service.account, target);
}

/** Operator data of the listener's route; an empty one is as good as none (KEY-3). */
function extension(attributes: CheckAttributes, name: string, configured: string): string {
  const text = attributes.contextExtension(name);
  return text === undefined || text === "" ? configured : text;
}

/**
 * Returns the method that a valid CORS preflight asks about, or null: OPTIONS with exactly one
 * `origin` and one `access-control-request-method` (envoy-ext-authz 4.5). A request that the upstream
 * may take for another method is no preflight.
 */
function preflightMethod(
  attributes: CheckAttributes,
  canonical: HttpRequest | GrpcRequest,
  service: ServiceDefinition,
): string | null {
  if (!service.cors || canonical.method !== "OPTIONS") return null;
  if (canonical.overrideMethod !== null) return null;
  const origin = single(attributes, "origin");
  const method = single(attributes, "access-control-request-method");
  return origin !== null && method !== null && isToken(method) ? method : null;
}

/** Returns the value of a header that occurs exactly once; neither of the two may hold a comma. */
function single(attributes: CheckAttributes, name: string): string | null {
  const field = attributes.header(name);
  if (field === undefined || field.count !== 1 || field.value.includes(",")) return null;
  return field.value === "" ? null : field.value;
}

/** Returns the request headers that `resolve` may read at this service, lower-case. */
export function headersReadByResolve(service: ServiceDefinition): readonly string[] {
  const names = ["content-type"];
  if (service.request.methodOverride !== "ignore") names.push(...overrideHeaders);
  if (service.cors) names.push("origin", "access-control-request-method");
  return names;
}
