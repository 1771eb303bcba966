import { quote } from "../../iam/problem.ts";
import { isToken } from "./ascii.ts";
import { parseRpcPath } from "./grpc-classification.ts";
import type { RequestOptions } from "./options.ts";
import {
  parseResourceTemplate,
  parseRouteTemplate,
  type ResourceTemplate,
  type RouteTemplate,
} from "./route-template.ts";
import { createRouteNode, insertRoute, type RouteNode, worstSteps } from "./route-trie.ts";
import type { Route } from "./service-definition.ts";

/** A finding about the route at `index`; `other` is the earlier route that it is in conflict with. */
export interface RouteProblem {
  readonly index: number;
  readonly other: number | null;
  readonly message: string;
}

/** A route with its texts read. `methods` are those under which a path leads to it. */
export interface ParsedRoute {
  readonly template: RouteTemplate;
  readonly resource: ResourceTemplate;
  readonly methods: readonly string[];
}

export interface RouteTable {
  readonly root: RouteNode;
  /** By the index of the route; null where the route has a problem. */
  readonly parsed: readonly (ParsedRoute | null)[];
  readonly problems: readonly RouteProblem[];
}

/** What one lookup may cost at the most, in nodes. Ordinary tables need the depth of their paths. */
export const maxLookupSteps = 1024;

/**
 * Returns what is wrong with the routes of a service that has these options, in order, for the reader
 * of documents: malformed methods, templates and RPC names, unknown variables in a resource, two
 * routes that no precedence tells apart, a table whose lookup would not be bounded.
 */
export function routeProblems(
  routes: readonly Route[],
  options: RequestOptions,
): readonly RouteProblem[] {
  return buildRouteTable(routes, options).problems;
}

/** Returns the trie of the routes that can be read, and the problems of the others. */
export function buildRouteTable(routes: readonly Route[], options: RequestOptions): RouteTable {
  const root = createRouteNode();
  const problems: RouteProblem[] = [];
  const parsed = routes.map((route, index) => {
    const read = parseRoute(route, options);
    if (typeof read === "string") {
      problems.push({ index, other: null, message: read });
      return null;
    }
    const other = insertAll(root, read, index);
    if (other === null) return read;
    const message = `expected a route of its own, got one equal to ${describe(routes[other])}`;
    problems.push({ index, other, message });
    return null;
  });
  if (worstSteps(root) > maxLookupSteps) problems.push(excess(parsed));
  return { root, parsed, problems };
}

function insertAll(root: RouteNode, route: ParsedRoute, index: number): number | null {
  for (const method of route.methods) {
    const other = insertRoute(root, route.template, method, index);
    if (other !== null) return other;
  }
  return null;
}

function parseRoute(route: Route, options: RequestOptions): ParsedRoute | string {
  const { match } = route;
  let template: RouteTemplate;
  let methods: readonly string[];
  if (match.type === "grpc") {
    const path = `/${match.service}/${match.method}`;
    if (parseRpcPath(path) === null) {
      return `expected an RPC as \`package.Service/Method\`, got ${quote(path.slice(1))}`;
    }
    const read = parseRouteTemplate(path, options);
    if (!read.ok) return read.message;
    template = read.value;
    // POST whatever the content type, and GET, by which Connect carries a call without side effects:
    // the client picks both, so neither may change the action.
    methods = ["POST", "GET"];
  } else {
    if (!isToken(match.method) || match.method.includes("*") || match.method === "CONNECT") {
      return `expected a method such as \`GET\`, got ${quote(match.method)}`;
    }
    const read = parseRouteTemplate(match.template, options);
    if (!read.ok) return read.message;
    template = read.value;
    methods = [match.method];
  }
  const resource = parseResourceTemplate(route.resource, template.variables);
  return resource.ok ? { template, resource: resource.value, methods } : resource.message;
}

function describe(route: Route | undefined): string {
  if (route === undefined) return "another";
  const { match } = route;
  return quote(
    match.type === "grpc"
      ? `${match.service}/${match.method}`
      : `${match.method} ${match.template}`,
  );
}

/** Returns the finding at the first route with which the routes so far pass the bound. */
function excess(parsed: readonly (ParsedRoute | null)[]): RouteProblem {
  let low = 0;
  let high = parsed.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stepsOfFirst(parsed, middle + 1) > maxLookupSteps) high = middle;
    else low = middle + 1;
  }
  const message = `expected templates that are told apart in ${maxLookupSteps} steps, got more: literals and variables alternate in too many segments`;
  return { index: low, other: null, message };
}

function stepsOfFirst(parsed: readonly (ParsedRoute | null)[], count: number): number {
  const root = createRouteNode();
  for (const [index, route] of parsed.slice(0, count).entries()) {
    if (route !== null) insertAll(root, route, index);
  }
  return worstSteps(root);
}
