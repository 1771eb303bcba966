import { expect, test } from "vitest";
import { routeOf, serviceOf } from "../../../test/fakes/service-of.ts";
import { formatArn } from "../../iam/arn.ts";
import {
  attributesOf,
  attributesOfConnection,
  type WrittenConnection,
  type WrittenRequest,
} from "./attributes-of.ts";
import { isDenied } from "./denied.ts";
import { headersReadByResolve, pathVariable, type ResolvedRequest, resolve } from "./resolve.ts";
import { createRouteMap } from "./route-map.ts";

const routes = [
  routeOf("GET /v1/orders", { action: "ListOrders", resource: "orders" }),
  routeOf("GET /v1/orders/{orderId}", { action: "GetOrder", resource: "order/{orderId}" }),
  routeOf("DELETE /v1/orders/{orderId}", { action: "DeleteOrder", resource: "order/{orderId}" }),
  routeOf("shop.orders.v1.Orders/Cancel", { action: "CancelOrder", resource: "orders" }),
  routeOf("GET /healthz", {
    action: "Probe",
    resource: "probe",
    authType: "NONE",
    tags: { risk: "none" },
  }),
  routeOf("POST /healthz", { action: "SetProbe", resource: "probe" }),
  routeOf("GET /files/{path=**}", { action: "GetFile", resource: "file/{path}" }),
];

type Service = Parameters<typeof serviceOf>[0];

function entryOf(service: Service = {}) {
  return { routes: createRouteMap(serviceOf({ routes, ...service }), "aws", "eu-west-1") };
}

function ask(request: WrittenRequest & WrittenConnection, service: Service = {}) {
  return resolve(entryOf(service), attributesOf(request));
}

function asked(
  request: WrittenRequest & WrittenConnection,
  service: Service = {},
): ResolvedRequest {
  const result = ask(request, service);
  if (isDenied(result)) throw new Error(JSON.stringify(result));
  return result;
}

function summary({ action, resource, implied, grpc }: ResolvedRequest): string {
  return `${action} ${formatArn(resource)} ${implied ?? "-"} ${grpc ? "grpc" : "http"}`;
}

const arn = (resource: string) => `arn:aws:orders:eu-west-1:111122223333:${resource}`;
const grpc = { "content-type": "application/grpc" };

test.each<[string, WrittenRequest, string]>([
  ["a list", { path: "/v1/orders?limit=3" }, `orders:ListOrders ${arn("orders")} - http`],
  ["an item", { path: "/v1/orders/42" }, `orders:GetOrder ${arn("order/42")} - http`],
  [
    "HEAD of an item",
    { method: "HEAD", path: "/v1/orders/42" },
    `orders:GetOrder ${arn("order/42")} - http`,
  ],
  [
    "T-RES-20: pattern characters, a policy variable and colons in a name stay data",
    { path: "/v1/orders/a:*%3F%24%7Baws:username%7D" },
    `orders:GetOrder ${arn("order/a:*?\u0024{aws:username}")} - http`,
  ],
  ["a rest", { path: "/files/a/b%20c/" }, `orders:GetFile ${arn("file/a/b c/")} - http`],
  [
    "an RPC",
    { method: "POST", path: "/shop.orders.v1.Orders/Cancel", headers: grpc },
    `orders:CancelOrder ${arn("orders")} - grpc`,
  ],
  [
    "the same path with another content type",
    {
      method: "POST",
      path: "/shop.orders.v1.Orders/Cancel",
      headers: { "content-type": "application/json" },
    },
    `orders:CancelOrder ${arn("orders")} - http`,
  ],
  ["a probe", { path: "/healthz" }, `orders:Probe ${arn("probe")} auth-type-none http`],
  [
    "PATH-050: a query decides nothing",
    { path: "/healthz?/v1/orders" },
    `orders:Probe ${arn("probe")} auth-type-none http`,
  ],
  [
    "PATH-042: CONNECT is an action of the mesh on host and port",
    { method: "CONNECT", host: "DB.internal.:5432" },
    `mesh:Connect ${arn("db.internal:5432")} - http`,
  ],
])("%s", (_why, request, want) => {
  expect(summary(asked(request))).toBe(want);
});

const noRoute = { type: "denied", reason: "route-not-found", detail: "no-route" };

