import type { WrittenRequest } from "../../../../src/domain/request/attributes-of.ts";
import type { RequestOptions } from "../../../../src/domain/request/options.ts";

/*
 * The table of envoy-ext-authz 4.7, row by row: how a request target is read, or why it is refused. The
 * same rows are asked of the canonicaliser alone and behind a real Envoy.
 */

export type Options = Partial<RequestOptions>;

/** Returns the refusal with `detail`. */
export const reject = (detail: string) => ({
  type: "denied",
  reason: detail === "bad-host" ? "ambiguous-host" : "ambiguous-path",
  detail,
});

/** Number, target, options, the path's text and its segments. */
export const accepted: readonly [number, string, Options, string, number][] = [
  [1, "/", {}, "/", 0],
  [2, "/orders", {}, "/orders", 1],
  [3, "/orders/", {}, "/orders/", 1],
  [4, "/orders/", { trailingSlash: "ignore" }, "/orders", 1],
  [5, "/orders/42/items", {}, "/orders/42/items", 3],
  [6, "/Orders", {}, "/Orders", 1],
  [7, "/Orders", { caseInsensitive: true }, "/orders", 1],
  [8, "/v1/orders:batchGet", {}, "/v1/orders:batchGet", 2],
  [9, "/a!b$c&d'e(f)g*h+i,j=k@l~m", {}, "/a!b$c&d'e(f)g*h+i,j=k@l~m", 1],
  [10, "/report.v1.0.pdf", {}, "/report.v1.0.pdf", 1],
  [11, "/...", {}, "/...", 1],
  [12, "/admin.", {}, "/admin.", 1],
  [13, "/my%20file", {}, "/my file", 1],
  [14, "/caf%C3%A9", {}, "/caf\u00e9", 1],
  [15, "/cafe%CC%81", {}, "/cafe\u0301", 1],
  [16, "/a%3Ab", {}, "/a:b", 1],
  [17, "/a%3Fb", {}, "/a?b", 1],
  [18, "/a%23b", {}, "/a#b", 1],
  [19, "/a%2Ab", {}, "/a*b", 1],
  [20, "/%24%7Baws:username%7D", {}, "/\u0024{aws:username}", 1],
  [21, "/a+b", {}, "/a+b", 1],
  [22, "/100%25", {}, "/100%", 1],
  [39, "/a//b", { mergeSlashes: true }, "/a/b", 2],
  [41, "/a//", { mergeSlashes: true }, "/a/", 1],
  [42, "//", { mergeSlashes: true }, "/", 0],
  [44, "/a%2fb", { encodedSlash: "separator" }, "/a/b", 2],
  [45, "/a%2Fb", { encodedSlash: "literal" }, "/a%2Fb", 1],
  [61, "/admin;x=1/y", { parameters: "strip" }, "/admin/y", 2],
  [62, "/admin;x=1/y", { parameters: "literal" }, "/admin;x=1/y", 2],
  [69, "/admin%3Bx", { parameters: "literal" }, "/admin;x", 1],
  [81, "/a|b", { relaxedChars: "|" }, "/a|b", 1],
];

