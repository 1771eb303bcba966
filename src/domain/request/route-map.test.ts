import fc from "fast-check";
import { expect, test } from "vitest";
import { routeOf, serviceOf } from "../../../test/fakes/service-of.ts";
import { MeshIamError } from "../../iam/error.ts";
import { defaultRequestOptions, type RequestOptions } from "./options.ts";
import { createRouteMap, matchRoute, resourceArn } from "./route-map.ts";
import { maxLookupSteps, routeProblems } from "./route-problems.ts";
import type { SearchedPath } from "./route-trie.ts";

function pathOf(text: string): SearchedPath {
  const segments = text.split("/").filter((part) => part !== "");
  return { segments, trailingSlash: segments.length > 0 && text.endsWith("/") };
}

function mapOf(routes: readonly string[], request: Partial<RequestOptions> = {}) {
  return createRouteMap(
    serviceOf({ routes: routes.map((match) => routeOf(match)), request }),
    "aws",
    "",
  );
}

function find(
  routes: readonly string[],
  method: string,
  path: string,
  request: Partial<RequestOptions> = {},
) {
  const map = mapOf(routes, request);
  const match = matchRoute(map, method, pathOf(path));
  return match === null ? null : [routes[map.routes.indexOf(match.mapped)], ...match.values];
}

const table = [
  "GET /",
  "GET /orders",
  "POST /orders",
  "GET /orders/",
  "GET /orders/{id}",
  "DELETE /orders/{id}",
  "GET /orders/latest",
  "GET /orders/{id}/items/{item}",
  "GET /{kind}/latest/items",
  "GET /files/{path=**}",
  "HEAD /files/known",
  "shop.Orders/Cancel",
  "POST /{service}/{method}",
];

test.each([
  ["the root", "GET", "/", ["GET /"]],
  ["a literal", "GET", "/orders", ["GET /orders"]],
  ["the method is part of the match", "POST", "/orders", ["POST /orders"]],
  ["a trailing slash is another path", "GET", "/orders/", ["GET /orders/"]],
  ["a variable", "GET", "/orders/42", ["GET /orders/{id}", "42"]],
  ["a literal beats a variable", "GET", "/orders/latest", ["GET /orders/latest"]],
  [
    "a literal without the method leaves the variable",
    "DELETE",
    "/orders/latest",
    ["DELETE /orders/{id}", "latest"],
  ],
  ["two variables", "GET", "/orders/1/items/2", ["GET /orders/{id}/items/{item}", "1", "2"]],
  [
    "the leftmost literal decides",
    "GET",
    "/orders/latest/items/3",
    ["GET /orders/{id}/items/{item}", "latest", "3"],
  ],
  [
    "a dead end goes back to the variable",
    "GET",
    "/orders/latest/items",
    ["GET /{kind}/latest/items", "orders"],
  ],
  ["the rest takes several segments", "GET", "/files/a/b/c", ["GET /files/{path=**}", "a/b/c"]],
  ["the rest keeps a trailing slash", "GET", "/files/a/", ["GET /files/{path=**}", "a/"]],
  ["the rest may be nothing behind its slash", "GET", "/files/", ["GET /files/{path=**}", ""]],
  ["HEAD follows GET", "HEAD", "/orders/42", ["GET /orders/{id}", "42"]],
  ["HEAD declared on a better template", "HEAD", "/files/known", ["HEAD /files/known"]],
  ["an RPC is two literals", "POST", "/shop.Orders/Cancel", ["shop.Orders/Cancel"]],
  ["an RPC by Connect's GET", "GET", "/shop.Orders/Cancel", ["shop.Orders/Cancel"]],
  [
    "another RPC of the service is the variables'",
    "POST",
    "/shop.Orders/Get",
    ["POST /{service}/{method}", "shop.Orders", "Get"],
  ],
])("%s: %s %s", (_why, method, path, want) => {
  expect(find(table, method, path)).toEqual(want);
});

test.each([
  ["an unmapped path", "GET", "/nothing"],
  ["the slash before the rest is missing", "GET", "/files"],
  ["an unmapped method", "PATCH", "/orders"],
  ["PATH-090: the method in lower case", "get", "/orders"],
  ["PATH-092: TRACE", "TRACE", "/orders"],
  ["a variable with a trailing slash", "GET", "/orders/42/"],
  ["PATH-030: another case", "GET", "/ORDERS"],
  ["an RPC with another method", "PUT", "/shop.Orders/Cancel"],
  ["PATH-080.1: an RPC with a trailing slash", "POST", "/shop.Orders/Cancel/"],
  ["a segment named like a member of every object", "GET", "/__proto__"],
])("no route: %s: %s %s", (_why, method, path) => {
  expect(find(table, method, path)).toBeNull();
});