test.each<[string, WrittenRequest, object]>([
  ["an unmapped path", { path: "/v2/orders" }, noRoute],
  ["an unmapped method", { method: "PATCH", path: "/v1/orders" }, noRoute],
  ["PATH-090: a method in lower case", { method: "get", path: "/v1/orders" }, noRoute],
  ["PATH-092: TRACE", { method: "TRACE", path: "/v1/orders" }, noRoute],
  [
    "PATH-080.4: an RPC in another case",
    { method: "POST", path: "/shop.orders.v1.orders/cancel", headers: grpc },
    noRoute,
  ],
  [
    "a preflight without cors",
    {
      method: "OPTIONS",
      path: "/v1/orders",
      headers: { origin: "o", "access-control-request-method": "GET" },
    },
    noRoute,
  ],
  [
    "PATH-103: two hosts at the only service",
    { host: "a,b", path: "/v1/orders" },
    { reason: "ambiguous-host" },
  ],
  ["CONNECT without a port", { method: "CONNECT", host: "db" }, { reason: "ambiguous-host" }],
])("refused: %s", (_why, request, want) => {
  expect(ask(request)).toMatchObject({ type: "denied", ...want });
});

test("a request without a Host has nothing that could be read differently", () => {
  expect(asked({ host: "", path: "/v1/orders" }).action).toBe("orders:ListOrders");
});

test("partition and region of a request come from the configuration, or the listener's route (ARN-1)", () => {
  const overridden = { "mesh-iam-region": "us-east-1", "mesh-iam-partition": "aws-cn" };
  const empty = { "mesh-iam-region": "", "mesh-iam-partition": "" };
  for (const path of ["/v1/orders", "/v1/orders/1"]) {
    const { resource } = asked({ path, contextExtensions: overridden });
    expect(resource).toMatchObject({ region: "us-east-1", partition: "aws-cn" });
    expect(asked({ path, contextExtensions: empty }).resource).toMatchObject({
      region: "eu-west-1",
      partition: "aws",
    });
  }
  expect(
    asked({ method: "CONNECT", host: "h:1", contextExtensions: overridden }).resource,
  ).toMatchObject({
    region: "us-east-1",
    partition: "aws-cn",
  });
});

test("no context extension gives a service another owner", () => {
  const request = { path: "/v1/orders", contextExtensions: { "mesh-iam-account": "444455556666" } };
  expect(asked(request).resource.account).toBe("111122223333");
});

test("path variables are known by name", () => {
  const request = asked({ path: "/v1/orders/42" });
  expect(pathVariable(request, "orderId")).toBe("42");
  expect(pathVariable(request, "other")).toBeUndefined();
  expect(pathVariable(asked({ method: "CONNECT", host: "h:1" }), "orderId")).toBeUndefined();
});

test("resource tags are the service's with the route's over them", () => {
  const tags = { risk: "high", data: "internal" };
  expect([...asked({ path: "/healthz" }, { tags }).resourceTags]).toEqual([
    ["data", "internal"],
    ["risk", "none"],
  ]);
  expect([...asked({ method: "CONNECT", host: "h:1" }, { tags }).resourceTags]).toEqual([
    ["risk", "high"],
    ["data", "internal"],
  ]);
});

test.each<[string, Service, WrittenRequest, string | null]>([
  ["a service that asks nobody", { authType: "NONE" }, { path: "/v1/orders" }, "auth-type-none"],
  ["a route that asks nobody", {}, { path: "/healthz" }, "auth-type-none"],
  ["another method of its path", {}, { method: "POST", path: "/healthz" }, null],
  [
    "a tunnel through a service that asks nobody",
    { authType: "NONE" },
    { method: "CONNECT", host: "h:1" },
    null,
  ],
])("EXC-10: implied allow: %s", (_why, service, request, want) => {
  expect(asked(request, service).implied).toBe(want);
});

test("a route may ask for authentication where its service does not", () => {
  const own = [routeOf("GET /admin", { authType: "AWS_IAM" })];
  expect(asked({ path: "/admin" }, { authType: "NONE", routes: own }).implied).toBeNull();
});

test("a service that asks nobody still knows its routes", () => {
  expect(ask({ path: "/nothing" }, { authType: "NONE" })).toEqual(noRoute);
});

const preflight = (headers: WrittenRequest["headers"], path = "/v1/orders/42"): WrittenRequest => ({
  method: "OPTIONS",
  path,
  headers: { origin: "https://app.example", "access-control-request-method": "DELETE", ...headers },
});

