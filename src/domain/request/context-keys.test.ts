import { expect, test } from "vitest";
import { routeOf, serviceOf } from "../../../test/fakes/service-of.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import {
  attributesOf,
  attributesOfConnection,
  type WrittenConnection,
  type WrittenRequest,
} from "./attributes-of.ts";
import {
  evaluationTimeMs,
  headersReadBy,
  mayBeFaulty,
  type RequestKeySettings,
  requestKey,
} from "./context-keys.ts";
import { isDenied } from "./denied.ts";
import { otherSpellings } from "./header-keys.ts";
import { resolve } from "./resolve.ts";
import { createRouteMap } from "./route-map.ts";
import type { ContextKeyDefinition } from "./service-definition.ts";

type Service = Parameters<typeof serviceOf>[0];
type Written = WrittenRequest & WrittenConnection;

const settings: RequestKeySettings = { trustedHops: 0, region: "", tlsTerminating: false };
const nowMs = Date.UTC(2026, 10, 24, 12, 0, 0, 250);
const routes = [
  routeOf("GET /{rest=**}"),
  routeOf("POST /{rest=**}"),
  routeOf("PUT /items/{id}", { tags: { risk: "high" } }),
  routeOf("pkg.Svc/Method"),
];

function keysOf(written: Written, service: Service = {}, given: Partial<RequestKeySettings> = {}) {
  const attributes = attributesOf(written);
  const entry = { routes: createRouteMap(serviceOf({ routes, ...service }), "aws", "") };
  const request = resolve(entry, attributes);
  if (isDenied(request)) throw new Error(JSON.stringify(request));
  return (key: string) => requestKey(key, attributes, request, { ...settings, ...given }, nowMs);
}

const one = (text: string): ContextValue => ({ multivalued: false, values: [text] });
const many = (...values: string[]): ContextValue => ({ multivalued: true, values });

test("T-KEY-01: path and query of one target", () => {
  const key = keysOf({ path: "/a/b?x=1&x=2&X=3&y" });
  expect(key("mesh:requestpath")).toEqual(one("/a/b"));
  expect(key("mesh:requestquerystring/x")).toEqual(many("1", "2", "3"));
  expect(key("mesh:requestquerystring/y")).toEqual(many(""));
  expect(key("mesh:requestquerystring/z")).toBeUndefined();
});

test("T-KEY-03: the host without case, dot and port", () => {
  expect(keysOf({ host: "App.:8080" })("mesh:requesthost")).toEqual(one("app"));
  expect(keysOf({ host: "" })("mesh:requesthost")).toBeUndefined();
});

const header = "mesh:requestheader/x-stage";

test.each<[string, Written, ContextValue | KeyFault | undefined]>([
  ["sent once, joined", { headers: { "x-stage": "prod" } }, one("prod")],
  ["sent once, raw", { headers: { "x-stage": "prod" }, encoding: "header_map" }, one("prod")],
  ["not sent", {}, undefined],
  ["sent empty", { headers: { "x-stage": "" } }, undefined],
  [
    "PATH-120: sent twice, joined",
    { headers: { "x-stage": ["prod", "prod"] } },
    "ambiguous-header",
  ],
  [
    "PATH-120: sent twice, raw",
    { headers: { "x-stage": ["prod", "prod"] }, encoding: "header_map" },
    "ambiguous-header",
  ],
  ["a comma in the joined value", { headers: { "x-stage": "prod,dev" } }, "ambiguous-header"],
  [
    "a comma in the only raw value",
    { headers: { "x-stage": "prod,dev" }, encoding: "header_map" },
    one("prod,dev"),
  ],
  ["PATH-121: in another case", { headers: { "X-STAGE": "prod" } }, one("prod")],
  [
    "PATH-121: twice in two cases",
    { headers: { "X-Stage": "a", "x-stage": "b" }, encoding: "header_map" },
    "ambiguous-header",
  ],
  [
    "PATH-121: beside its underscore twin",
    { headers: { "x-stage": "prod", x_stage: "dev" } },
    "ambiguous-header",
  ],
  ["PATH-121: as its underscore twin alone", { headers: { x_stage: "dev" } }, "ambiguous-header"],
  ["PATH-122: with a NUL", { headers: { "x-stage": "pr\0od" } }, "ambiguous-header"],
  ["with a line break", { headers: { "x-stage": "prod\r\nx: y" } }, "ambiguous-header"],
  ["PATH-123: with a replaced byte", { headers: { "x-stage": "pr!d" } }, one("pr!d")],
])("T-KEY-04: a header %s", (_why, written, want) => {
  expect(keysOf(written)(header)).toEqual(want);
});