test.each([
  [
    "ignored trailing slash in the template",
    ["GET /a/"],
    { trailingSlash: "ignore" },
    "/a",
    ["GET /a/"],
  ],
  [
    "the rest without its slash",
    ["GET /a/{p=**}"],
    { trailingSlash: "ignore" },
    "/a",
    ["GET /a/{p=**}", ""],
  ],
  [
    "case folded in the template",
    ["GET /Orders/{Id}"],
    { caseInsensitive: true },
    "/orders/x",
    ["GET /Orders/{Id}", "x"],
  ],
  [
    "an encoded slash as data",
    ["GET /a%2Fb"],
    { encodedSlash: "literal" },
    "/a%2Fb",
    ["GET /a%2Fb"],
  ],
  ["a semicolon as data", ["GET /a;b"], { parameters: "literal" }, "/a;b", ["GET /a;b"]],
  ["a rest at the root", ["GET /{p=**}"], {}, "/", ["GET /{p=**}", ""]],
] as const)("options reach the templates: %s", (_why, routes, request, path, want) => {
  expect(find(routes, "GET", path, request)).toEqual(want);
});

test.each([
  ["no slash at the front", "GET orders", "expected a template that begins with `/`, got `orders`"],
  ["an empty segment", "GET /a//b", "expected no empty segment, got `` in `/a//b`"],
  ["a dot segment", "GET /a/../b", "expected no dot segment, got `..` in `/a/../b`"],
  ["a star", "GET /a/*", "expected no `*` or `?`, got `*` in `/a/*`"],
  ["a question mark", "GET /a?b", "expected no `*` or `?`, got `a?b` in `/a?b`"],
  [
    "a part of a segment",
    "GET /a/{id}.json",
    "expected a whole segment as `{name}` or `{name=**}`, got `{id}.json` in `/a/{id}.json`",
  ],
  [
    "an open brace",
    "GET /a/{id",
    "expected a whole segment as `{name}` or `{name=**}`, got `{id` in `/a/{id`",
  ],
  [
    "a bad name",
    "GET /{a-b}",
    "expected a whole segment as `{name}` or `{name=**}`, got `{a-b}` in `/{a-b}`",
  ],
  ["encoded text", "GET /a%20b", "expected the decoded text of a segment, got `a%20b` in `/a%20b`"],
  [
    "a semicolon that no path can hold",
    "GET /a;b",
    "expected no `;` unless `parameters` is `literal`, got `a;b` in `/a;b`",
  ],
  [
    "a backslash",
    "GET /a\\b",
    "expected no control character or backslash, got `a\\\\b` in `/a\\\\b`",
  ],
  ["a variable twice", "GET /{a}/{a}", "the variable `a` stands twice"],
  [
    "a rest in the middle",
    "GET /{a=**}/b",
    "expected `{a=**}` at the end of the template, got `/{a=**}/b`",
  ],
  [
    "a rest with a slash behind it",
    "GET /{a=**}/",
    "expected `{a=**}` at the end of the template, got `/{a=**}/`",
  ],
  ["too many segments", `GET ${"/a".repeat(129)}`, "expected at most 128 segments, got 129"],
  ["a method that is no token", "GE(T /a", "expected a method such as `GET`, got `GE(T`"],
  ["a method that looks like a pattern", "* /a", "expected a method such as `GET`, got `*`"],
  ["CONNECT, which has no path", "CONNECT /a", "expected a method such as `GET`, got `CONNECT`"],
  [
    "an RPC that is none",
    "shop.Orders/Can-cel",
    "expected an RPC as `package.Service/Method`, got `shop.Orders/Can-cel`",
  ],
  [
    "an RPC without a service",
    "/Cancel",
    "expected an RPC as `package.Service/Method`, got `/Cancel`",
  ],
])("a route is refused for %s", (_why, match, message) => {
  const problems = routeProblems([routeOf("GET /fine"), routeOf(match)], defaultRequestOptions);
  expect(problems).toEqual([{ index: 1, other: null, message }]);
});

