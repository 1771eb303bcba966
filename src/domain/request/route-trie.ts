import type { RouteTemplate } from "./route-template.ts";

/**
 * Routes by the segments of their templates. The order of preference is the order of descent: literal
 * before variable before rest, segment by segment, left to right (envoy-ext-authz 4.4). The method is
 * part of the match: a path whose best template lacks it goes on to the next.
 */
export interface RouteNode {
  readonly literals: Map<string, RouteNode>;
  variable: RouteNode | null;
  /** The template ends here, without and with a trailing slash. */
  end: MethodTable | null;
  slash: MethodTable | null;
  /** A rest wildcard stands here. */
  rest: MethodTable | null;
}

/** Index of a route by method. */
type MethodTable = Map<string, number>;

/** Counts the nodes that a search enters, for whoever wants to know what it costs. */
export interface StepCount {
  steps: number;
}

export interface SearchedPath {
  readonly segments: readonly string[];
  readonly trailingSlash: boolean;
}

export function createRouteNode(): RouteNode {
  return { literals: new Map(), variable: null, end: null, slash: null, rest: null };
}

/**
 * Enters the route `index` under its template and method, or returns the index of the route that has
 * this place already.
 */
export function insertRoute(
  root: RouteNode,
  template: RouteTemplate,
  method: string,
  index: number,
): number | null {
  let node = root;
  for (const segment of template.segments) {
    if (segment.type === "rest") {
      node.rest ??= new Map();
      return enter(node.rest, method, index);
    }
    node = segment.type === "literal" ? literalChild(node, segment.text) : variableChild(node);
  }
  if (template.trailingSlash) {
    node.slash ??= new Map();
    return enter(node.slash, method, index);
  }
  node.end ??= new Map();
  return enter(node.end, method, index);
}

function literalChild(node: RouteNode, text: string): RouteNode {
  let child = node.literals.get(text);
  if (child === undefined) {
    child = createRouteNode();
    node.literals.set(text, child);
  }
  return child;
}

function variableChild(node: RouteNode): RouteNode {
  node.variable ??= createRouteNode();
  return node.variable;
}

function enter(table: MethodTable, method: string, index: number): number | null {
  const present = table.get(method);
  if (present !== undefined) return present;
  table.set(method, index);
  return null;
}

/** Lets HEAD follow GET wherever the same template does not declare it. Once, after the last route. */
export function letHeadFollowGet(node: RouteNode): void {
  for (const table of [node.end, node.slash, node.rest]) {
    const get = table?.get("GET");
    if (table && get !== undefined && !table.has("HEAD")) table.set("HEAD", get);
  }
  if (node.variable !== null) letHeadFollowGet(node.variable);
  for (const child of node.literals.values()) letHeadFollowGet(child);
}

/**
 * Returns the most nodes that any search from `node` can enter. A segment follows at most one literal
 * and the variable, so the number of routes beside each other does not count: it grows only where
 * templates differ in the same places by literal and variable again and again.
 */
export function worstSteps(node: RouteNode): number {
  let literal = 0;
  for (const child of node.literals.values()) literal = Math.max(literal, worstSteps(child));
  return 1 + literal + (node.variable === null ? 0 : worstSteps(node.variable));
}

/**
 * Returns the index of the best route for `method` and `path`, or -1, and leaves the values of its
 * variables in `values`, which comes empty. `restMayBeAbsent` says that the slash before a rest
 * wildcard may be missing (`trailingSlash: ignore`). Cost: `worstSteps(root)` nodes at the most,
 * each a lookup or two.
 */
export function findRoute(
  root: RouteNode,
  path: SearchedPath,
  method: string,
  restMayBeAbsent: boolean,
  values: string[],
  count?: StepCount,
): number {
  return descend(root, path, 0, method, restMayBeAbsent, values, count);
}

function descend(
  node: RouteNode,
  path: SearchedPath,
  depth: number,
  method: string,
  restMayBeAbsent: boolean,
  values: string[],
  count: StepCount | undefined,
): number {
  if (count !== undefined) count.steps++;
  const { segments, trailingSlash } = path;
  const segment = segments[depth];
  let found: number | undefined;
  if (segment === undefined) {
    found = (trailingSlash ? node.slash : node.end)?.get(method);
    if (found !== undefined) return found;
    if (!trailingSlash && depth > 0 && !restMayBeAbsent) return -1;
  } else {
    const literal = node.literals.get(segment);
    if (literal !== undefined) {
      found = descend(literal, path, depth + 1, method, restMayBeAbsent, values, count);
      if (found >= 0) return found;
    }
    if (node.variable !== null) {
      values.push(segment);
      found = descend(node.variable, path, depth + 1, method, restMayBeAbsent, values, count);
      if (found >= 0) return found;
      values.pop();
    }
  }
  found = node.rest?.get(method);
  if (found === undefined) return -1;
  const rest = segment === undefined ? "" : segments.slice(depth).join("/");
  values.push(segment !== undefined && trailingSlash ? `${rest}/` : rest);
  return found;
}