test("a comma-bearing header is its comma-joined text in both encodings", () => {
  const service = { request: { commaHeaders: ["x-stage"] } };
  for (const encoding of ["headers", "header_map"] as const) {
    const written = { headers: { "x-stage": ["a", "b"] }, encoding };
    expect(keysOf(written, service)(header)).toEqual(one("a,b"));
  }
});

test.each([
  "authorization",
  "cookie",
  "proxy-authorization",
  "proxy_authorization",
  "x-amz-security-token",
  "x-mesh-iam-principal",
  "x_mesh_iam_principal",
  ":path",
  "",
])("T-KEY-13: the header `%s` is never exposed", (name) => {
  const key = keysOf({ headers: { [name]: "secret" } });
  expect(key(`mesh:requestheader/${name}`)).toBeUndefined();
});

test("T-KEY-05: a request in both encodings has the same keys", () => {
  const written: Written = {
    path: "/a?q=1",
    headers: { "x-stage": "prod", "user-agent": "curl/8", "content-length": "12" },
  };
  const joined = keysOf({ ...written, encoding: "headers" });
  const raw = keysOf({ ...written, encoding: "header_map" });
  const names = [
    header,
    "aws:useragent",
    "mesh:requestsize",
    "mesh:requestpath",
    "mesh:requestquerystring/q",
  ];
  for (const name of names) {
    expect(joined(name)).toEqual(raw(name));
    expect(joined(name)).toBeDefined();
  }
});

test.each<[string, Written, number, string | undefined]>([
  [
    "T-KEY-06: the peer, whatever the client forwards",
    { sourceAddress: "10.0.0.7", headers: { "x-forwarded-for": "1.1.1.1" } },
    0,
    "10.0.0.7",
  ],
  ["an IPv6 peer", { sourceAddress: "2001:db8::1" }, 0, "2001:db8::1"],
  ["a pipe", { sourceAddress: null }, 0, undefined],
  ["a peer that is no IP address", { sourceAddress: "@envoy" }, 0, undefined],
  ["one hop", { headers: { "x-forwarded-for": "6.6.6.6, 1.1.1.1" } }, 1, "1.1.1.1"],
  ["two hops", { headers: { "x-forwarded-for": "6.6.6.6,2.2.2.2 , 1.1.1.1" } }, 2, "2.2.2.2"],
  [
    "two hops in two headers",
    { headers: { "x-forwarded-for": ["2.2.2.2", "1.1.1.1"] }, encoding: "header_map" },
    2,
    "2.2.2.2",
  ],
  [
    "too few hops, and the peer is a proxy",
    { headers: { "x-forwarded-for": "1.1.1.1" } },
    2,
    undefined,
  ],
  ["no forwarding header", {}, 1, undefined],
  ["an empty entry", { headers: { "x-forwarded-for": "1.1.1.1," } }, 1, undefined],
  ["an entry with a port", { headers: { "x-forwarded-for": "1.1.1.1:80" } }, 1, undefined],
  ["an entry that is a word", { headers: { "x-forwarded-for": "unknown" } }, 1, undefined],
])("aws:SourceIp: %s", (_why, written, trustedHops, want) => {
  const value = keysOf(written, {}, { trustedHops })("aws:sourceip");
  expect(value).toEqual(want === undefined ? undefined : one(want));
});