test("a preflight is judged as the method it asks about, without authentication", () => {
  expect(summary(asked(preflight({}), { cors: true }))).toBe(
    `orders:DeleteOrder ${arn("order/42")} cors-preflight http`,
  );
});

test.each<[string, WrittenRequest, string]>([
  ["of an unmapped path", preflight({}, "/nothing"), "no-route-for-preflight"],
  [
    "of an unmapped method",
    preflight({ "access-control-request-method": "PATCH" }),
    "no-route-for-preflight",
  ],
  [
    "of a method in lower case",
    preflight({ "access-control-request-method": "delete" }),
    "no-route-for-preflight",
  ],
  [
    "without the method",
    { method: "OPTIONS", path: "/v1/orders/42", headers: { origin: "o" } },
    "no-route",
  ],
  [
    "without the origin",
    {
      method: "OPTIONS",
      path: "/v1/orders/42",
      headers: { "access-control-request-method": "GET" },
    },
    "no-route",
  ],
  ["with two origins, joined", preflight({ origin: ["a", "b"] }), "no-route"],
  [
    "with two origins, raw",
    { ...preflight({ origin: ["a", "b"] }), encoding: "header_map" },
    "no-route",
  ],
  [
    "with two methods",
    preflight({ "access-control-request-method": ["GET", "DELETE"] }),
    "no-route",
  ],
  ["with an empty method", preflight({ "access-control-request-method": "" }), "no-route"],
  [
    "with a method that is no token",
    preflight({ "access-control-request-method": "GE T" }),
    "no-route",
  ],
])("no preflight: %s", (_why, request, detail) => {
  expect(ask(request, { cors: true })).toEqual({
    type: "denied",
    reason: "route-not-found",
    detail,
  });
});

test("GET with a preflight's headers is as any request", () => {
  expect(asked({ ...preflight({}), method: "GET" }, { cors: true })).toMatchObject({
    action: "orders:GetOrder",
    implied: null,
  });
});

const both = { cors: true, request: { methodOverride: "both" as const } };

test("an override method is a second request that must be allowed too", () => {
  const request = asked(
    { path: "/v1/orders/42", headers: { "x-http-method-override": "DELETE" } },
    both,
  );
  expect(summary(request)).toBe(`orders:GetOrder ${arn("order/42")} - http`);
  expect(request.second && summary(request.second)).toBe(
    `orders:DeleteOrder ${arn("order/42")} - http`,
  );
  expect(request.second?.canonical?.method).toBe("DELETE");
  expect(request.second?.second).toBeNull();
});

test("an override to an unmapped method is refused", () => {
  const request = { path: "/v1/orders", headers: { "x-http-method-override": "DELETE" } };
  expect(ask(request, both)).toMatchObject({
    reason: "route-not-found",
    detail: "no-route-for-override",
  });
});

test("an override does not carry an exemption to a route that has none, nor lose authentication", () => {
  const request = asked({ path: "/healthz", headers: { "x-http-method-override": "POST" } }, both);
  expect(request.implied).toBeNull();
  expect(request.second).toMatchObject({ action: "orders:SetProbe", implied: null });
});

test("a preflight that the upstream may take for another method is none", () => {
  const withOptions = [...routes, routeOf("OPTIONS /v1/orders/{id}", { action: "Options" })];
  const request = asked(preflight({ "x-http-method-override": "DELETE" }), {
    ...both,
    routes: withOptions,
  });
  expect(request).toMatchObject({ action: "orders:Options", implied: null });
  expect(request.second).toMatchObject({ action: "orders:DeleteOrder", implied: null });
});

test("a connection without a request asks to connect to the service's own port", () => {
  const connection = attributesOfConnection({ destinationPort: 5432, serverName: "db" });
  const request = resolve(entryOf(), connection);
  expect(request).toMatchObject({
    action: "mesh:Connect",
    route: null,
    canonical: null,
    implied: null,
  });
  if (isDenied(request)) throw new Error();
  expect(formatArn(request.resource)).toBe(arn("orders:5432"));
  expect(resolve(entryOf({ authType: "NONE" }), connection)).toMatchObject({
    implied: "auth-type-none",
  });
});

test("the headers that resolving reads depend on the service's options", () => {
  expect(headersReadByResolve(serviceOf({}))).toEqual(["content-type"]);
  const all = headersReadByResolve(serviceOf(both));
  expect(all).toContain("x-http-method");
  expect(all).toContain("access-control-request-method");
});
