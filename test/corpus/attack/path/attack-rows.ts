import type { WrittenRequest } from "../../../../src/domain/request/attributes-of.ts";

/*
 * The attack corpus on request targets (security-and-reliability 6.1): `/public` is open to everybody,
 * `/admin` is what an attacker wants. A payload is refused, or it is asked for as what it is; never is
 * anything of `/admin` asked for as `Public`.
 */

const grpc = { "content-type": "application/grpc" };
const post = { method: "POST", headers: grpc };

/** Id, request, and what is made of it: reason and detail, or action and resource. */
export const attacks: readonly [string, WrittenRequest, string][] = [
  ["PATH-001", { path: "//admin/x" }, "ambiguous-path empty-segment"],
  ["PATH-002", { path: "/public//../admin/x" }, "ambiguous-path empty-segment"],
  ["PATH-003", { path: "/public/../admin/x" }, "ambiguous-path dot-segment"],
  ["PATH-004", { path: "/public/./../admin" }, "ambiguous-path dot-segment"],
  ["PATH-010", { path: "/public/..%2fadmin" }, "ambiguous-path encoded-slash"],
  ["PATH-011", { path: "/public/%2e%2e/admin" }, "ambiguous-path encoded-dot"],
  ["PATH-012", { path: "/public/%2E%2e/admin" }, "ambiguous-path encoded-dot"],
  ["PATH-013", { path: "/public/..%5cadmin" }, "ambiguous-path encoded-backslash"],
  ["PATH-014", { path: "/public/..\\admin" }, "ambiguous-path bad-path-character"],
  ["PATH-015", { path: "/public/%252e%252e/admin" }, "ambiguous-path double-encoding"],
  ["PATH-020", { path: "/admin;x=1/y" }, "ambiguous-path path-parameter"],
  ["PATH-021.1", { path: "/public;/../admin" }, "ambiguous-path path-parameter"],
  ["PATH-021.2", { path: "/public/..;/admin" }, "ambiguous-path path-parameter"],
  ["PATH-022", { path: "/admin%3b" }, "ambiguous-path encoded-parameter"],
  ["PATH-030", { path: "/ADMIN/x" }, "route-not-found no-route"],
  ["PATH-031.1", { path: "/admin" }, "orders:Admin admin"],
  ["PATH-031.2", { path: "/admin/" }, "orders:Admin admin/"],
  ["PATH-032.1", { path: "/admin%20" }, "route-not-found no-route"],
  ["PATH-032.2", { path: "/admin." }, "route-not-found no-route"],
  ["PATH-033", { path: "/admin%00" }, "ambiguous-path encoded-control"],
  ["PATH-034", { path: "/admin#f" }, "ambiguous-path bad-character"],
  ["PATH-035", { path: "/admin%23" }, "route-not-found no-route"],
  ["PATH-040", { path: "http://h/admin" }, "ambiguous-path not-origin-form"],
  ["PATH-041", { path: "*", method: "OPTIONS" }, "ambiguous-path not-origin-form"],
  ["PATH-042", { method: "CONNECT", host: "db:5432" }, "mesh:Connect db:5432"],
  ["PATH-043", { path: "pkg.Svc/Method", ...post }, "ambiguous-path not-origin-form"],
  ["PATH-044", { path: "" }, "ambiguous-path not-origin-form"],
  ["PATH-050", { path: "/admin?x" }, "orders:Admin admin"],
  ["PATH-051", { path: "/public?/../admin" }, "orders:Public public"],
  ["PATH-052", { path: "/public%3f/../admin" }, "ambiguous-path dot-segment"],
  ["PATH-060", { path: "/public/%C0%AF" }, "ambiguous-path invalid-utf8"],
  ["PATH-061", { path: "/public/%ff" }, "ambiguous-path invalid-utf8"],
  ["PATH-062.1", { path: "/public/%" }, "ambiguous-path bad-percent-encoding"],
  ["PATH-062.2", { path: "/public/%4" }, "ambiguous-path bad-percent-encoding"],
  ["PATH-062.3", { path: "/public/%zz" }, "ambiguous-path bad-percent-encoding"],
  ["PATH-063", { path: "/public/%u002f" }, "ambiguous-path bad-percent-encoding"],
  ["PATH-064.1", { path: "/public/\t" }, "ambiguous-path bad-character"],
  ["PATH-064.2", { path: "/public/\0" }, "ambiguous-path bad-character"],
  ["PATH-070.1", { path: `/${"a".repeat(1 << 16)}` }, "ambiguous-path target-too-long"],
  ["PATH-070.2", { path: "/a".repeat(10_000) }, "ambiguous-path target-too-long"],
  ["PATH-080.1", { path: "/pkg.Svc/Method/", ...post }, "ambiguous-path bad-grpc-path"],
  ["PATH-080.2", { path: "/pkg.Svc//Method", ...post }, "ambiguous-path empty-segment"],
  ["PATH-080.3", { path: "/pkg.Svc/Method?x", ...post }, "ambiguous-path bad-grpc-path"],
  ["PATH-080.4", { path: "/pkg.svc/method", ...post }, "route-not-found no-route"],
  ["PATH-081", { path: "/pkg.Svc/Method", headers: grpc }, "ambiguous-path bad-grpc-path"],
  ["PATH-090.1", { path: "/public", method: "get" }, "route-not-found no-route"],
  ["PATH-090.2", { path: "/public", method: "GET " }, "ambiguous-path bad-method"],
  [
    "PATH-091",
    { path: "/public?_method=PUT", headers: { "X-HTTP-Method-Override": "PUT" } },
    "orders:Public public",
  ],
  ["PATH-092.1", { path: "/public", method: "TRACE" }, "route-not-found no-route"],
  ["PATH-092.2", { path: "/public", method: "PURGE" }, "route-not-found no-route"],
  ["PATH-100", { path: "/admin", host: "[::1]:8080" }, "orders:Admin admin"],
  ["PATH-102", { path: "/public", host: "caf\u00e9" }, "ambiguous-host bad-host"],
  ["PATH-103", { path: "/public", host: "a,b" }, "ambiguous-host bad-host"],
  [
    "PATH-105.1",
    { path: "/admin", headers: { "X-Original-URL": "/public" } },
    "orders:Admin admin",
  ],
  ["PATH-105.2", { path: "/admin", headers: { "X-Rewrite-URL": "/public" } }, "orders:Admin admin"],
  [
    "PATH-106",
    { path: "/admin", headers: { "x-envoy-original-path": "/public" } },
    "orders:Admin admin",
  ],
];