test.each<[string, Written, string]>([
  ["T-KEY-09: scheme https over plaintext", { scheme: "https" }, "false"],
  [
    "T-KEY-10: scheme http under mTLS",
    { scheme: "http", sourcePrincipal: "spiffe://td/a" },
    "true",
  ],
  ["a peer certificate without a name", { hasPeerCertificate: true }, "true"],
  ["T-KEY-22: a server name alone", { serverName: "orders.example.com" }, "false"],
  ["a listener that ends TLS", { contextExtensions: { "mesh-iam-tls": "true" } }, "true"],
  [
    "a listener that says something else",
    { contextExtensions: { "mesh-iam-tls": "yes" } },
    "false",
  ],
])("aws:SecureTransport: %s", (_why, written, want) => {
  expect(keysOf(written)("aws:securetransport")).toEqual(one(want));
});

test("aws:SecureTransport is true of every request behind a listener that takes TLS only", () => {
  expect(keysOf({}, {}, { tlsTerminating: true })("aws:securetransport")).toEqual(one("true"));
});

test("aws:RequestedRegion is the listener's, else the configured one, else absent", () => {
  const extension = { contextExtensions: { "mesh-iam-region": "us-east-1" } };
  expect(keysOf(extension, {}, { region: "eu-west-1" })("aws:requestedregion")).toEqual(
    one("us-east-1"),
  );
  expect(keysOf({}, {}, { region: "eu-west-1" })("aws:requestedregion")).toEqual(one("eu-west-1"));
  expect(keysOf({})("aws:requestedregion")).toBeUndefined();
});

test("aws:SourceVpce is the endpoint that the listener names", () => {
  const key = keysOf({ contextExtensions: { "mesh-iam-endpoint": "gw-1" } });
  expect(key("aws:sourcevpce")).toEqual(one("gw-1"));
});

test("time keys are of the evaluation time, to the millisecond", () => {
  const key = keysOf({});
  expect(key("aws:currenttime")).toEqual(one("2026-11-24T12:00:00.250Z"));
  expect(key("aws:epochtime")).toEqual(one(`${Math.floor(nowMs / 1000)}.250`));
});

test.each([
  ["absent", undefined, 0],
  ["the same", 0, 0],
  ["300 s early", -300_000, -300_000],
  ["300 s late", 300_000, 300_000],
  ["T-KEY-17: 10 minutes early", -600_000, 0],
  ["T-KEY-17: 10 minutes late", 600_000, 0],
  ["just too late", 300_001, 0],
])("the evaluation time with a request time that is %s", (_why, offset, want) => {
  const written = offset === undefined ? {} : { requestTimeMs: nowMs + offset };
  expect(evaluationTimeMs(attributesOf(written), nowMs)).toBe(nowMs + want);
});

test("what the request says of itself", () => {
  const key = keysOf({
    method: "POST",
    path: "/caf%C3%A9",
    scheme: "https",
    protocol: "HTTP/2",
    headers: { "user-agent": "curl/8", referer: "https://a.example/" },
    serverName: "Orders.EXAMPLE.com",
    destinationPort: 8080,
    destinationPrincipal: "spiffe://td/ns/shop/sa/orders",
  });
  expect(key("mesh:requestmethod")).toEqual(one("POST"));
  expect(key("mesh:requestpath")).toEqual(one("/caf\u00e9"));
  expect(key("mesh:requestscheme")).toEqual(one("https"));
  expect(key("mesh:requestprotocol")).toEqual(one("HTTP/2"));
  expect(key("aws:useragent")).toEqual(one("curl/8"));
  expect(key("aws:referer")).toEqual(one("https://a.example/"));
  expect(key("mesh:servername")).toEqual(one("orders.example.com"));
  expect(key("mesh:destinationport")).toEqual(one("8080"));
  expect(key("mesh:destinationspiffeid")).toEqual(one("spiffe://td/ns/shop/sa/orders"));
  expect(key("mesh:destinationservicearn")).toEqual(
    one("arn:aws:mesh-iam::111122223333:service/orders"),
  );
  expect(key("mesh:grpcservice")).toBeUndefined();
});

test.each([
  "orders.example.com",
  "SPIFFE://td/a",
  "spiffe://TD/a",
  "spiffe://td",
  "spiffe://td/",
  "spiffe://td/a/",
  "spiffe://td//a",
  "spiffe://td/../a",
  "spiffe://td/.",
  "spiffe://td/a\0b",
  "spiffe://td:80/a",
  "spiffe://td/a%2fb",
  "spiffe://td/a?b",
  `spiffe://td/${"a".repeat(2048)}`,
])("mesh:DestinationSpiffeId: `%s` is none", (destinationPrincipal) => {
  expect(keysOf({ destinationPrincipal })("mesh:destinationspiffeid")).toBeUndefined();
});