test.each([
  [
    "an unknown variable",
    "order/{orderId}",
    "expected a variable of the route's template, got `orderId`",
  ],
  ["a rest written as in the path", "file/{id=**}", "expected no `*` or `?`, got `file/{id=**}`"],
  ["an open brace", "order/{id", "expected a variable of the route's template, got `id`"],
  ["a lone closing brace", "order/id}", "expected no lone brace, got `order/id}`"],
  ["a star", "order/*", "expected no `*` or `?`, got `order/*`"],
  ["a question mark", "order/?", "expected no `*` or `?`, got `order/?`"],
  [
    "a policy variable",
    "order/\u0024{id}",
    "expected a variable as `{name}` without `$`, got `order/\u0024{id}`",
  ],
  ["nothing", "", "expected a resource such as `order/{orderId}`, got nothing"],
  ["a line break", "a\nb", "expected no control character, got `a\\nb`"],
])("a resource is refused for %s", (_why, resource, message) => {
  const problems = routeProblems([routeOf("GET /{id}", { resource })], defaultRequestOptions);
  expect(problems).toEqual([{ index: 0, other: null, message }]);
});

test.each([
  ["the same template", "GET /a/{x}", "GET /a/{y}", {}, "GET /a/{x}"],
  ["a rest and a rest", "GET /{x=**}", "GET /{y=**}", {}, "GET /{x=**}"],
  ["an RPC twice", "a.B/C", "a.B/C", {}, "a.B/C"],
  ["an RPC and its path", "a.B/C", "POST /a.B/C", {}, "a.B/C"],
  ["an RPC and a GET of its path", "GET /a.B/C", "a.B/C", {}, "GET /a.B/C"],
  ["a slash that does not count", "GET /a", "GET /a/", { trailingSlash: "ignore" }, "GET /a"],
  ["case that does not count", "GET /a", "GET /A", { caseInsensitive: true }, "GET /a"],
] as const)("two routes are equal: %s", (_why, first, second, request, other) => {
  const problems = routeProblems([routeOf(first), routeOf(second)], {
    ...defaultRequestOptions,
    ...request,
  });
  const message = `expected a route of its own, got one equal to \`${other}\``;
  expect(problems).toEqual([{ index: 1, other: 0, message }]);
});

test.each([
  ["methods", "GET /a", "HEAD /a"],
  ["a trailing slash", "GET /a", "GET /a/"],
  ["a variable and a rest", "GET /{a}", "GET /{a=**}"],
  ["the case of a method", "GET /a", "get /a"],
])("two routes are told apart by %s", (_why, first, second) => {
  expect(routeProblems([routeOf(first), routeOf(second)], defaultRequestOptions)).toEqual([]);
});

test("a map is not made of routes that have a problem", () => {
  const service = serviceOf({ routes: [routeOf("GET /a"), routeOf("GET /a")] });
  expect(() => createRouteMap(service, "aws", "")).toThrow(MeshIamError);
  expect(() => createRouteMap(service, "aws", "")).toThrow("service `orders`, route 1:");
});

test("a resource is its template with the values put in, as data", () => {
  const resource = "{shop}/order/{id}:v1/{id}";
  const service = serviceOf({ routes: [routeOf("GET /{shop}/orders/{id}", { resource })] });
  const map = createRouteMap(service, "aws", "eu-west-1");
  const match = matchRoute(map, "GET", {
    segments: ["a:b", "orders", "\u0024{aws:username}*"],
    trailingSlash: false,
  });
  if (match === null) throw new Error("no match");
  expect(match.mapped.action).toBe("orders:Act");
  expect(resourceArn(map, match, "aws", "eu-west-1")).toEqual({
    partition: "aws",
    service: "orders",
    region: "eu-west-1",
    account: "111122223333",
    resource: "a:b/order/\u0024{aws:username}*:v1/\u0024{aws:username}*",
  });
});

test("a fixed resource is made once, and anew for another region", () => {
  const map = createRouteMap(serviceOf({ routes: [routeOf("GET /a")] }), "aws", "r1");
  const match = matchRoute(map, "GET", pathOf("/a"));
  if (match === null) throw new Error("no match");
  expect(resourceArn(map, match, "aws", "r1")).toBe(resourceArn(map, match, "aws", "r1"));
  expect(resourceArn(map, match, "aws", "r2")).toMatchObject({ region: "r2", resource: "thing" });
  expect(resourceArn(map, match, "p2", "r1")).toMatchObject({ partition: "p2", region: "r1" });
});

test("a route's tags come over the service's in any spelling of their keys", () => {
  const routes = [routeOf("GET /a", { tags: { RISK: "high" } }), routeOf("GET /b")];
  const map = createRouteMap(
    serviceOf({ tags: { risk: "low", data: "internal" }, routes }),
    "aws",
    "",
  );
  expect([...(map.routes[0]?.resourceTags ?? [])]).toEqual([
    ["data", "internal"],
    ["RISK", "high"],
  ]);
  expect([...(map.routes[1]?.resourceTags ?? [])]).toEqual([
    ["risk", "low"],
    ["data", "internal"],
  ]);
});

