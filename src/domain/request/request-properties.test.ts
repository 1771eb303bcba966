import fc from "fast-check";
import { expect, test } from "vitest";
import { routeOf, serviceOf } from "../../../test/fakes/service-of.ts";
import { attributesOf, type WrittenConnection, type WrittenRequest } from "./attributes-of.ts";
import { evaluationTimeMs, requestKey } from "./context-keys.ts";
import { type Denied, isDenied } from "./denied.ts";
import { isGrpcRequest } from "./grpc-classification.ts";
import { type ResolvedRequest, resolve } from "./resolve.ts";
import { createRouteMap } from "./route-map.ts";
import { createServiceTable, selectService } from "./service-table.ts";

const definition = serviceOf({
  hosts: ["orders.example.com"],
  cors: true,
  request: { methodOverride: "both" },
  routes: [
    routeOf("GET /orders/{id}", { resource: "order/{id}" }),
    routeOf("DELETE /orders/{id}", { action: "Delete", resource: "order/{id}" }),
    routeOf("GET /files/{path=**}", { action: "File", resource: "file/{path}" }),
    routeOf("GET /probe", { action: "Probe", resource: "probe", authType: "NONE" }),
    routeOf("pkg.Svc/Method", { action: "Call", resource: "rpc" }),
  ],
  contextKeys: [
    {
      key: "orders:Channel",
      source: { type: "header", name: "x-channel" },
      valueType: "number",
      multivalued: true,
    },
  ],
});
const entry = { definition, routes: createRouteMap(definition, "aws", "eu-west-1") };
const second = serviceOf({ ...definition, name: "stock", tags: {}, hosts: ["stock.example.com"] });
const table = createServiceTable([
  entry,
  { definition: second, routes: createRouteMap(second, "aws", "") },
]);

function outcome(request: WrittenRequest & WrittenConnection): ResolvedRequest | Denied {
  const attributes = attributesOf(request);
  const service = selectService(table, attributes);
  return isDenied(service) ? service : resolve(service, attributes);
}

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", ",", "a,b", "\0", "\r\n", "__proto__", "\ud800", "*", "GET", "1"),
);
function mostly<T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: rare, weight: 1 });
}

const anything = fc.record({
  method: mostly(fc.constantFrom("GET", "OPTIONS", "DELETE", "CONNECT", "POST"), hostile),
  path: mostly(
    fc.constantFrom("/orders/1", "/files/a/b/", "/probe", "/pkg.Svc/Method", "/orders/1?a=1&A=2"),
    fc.oneof(
      hostile,
      hostile.map((text) => `/orders/${text}`),
    ),
  ),
  host: mostly(fc.constantFrom("orders.example.com", "STOCK.example.com:1"), hostile),
  scheme: hostile,
  protocol: hostile,
  encoding: fc.constantFrom("headers" as const, "header_map" as const),
  headers: fc.dictionary(
    fc.constantFrom(
      "content-type",
      "origin",
      "access-control-request-method",
      "x-channel",
      "x-forwarded-for",
      "user-agent",
      "content-length",
    ),
    fc.oneof(hostile, fc.array(hostile, { maxLength: 3 })),
  ),
  sourcePrincipal: hostile,
  destinationPrincipal: hostile,
  sourceAddress: fc.option(hostile),
  destinationLabels: fc.dictionary(hostile, hostile, { maxKeys: 3 }),
  serverName: hostile,
  contextExtensions: mostly(
    fc.constant({}),
    fc.dictionary(
      fc.constantFrom(
        "mesh-iam-service",
        "mesh-iam-account",
        "mesh-iam-region",
        "mesh-iam-partition",
        "mesh-iam-tls",
      ),
      mostly(fc.constantFrom("orders"), hostile),
      { maxKeys: 2 },
    ),
  ),
});

const keys = [
  ...[
    "aws:sourceip",
    "aws:securetransport",
    "aws:requestedregion",
    "aws:currenttime",
    "aws:useragent",
  ],
  ...[
    "mesh:requestmethod",
    "mesh:requestpath",
    "mesh:requesthost",
    "mesh:requestsize",
    "mesh:grpcmethod",
  ],
  ...[
    "mesh:requestquerystring/a",
    "mesh:requestheader/x-channel",
    "mesh:requestheader/",
    "orders:channel",
  ],
  ...["mesh:destinationspiffeid", "mesh:servername", "aws:resourcetag/a", "aws:resourcetag/"],
];

test("choosing, resolving and reading keys is total, and every value is one of its kind", () => {
  let resolved = 0;
  fc.assert(
    fc.property(anything, fc.nat(3), (request, trustedHops) => {
      const attributes = attributesOf(request);
      isGrpcRequest(attributes);
      const result = outcome(request);
      if (isDenied(result)) return;
      resolved++;
      const nowMs = evaluationTimeMs(attributes, 1_764_000_000_000);
      const settings = { trustedHops, region: "", tlsTerminating: trustedHops === 1 };
      for (const name of keys) {
        const value = requestKey(name, attributes, result, settings, nowMs);
        if (value === undefined || typeof value === "string") continue;
        expect(value.multivalued || value.values.length === 1).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
  expect(resolved).toBeGreaterThan(100);
});

test("the same single headers in both encodings resolve alike", () => {
  fc.assert(
    fc.property(anything, (request) => {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(request.headers)) {
        if (typeof value === "string" && !value.includes(",")) headers[name] = value;
      }
      const joined = outcome({ ...request, headers, encoding: "headers" });
      const raw = outcome({ ...request, headers, encoding: "header_map" });
      if (isDenied(joined)) expect(raw).toEqual(joined);
      else expect(isDenied(raw) ? raw : raw.resource).toEqual(joined.resource);
    }),
    { numRuns: 500 },
  );
});

test("the content type that a client picks never changes the action of an RPC's path", () => {
  const type = fc.oneof(
    fc.constantFrom(
      "application/grpc",
      "application/grpc-web+proto",
      "application/json",
      "text/plain",
    ),
    hostile,
  );
  let asked = 0;
  fc.assert(
    fc.property(type, fc.constantFrom("POST", "GET", "PUT"), (contentType, method) => {
      const result = outcome({
        method,
        path: "/pkg.Svc/Method",
        host: "orders.example.com",
        headers: { "content-type": contentType },
      });
      if (isDenied(result)) return;
      asked++;
      expect(result.action).toBe("orders:Call");
    }),
  );
  expect(asked).toBeGreaterThan(10);
});

test("no request reaches a service that is not in the table", () => {
  fc.assert(
    fc.property(anything, (request) => {
      const result = selectService(table, attributesOf(request));
      expect(isDenied(result) || table.entries.includes(result)).toBe(true);
      const only = selectService(createServiceTable([entry]), attributesOf(request));
      expect(isDenied(only) ? only.reason : only).toBe(isDenied(only) ? "route-not-found" : entry);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["application/grpc", true],
  ["application/grpc-web", true],
  ["application/grpc+proto", true],
  ["application/json", false],
  ["application/json,application/grpc", false],
])("a denial of a request with content type `%s` has the form of gRPC: %s", (type, want) => {
  expect(isGrpcRequest(attributesOf({ headers: { "content-type": type } }))).toBe(want);
});