test.each<[string, string | string[], ContextValue | KeyFault | undefined]>([
  ["a length", "120", one("120")],
  ["no number", "12a", undefined],
  ["a sign", "+12", undefined],
  ["twenty digits", "1".repeat(20), undefined],
  ["two lengths", ["12", "12"], "ambiguous-header"],
])("mesh:RequestSize: %s", (_why, length, want) => {
  expect(keysOf({ headers: { "content-length": length } })("mesh:requestsize")).toEqual(want);
});

test.each([
  ["as gRPC", "application/grpc", {}],
  ["as plain text", "text/plain", {}],
  ["as plain text where case is ignored", "text/plain", { request: { caseInsensitive: true } }],
])("T-KEY-20: an RPC %s", (_why, type, service) => {
  const key = keysOf(
    { method: "POST", path: "/pkg.Svc/Method", headers: { "content-type": type } },
    service,
  );
  expect(key("mesh:grpcservice")).toEqual(one("pkg.Svc"));
  expect(key("mesh:grpcmethod")).toEqual(one("Method"));
  expect(key("mesh:requestmethod")).toEqual(one("POST"));
});

test("an RPC that only a variable route maps is known by its content type", () => {
  const key = keysOf({
    method: "POST",
    path: "/a.B/C",
    headers: { "content-type": "application/grpc" },
  });
  expect(key("mesh:grpcservice")).toEqual(one("a.B"));
  expect(key("mesh:grpcmethod")).toEqual(one("C"));
});

test("T-KEY-21: query values decoded once, names folded", () => {
  const key = keysOf({ path: "/?a=1+2&Admin=1&admin=2&u=%252e" });
  expect(key("mesh:requestquerystring/a")).toEqual(many("1 2"));
  expect(key("mesh:requestquerystring/admin")).toEqual(many("1", "2"));
  expect(key("mesh:requestquerystring/u")).toEqual(many("%2e"));
  expect(keysOf({ path: "/?__proto__=1" })("mesh:requestquerystring/__proto__")).toEqual(many("1"));
});

test("T-KEY-12: CONNECT has no path and no query", () => {
  const key = keysOf({ method: "CONNECT", host: "DB.internal:5432" });
  expect(key("mesh:requestpath")).toBeUndefined();
  expect(key("mesh:requestquerystring/a")).toBeUndefined();
  expect(key("mesh:requestmethod")).toEqual(one("CONNECT"));
  expect(key("mesh:requesthost")).toEqual(one("db.internal"));
});

test("T-KEY-11: a connection without a request has the keys of its connection alone (KEY-7)", () => {
  const attributes = attributesOfConnection({
    sourceAddress: "10.0.0.7",
    sourcePrincipal: "spiffe://td/a",
    destinationPort: 5432,
    destinationPrincipal: "spiffe://td/b",
    destinationLabels: { app: "db" },
    serverName: "DB",
    contextExtensions: { "mesh-iam-region": "r1", "mesh-iam-endpoint": "gw" },
  });
  const contextKeys: ContextKeyDefinition[] = [
    keyDefinition({ source: { type: "header", name: "x-a" } }),
    keyDefinition({ key: "orders:Q", source: { type: "query", name: "q" } }),
    keyDefinition({ key: "orders:P", source: { type: "path", variable: "p" } }),
  ];
  const routeMap = createRouteMap(
    serviceOf({ tags: { data: "internal" }, contextKeys }),
    "aws",
    "",
  );
  const request = resolve({ routes: routeMap }, attributes);
  if (isDenied(request)) throw new Error();
  const key = (name: string) =>
    requestKey(name, attributes, request, { ...settings, trustedHops: 1 }, nowMs);
  const absent = [
    ...[
      "aws:securetransport",
      "aws:useragent",
      "aws:referer",
      "mesh:requestmethod",
      "mesh:requestpath",
    ],
    ...[
      "mesh:requesthost",
      "mesh:requestscheme",
      "mesh:requestprotocol",
      "mesh:requestsize",
      header,
    ],
    ...["mesh:requestquerystring/a", "mesh:grpcservice", "mesh:grpcmethod"],
    ...["orders:channel", "orders:q", "orders:p"],
  ];
  expect(absent.filter((name) => key(name) !== undefined)).toEqual([]);
  expect(key("aws:sourceip")).toEqual(one("10.0.0.7"));
  expect(key("aws:requestedregion")).toEqual(one("r1"));
  expect(key("aws:sourcevpce")).toEqual(one("gw"));
  expect(key("aws:currenttime")).toBeDefined();
  expect(key("mesh:destinationport")).toEqual(one("5432"));
  expect(key("mesh:destinationspiffeid")).toEqual(one("spiffe://td/b"));
  expect(key("mesh:servername")).toEqual(one("db"));
  expect(key("aws:resourcetag/data")).toEqual(one("internal"));
  expect(key("aws:resourcetag/app")).toEqual(one("db"));
});