// The twin: every route tried by itself, the matches ordered by the rule as it is written.
function naive(routes: readonly string[], method: string, path: string): string | null {
  const { segments, trailingSlash } = pathOf(path);
  const matches: { match: string; rank: string; own: boolean }[] = [];
  for (const match of routes) {
    const [declared = "", template = ""] = match.split(" ");
    if (declared !== method && !(method === "HEAD" && declared === "GET")) continue;
    const parts = template.split("/").filter((part) => part !== "");
    const rest = parts.at(-1)?.endsWith("=**}") ? parts.pop() : undefined;
    const fixed = parts.every(
      (part, i) => segments[i] !== undefined && (part.startsWith("{") || part === segments[i]),
    );
    const slash = template.endsWith("/") && parts.length > 0;
    const ends = parts.length === segments.length && slash === trailingSlash;
    const left = segments.length > parts.length || trailingSlash || parts.length === 0;
    if (!fixed || !(rest === undefined ? ends : left)) continue;
    const rank =
      parts.map((part) => (part.startsWith("{") ? "1" : "0")).join("") + (rest ? "2" : "");
    matches.push({ match, rank, own: declared === method });
  }
  matches.sort((a, b) =>
    a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : Number(b.own) - Number(a.own),
  );
  return matches[0]?.match ?? null;
}

test("the trie finds what trying every route finds", () => {
  const part = fc.constantFrom("a", "b", "{x}");
  const template = fc
    .tuple(fc.array(part, { maxLength: 4 }), fc.constantFrom("", "", "/", "/{r=**}"))
    .map(([parts, end]) => `/${parts.map((p, i) => p.replace("x", `x${i}`)).join("/")}${end}`)
    .map((text) => (text === "//" ? "/" : text.replace("//{", "/{")));
  const route = fc
    .tuple(fc.constantFrom("GET", "HEAD", "PUT"), template)
    .map((both) => both.join(" "));
  const path = fc
    .tuple(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 }), fc.boolean())
    .map(([parts, slash]) => `/${parts.join("/")}${slash && parts.length > 0 ? "/" : ""}`);
  let found = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(route, { maxLength: 12, selector: (text) => text }),
      fc.constantFrom("GET", "HEAD", "PUT"),
      fc.array(path, { minLength: 1, maxLength: 8 }),
      (routes, method, paths) => {
        for (const text of paths) {
          const got = find(routes, method, text)?.[0] ?? null;
          expect(got).toBe(naive(routes, method, text));
          if (got !== null) found++;
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(found).toBeGreaterThan(500);
});

test("a lookup takes as many steps among 20,000 routes as among 20", () => {
  const steps = [20, 20_000].map((count) => {
    const routes = Array.from({ length: count }, (_, i) => `GET /v1/kind${i}/{id}/items/{item}`);
    const map = mapOf(routes);
    return ["/v1/kind7/1/items/2", "/v1/kind7/1/items", "/v1/none/1/items/2", "/x"].map((path) => {
      const counted = { steps: 0 };
      matchRoute(map, "GET", pathOf(path), counted);
      return counted.steps;
    });
  });
  expect(steps[1]).toEqual(steps[0]);
  expect(Math.max(...(steps[0] ?? []))).toBeLessThanOrEqual(6);
});

test("templates that alternate in too many segments are refused, and what is left stays bounded", () => {
  // Every combination of a literal and a variable in ten segments: a search that fails at the end
  // would try them all.
  const all = Array.from({ length: 1 << 10 }, (_, bits) => {
    const parts = Array.from({ length: 10 }, (_unused, i) => ((bits >> i) & 1 ? "a" : `{v${i}}`));
    return routeOf(`GET /${parts.join("/")}/end`);
  });
  const problems = routeProblems(all, defaultRequestOptions);
  expect(problems).toMatchObject([{ other: null, message: /told apart in 1024 steps/ }]);
  const fit = all.slice(0, problems[0]?.index);
  expect(routeProblems(fit, defaultRequestOptions)).toEqual([]);
  const map = createRouteMap(serviceOf({ routes: fit }), "aws", "");
  const counted = { steps: 0 };
  expect(matchRoute(map, "GET", pathOf("/a".repeat(10)), counted)).toBeNull();
  expect(counted.steps).toBeLessThanOrEqual(maxLookupSteps);
  expect(counted.steps).toBeGreaterThan(100);
});
