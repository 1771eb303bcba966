import { type Arn, createArn } from "../../iam/arn.ts";
import { foldAscii } from "../../iam/ascii.ts";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { ContextValue } from "../../iam/request-context.ts";
import { buildRouteTable, type ParsedRoute } from "./route-problems.ts";
import { fillResource, type ResourceTemplate } from "./route-template.ts";
import {
  findRoute,
  letHeadFollowGet,
  type RouteNode,
  type SearchedPath,
  type StepCount,
} from "./route-trie.ts";
import type {
  AuthType,
  ContextKeyDefinition,
  Route,
  ServiceDefinition,
  Tags,
} from "./service-definition.ts";

/** The routes of one service, compiled. Frozen in use; one a service and snapshot. */
export interface RouteMap {
  readonly service: ServiceDefinition;
  /** Of ARNs where no context extension says otherwise (ARN-1). */
  readonly partition: string;
  readonly region: string;
  readonly root: RouteNode;
  readonly routes: readonly MappedRoute[];
  /** The service's own condition keys by lower-cased name (KEY-6). */
  readonly contextKeys: ReadonlyMap<string, ContextKeyDefinition>;
  /** `aws:ResourceTag/*` of requests that no route maps. */
  readonly resourceTagKeys: ReadonlyMap<string, ContextValue>;
}

/** A route with everything prepared that does not depend on the request. */
export interface MappedRoute {
  readonly route: Route;
  /** `orders:GetOrder` */
  readonly action: string;
  /** The route's own, else the service's. */
  readonly authType: AuthType;
  /** Names of the variables, in the order of their values. */
  readonly variables: readonly string[];
  /** The service's tags with the route's over them, told apart ignoring ASCII case. */
  readonly resourceTags: Tags;
  /** The same as `aws:ResourceTag/*`, by lower-cased name. */
  readonly resourceTagKeys: ReadonlyMap<string, ContextValue>;
  readonly resource: ResourceTemplate;
  /** The ARN of a resource without variables, in the configured partition and region; else null. */
  readonly fixedArn: Arn | null;
}

export interface RouteMatch {
  readonly mapped: MappedRoute;
  /** Values of `mapped.variables`: decoded text of the path, data and never a pattern. */
  readonly values: readonly string[];
}

/**
 * Returns the compiled routes of `service`. Linear in the routes; called once a snapshot.
 * Throws `document-invalid` for routes that `routeProblems` objects to: whoever reads documents or
 * bundles asks it first.
 */
export function createRouteMap(
  service: ServiceDefinition,
  partition: string,
  region: string,
): RouteMap {
  const { root, parsed, problems } = buildRouteTable(service.routes, service.request);
  const [problem] = problems;
  if (problem !== undefined) {
    const message = `service ${quote(service.name)}, route ${problem.index}: ${problem.message}`;
    throw new MeshIamError("document-invalid", message);
  }
  letHeadFollowGet(root);
  const routes = service.routes.map((route, index) =>
    // INVARIANT: a route without a problem has been parsed.
    mapRoute(service, route, parsed[index] as ParsedRoute, partition, region),
  );
  const contextKeys = new Map(service.contextKeys.map((key) => [foldAscii(key.key), key]));
  const resourceTagKeys = tagKeys(service.tags);
  return Object.freeze({
    service,
    partition,
    region,
    root,
    routes,
    contextKeys,
    resourceTagKeys,
  });
}

function mapRoute(
  service: ServiceDefinition,
  route: Route,
  { template, resource }: ParsedRoute,
  partition: string,
  region: string,
): MappedRoute {
  const fixed = resource.places.length === 0;
  const resourceTags = mergeTags(service.tags, route.tags);
  return Object.freeze({
    route,
    action: `${service.name}:${route.action}`,
    authType: route.authType ?? service.authType,
    variables: template.variables,
    resourceTags,
    resourceTagKeys: tagKeys(resourceTags),
    resource,
    fixedArn: fixed ? arnOf(service, partition, region, fillResource(resource, [])) : null,
  });
}

function tagKeys(tags: Tags): ReadonlyMap<string, ContextValue> {
  const keys = new Map<string, ContextValue>();
  for (const [key, value] of tags) {
    keys.set(`aws:resourcetag/${foldAscii(key)}`, { multivalued: false, values: [value] });
  }
  return keys;
}

/** Tag keys compare ignoring case (CON-2), so a route's tag replaces the service's in any spelling. */
function mergeTags(serviceTags: Tags, routeTags: Tags): Tags {
  if (routeTags.size === 0) return serviceTags;
  const own = new Set(Array.from(routeTags.keys(), foldAscii));
  const merged = new Map<string, string>();
  for (const [key, value] of serviceTags) if (!own.has(foldAscii(key))) merged.set(key, value);
  for (const [key, value] of routeTags) merged.set(key, value);
  return merged;
}

/**
 * Returns the best route for a method and a canonical path, or null: literal beats variable beats
 * rest, segment by segment, left to right; HEAD follows GET unless the same template declares it.
 * The cost does not depend on the number of routes. Allocates the match and the values.
 */
export function matchRoute(
  map: RouteMap,
  method: string,
  path: SearchedPath,
  count?: StepCount,
): RouteMatch | null {
  const values: string[] = [];
  const restMayBeAbsent = map.service.request.trailingSlash === "ignore";
  const index = findRoute(map.root, path, method, restMayBeAbsent, values, count);
  if (index < 0) return null;
  return { mapped: map.routes[index] as MappedRoute, values };
}

/**
 * Returns the ARN of the matched resource: six fields, built and never split again, so that no colon
 * or slash of a path moves one (ARN-2).
 */
export function resourceArn(
  map: RouteMap,
  match: RouteMatch,
  partition: string,
  region: string,
): Arn {
  const { fixedArn, resource } = match.mapped;
  if (fixedArn !== null && partition === map.partition && region === map.region) return fixedArn;
  return arnOf(map.service, partition, region, fillResource(resource, match.values));
}

function arnOf(
  service: ServiceDefinition,
  partition: string,
  region: string,
  resource: string,
): Arn {
  return createArn(partition, service.name, region, service.account, resource);
}