test("aws:ResourceTag: the route's, then the service's, then the destination's labels", () => {
  const written: Written = {
    method: "PUT",
    path: "/items/1",
    destinationLabels: { Risk: "label", app: "orders", Zone: "a", zone: "b", none: "" },
  };
  const key = keysOf(written, { tags: { Risk: "low", Data: "internal" } });
  expect(key("aws:resourcetag/risk")).toEqual(one("high"));
  expect(key("aws:resourcetag/data")).toEqual(one("internal"));
  expect(key("aws:resourcetag/app")).toEqual(one("orders"));
  expect(key("aws:resourcetag/zone")).toBe("evaluation-error");
  expect(key("aws:resourcetag/none")).toBeUndefined();
  expect(key("aws:resourcetag/other")).toBeUndefined();
});

test("keys that a request does not fill are absent", () => {
  const key = keysOf({});
  for (const name of ["aws:principalarn", "mesh:jwtclaim/sub", "orders:unknown", "__proto__", ""]) {
    expect(key(name)).toBeUndefined();
  }
});

function keyDefinition(written: Partial<ContextKeyDefinition>): ContextKeyDefinition {
  return {
    key: "orders:Channel",
    source: { type: "header", name: "X-Channel" },
    valueType: "string",
    multivalued: false,
    ...written,
  };
}

const query = { type: "query", name: "Ch" } as const;
const path = { type: "path", variable: "id" } as const;

test.each<[string, Partial<ContextKeyDefinition>, Written, ContextValue | KeyFault | undefined]>([
  ["a header", {}, { headers: { "x-channel": "web" } }, one("web")],
  ["an absent header", {}, {}, undefined],
  ["a repeated header", {}, { headers: { "x-channel": ["a", "b"] } }, "ambiguous-header"],
  [
    "a header of many values that is not listed as such",
    { multivalued: true },
    { headers: { "x-channel": "a,b" } },
    "ambiguous-header",
  ],
  [
    "a credential header is never exposed",
    { source: { type: "header", name: "Authorization" } },
    { headers: { authorization: "x" } },
    undefined,
  ],
  ["a query value in any case of its name", { source: query }, { path: "/?CH=web" }, one("web")],
  ["an absent query value", { source: query }, { path: "/?x=1" }, undefined],
  ["two query values for one", { source: query }, { path: "/?ch=a&ch=b" }, "ambiguous-header"],
  [
    "two query values for many",
    { source: query, multivalued: true },
    { path: "/?ch=a&Ch=b" },
    many("a", "b"),
  ],
  ["a path variable", { source: path }, { method: "PUT", path: "/items/42" }, one("42")],
  ["a variable that the route lacks", { source: path }, { path: "/items/42" }, undefined],
  ["an empty rest", { source: { type: "path", variable: "rest" } }, { path: "/" }, undefined],
  ["a number", { source: query, valueType: "number" }, { path: "/?ch=1.5" }, one("1.5")],
  ["no number", { source: query, valueType: "number" }, { path: "/?ch=1e3" }, undefined],
  ["a truth value", { source: query, valueType: "bool" }, { path: "/?ch=TRUE" }, one("TRUE")],
  ["no truth value", { source: query, valueType: "bool" }, { path: "/?ch=1" }, undefined],
  ["a date", { source: query, valueType: "date" }, { path: "/?ch=2026-11-24" }, one("2026-11-24")],
  ["no date", { source: query, valueType: "date" }, { path: "/?ch=2026-02-30" }, undefined],
  ["an address", { source: query, valueType: "ip" }, { path: "/?ch=::1" }, one("::1")],
  ["no address", { source: query, valueType: "ip" }, { path: "/?ch=1.2.3" }, undefined],
  [
    "an ARN",
    { source: query, valueType: "arn" },
    { path: "/?ch=arn:aws:s3:::b" },
    one("arn:aws:s3:::b"),
  ],
  ["no ARN", { source: query, valueType: "arn" }, { path: "/?ch=arn:aws" }, undefined],
  [
    "a bad value among many does not hide the good one",
    { source: query, valueType: "number", multivalued: true },
    { path: "/?ch=x&ch=2" },
    many("x", "2"),
  ],
])("FILE-26: %s", (_why, written, request, want) => {
  const key = keysOf(request, { contextKeys: [keyDefinition(written)] });
  expect(key("orders:channel")).toEqual(want);
});