/** Number, target, options, detail of the refusal. */
export const rejected: readonly [number, string, Options, string][] = [
  [23, "/a%ZZ", {}, "bad-percent-encoding"],
  [24, "/a%", {}, "bad-percent-encoding"],
  [25, "/a%u002fb", {}, "bad-percent-encoding"],
  [26, "/a%00b", {}, "encoded-control"],
  [27, "/a%0d%0ab", {}, "encoded-control"],
  [28, "/a%7Fb", {}, "encoded-control"],
  [29, "/a%C2%85b", {}, "encoded-control"],
  [30, "/a%FFb", {}, "invalid-utf8"],
  [31, "/%C0%AFadmin", {}, "invalid-utf8"],
  [32, "/%ED%A0%80", {}, "invalid-utf8"],
  [33, "/a%252Fb", {}, "double-encoding"],
  [34, "/%252e%252e/admin", {}, "double-encoding"],
  [35, "/a%2500", {}, "double-encoding"],
  [36, "/50%25de", {}, "double-encoding"],
  [37, "//admin/x", {}, "empty-segment"],
  [38, "/a//b", {}, "empty-segment"],
  [40, "/a//", {}, "empty-segment"],
  [43, "/a%2Fb", {}, "encoded-slash"],
  [46, "/a%252Fb", { encodedSlash: "literal" }, "double-encoding"],
  [47, "/a%2F%2Fb", { encodedSlash: "separator" }, "empty-segment"],
  [48, "/public%2F..%2Fadmin", { encodedSlash: "separator" }, "dot-segment"],
  [49, "/a\\b", {}, "bad-path-character"],
  [50, "/a%5Cb", { encodedSlash: "separator" }, "encoded-backslash"],
  [51, "/public/../admin", {}, "dot-segment"],
  [52, "/public/./x", {}, "dot-segment"],
  [53, "/..", {}, "dot-segment"],
  [54, "/.", {}, "dot-segment"],
  [55, "/public/%2e%2e/admin", {}, "encoded-dot"],
  [56, "/public/%2E./admin", {}, "encoded-dot"],
  [57, "/file%2Etxt", {}, "encoded-dot"],
  [58, "/public/..%2fadmin", {}, "encoded-slash"],
  [59, "/public/..%5cadmin", {}, "encoded-backslash"],
  [60, "/admin;x=1/y", {}, "path-parameter"],
  [63, "/public/..;/admin", {}, "path-parameter"],
  [64, "/public/..;x/admin", { parameters: "strip" }, "dot-segment"],
  [65, "/public/.;/admin", { parameters: "strip" }, "dot-segment"],
  [66, "/;x/admin", { parameters: "strip", mergeSlashes: true }, "empty-segment"],
  [67, "/admin%3Bx", {}, "encoded-parameter"],
  [68, "/admin%3Bx", { parameters: "strip" }, "encoded-parameter"],
  [70, "", {}, "not-origin-form"],
  [72, "orders", {}, "not-origin-form"],
  [74, "http://h/admin", {}, "not-origin-form"],
  [75, "/admin#f", {}, "bad-character"],
  [76, "/a\tb", {}, "bad-character"],
  [77, "/a\0b", {}, "bad-character"],
  [78, "/a b", {}, "bad-character"],
  [79, "/caf\xc3\xa9", {}, "bad-character"],
  [80, "/a|b", {}, "bad-path-character"],
  [82, "/items[0]", {}, "bad-path-character"],
  [83, '/a"b', {}, "bad-path-character"],
  [84, `/${"a".repeat(4096)}`, {}, "path-too-long"],
  [85, `/a?${"b".repeat(16_382)}`, {}, "target-too-long"],
  [86, "/a".repeat(129), {}, "too-many-segments"],
  [98, "/a?x=%zz", {}, "bad-query-encoding"],
  [99, "/a?x=%00", {}, "encoded-control"],
  [100, "/a?x%0A=1", {}, "encoded-control"],
  [102, "/a?x=%FF", {}, "invalid-utf8"],
  [104, `/a?${"x=1&".repeat(257)}`, {}, "too-many-parameters"],
];

/** Number, target, its query parameters in order. */
export const queries: readonly [number, string, [string, string][]][] = [
  [87, "/a?x=1", [["x", "1"]]],
  [88, "/a?", []],
  [
    89,
    "/a?x=1&x=2",
    [
      ["x", "1"],
      ["x", "2"],
    ],
  ],
  [90, "/a?x", [["x", ""]]],
  [91, "/a?x=1=2", [["x", "1=2"]]],
  [92, "/a?x=a+b%2Bc", [["x", "a b+c"]]],
  [93, "/a?x=1;y=2", [["x", "1;y=2"]]],
  [94, "/a?&&x=1&", [["x", "1"]]],
  [95, "/public?/../admin", [["/../admin", ""]]],
  [96, "/a?u=http://h/%252e", [["u", "http://h/%2e"]]],
  [97, "/a?b=c?d=e", [["b", "c?d=e"]]],
  [101, "/a?x=%0A", [["x", "\n"]]],
  [103, "/a?__proto__=1", [["__proto__", "1"]]],
];

const grpc = { "content-type": "application/grpc" };

/** Number, request, options, what is made of it. */
export const requests: readonly [number, WrittenRequest, Options, object][] = [
  [71, { path: "*", method: "OPTIONS" }, {}, reject("not-origin-form")],
  [73, { path: "pkg.Svc/Method", method: "POST", headers: grpc }, {}, reject("not-origin-form")],
  [
    105,
    { path: "/pkg.Svc/Get", method: "POST", headers: grpc },
    {},
    { type: "grpc", service: "pkg.Svc", rpc: "Get", method: "POST", path: "/pkg.Svc/Get" },
  ],
  [
    106,
    {
      path: "/Greeter/SayHello",
      method: "POST",
      headers: { "content-type": "application/grpc+proto" },
    },
    {},
    { type: "grpc", service: "Greeter", rpc: "SayHello" },
  ],
  [
    107,
    {
      path: "/pkg.Svc/Get",
      method: "POST",
      headers: { "content-type": "application/grpc-web-text" },
    },
    {},
    { type: "grpc", service: "pkg.Svc", rpc: "Get" },
  ],
  [108, { path: "/pkg.Svc/Get", method: "GET", headers: grpc }, {}, reject("bad-grpc-path")],
  [109, { path: "/pkg.Svc/Get/", method: "POST", headers: grpc }, {}, reject("bad-grpc-path")],
  [110, { path: "/pkg.Svc//Get", method: "POST", headers: grpc }, {}, reject("empty-segment")],
  [111, { path: "/pkg.Svc/Get?x=1", method: "POST", headers: grpc }, {}, reject("bad-grpc-path")],
  [112, { path: "/pkg.Svc/G%65t", method: "POST", headers: grpc }, {}, reject("bad-grpc-path")],
  [113, { path: "/api/pkg.Svc/Get", method: "POST", headers: grpc }, {}, reject("bad-grpc-path")],
  [
    114,
    {
      path: "/pkg.Svc/Get",
      method: "POST",
      headers: { "content-type": "application/json,application/grpc" },
    },
    {},
    reject("ambiguous-content-type"),
  ],
  [
    115,
    { path: "/pkg.Svc/Get", method: "POST", headers: { "content-type": "application/json" } },
    { protocol: "grpc" },
    reject("not-grpc"),
  ],
  [
    116,
    { path: "/pkg.Svc/Get", method: "POST", headers: { "content-type": "application/json" } },
    {},
    { type: "http", path: "/pkg.Svc/Get", segments: ["pkg.Svc", "Get"] },
  ],
  [
    117,
    { path: "/a", method: "get" },
    {},
    { type: "http", method: "get", path: "/a", segments: ["a"] },
  ],
  [118, { path: "/a", method: "GE T" }, {}, reject("bad-method")],
  [
    119,
    { method: "CONNECT", host: "db.internal:5432" },
    {},
    { type: "connect", method: "CONNECT", host: "db.internal", port: 5432 },
  ],
  [120, { method: "CONNECT", host: "db.internal" }, {}, reject("bad-host")],
  [
    121,
    { method: "CONNECT", path: "/x", host: "db.internal:5432" },
    {},
    reject("connect-with-path"),
  ],
  [
    122,
    { path: "/a", encoding: "header_map", rawPaths: ["/a", "/a"] },
    {},
    reject("path-mismatch"),
  ],
  [123, { path: "/a", rawPaths: ["/b"] }, {}, reject("path-mismatch")],
  [
    124,
    { path: "/a", encoding: "header_map", rawPaths: [] },
    {},
    { type: "http", path: "/a", segments: ["a"] },
  ],
  [
    125,
    { path: "/a!b", encoding: "header_map", rawPaths: ["/a\xffb"] },
    {},
    reject("bad-character"),
  ],
  [126, { path: "/a!b" }, {}, { type: "http", path: "/a!b", segments: ["a!b"] }],
  [
    127,
    { path: "/a", method: "POST", headers: { "x-http-method-override": "DELETE" } },
    {},
    { type: "http", path: "/a", method: "POST", overrideMethod: null },
  ],
  [
    128,
    { path: "/a", method: "POST", headers: { "x-http-method-override": "DELETE" } },
    { methodOverride: "deny" },
    reject("method-override"),
  ],
  [
    129,
    { path: "/a", method: "POST", headers: { "x-http-method-override": "DELETE" } },
    { methodOverride: "both" },
    { type: "http", path: "/a", method: "POST", overrideMethod: "DELETE" },
  ],
];