test("FILE-26: a comma-bearing header of many values is their list in both encodings", () => {
  const service = {
    contextKeys: [keyDefinition({ multivalued: true })],
    request: { commaHeaders: ["x-channel"] },
  };
  for (const encoding of ["headers", "header_map"] as const) {
    const key = keysOf({ headers: { "x-channel": ["a, b", "c,"] }, encoding }, service);
    expect(key("orders:channel")).toEqual(many("a", "b", "c"));
  }
});

test("a key of ours is not a service's to define anew", () => {
  const contextKeys = [
    keyDefinition({ key: "aws:SourceIp" }),
    keyDefinition({ key: "mesh:RequestHeader/x-a" }),
  ];
  const key = keysOf({ headers: { "x-channel": "6.6.6.6", "x-a": "own" } }, { contextKeys });
  expect(key("aws:sourceip")).toEqual(one("127.0.0.1"));
  expect(key("mesh:requestheader/x-a")).toEqual(one("own"));
});

test("which headers keys can read, with the spellings that make them ambiguous", () => {
  const service = serviceOf({
    contextKeys: [keyDefinition({}), keyDefinition({ key: "orders:Q", source: query })],
  });
  const keys = [
    "aws:useragent",
    "orders:channel",
    "orders:q",
    "mesh:requestheader/cookie",
    "aws:sourceip",
  ];
  expect(headersReadBy(keys, service)).toEqual([
    "user-agent",
    "user_agent",
    "x-channel",
    "x_channel",
    "x-forwarded-for",
  ]);
});

test("which keys can be faulty", () => {
  const service = serviceOf({
    contextKeys: [
      keyDefinition({}),
      keyDefinition({ key: "orders:Q", source: query }),
      keyDefinition({ key: "orders:QQ", source: query, multivalued: true }),
      keyDefinition({ key: "orders:P", source: path }),
    ],
  });
  const keys = [
    ...["aws:useragent", "aws:referer", "mesh:requestsize", header, "aws:resourcetag/a"],
    ...["orders:channel", "orders:q", "orders:qq", "orders:p"],
    ...[
      "aws:sourceip",
      "mesh:requestpath",
      "mesh:requestquerystring/a",
      "mesh:requestheader/cookie",
    ],
  ];
  expect(keys.filter((key) => mayBeFaulty(key, service))).toEqual([
    ...["aws:useragent", "aws:referer", "mesh:requestsize", header, "aws:resourcetag/a"],
    ...["orders:channel", "orders:q"],
  ]);
});

test.each([
  ["x", []],
  ["x-a", ["x_a"]],
  ["x_a", ["x-a"]],
  ["x-a-b", ["x_a-b", "x-a_b", "x_a_b"]],
  ["a-b-c-d-e", ["a_b_c_d_e"]],
  ["a_b-c-d-e", ["a-b-c-d-e", "a_b_c_d_e"]],
])("other spellings of `%s`", (name, want) => {
  expect(otherSpellings(name)).toEqual(want);
});
