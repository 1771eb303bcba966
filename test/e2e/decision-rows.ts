import type { Reason } from "../../src/iam/reason.ts";
import { partner, shop } from "../fakes/documents.ts";
import type { Tokens } from "./shop.ts";

/*
 * Requests to the shop's services, what their callers hear and why: the tables that every shape of the
 * filter and every transport must agree on.
 */

export type Caller = keyof Tokens | null;
export type Headers = readonly (readonly [string, string])[];

export interface Row {
  readonly why: string;
  readonly caller: Caller;
  readonly target: string;
  readonly status: number;
  readonly reason: Reason;
  readonly host?: string;
  readonly headers?: Headers;
  /** The ARN that the application reads; null: it is told of no caller. */
  readonly principal?: string | null;
}

export const userArn = (name: string) => `arn:aws:iam::${shop}:user/${name}`;
export const courier = `arn:aws:sts::${shop}:assumed-role/courier/kim@shop.example`;
const auditor = `arn:aws:sts::${partner}:assumed-role/auditor/lee@partner.example`;
export const reports = "reports.example.com";
const open = "open.example.com";
const origin = ["origin", "https://shop.example"] as const;
const asks = (method: string) => ["access-control-request-method", method] as const;

function row(
  why: string,
  caller: Caller,
  target: string,
  status: number,
  reason: Reason,
  more: Partial<Row> = {},
): Row {
  return { why, caller, target, status, reason, ...more };
}

export const policies: readonly Row[] = [
  row("a user's own policy", "ana", "GET /v1/orders", 200, "identity-policy", {
    principal: userArn("ana"),
  }),
  row("nothing allows it", "ana", "POST /v1/orders", 403, "implicit-deny"),
  row("ABAC, her own team", "ana", "GET /v1/teams/blue", 200, "identity-policy", {
    principal: userArn("ana"),
  }),
  row("ABAC, another team", "ana", "GET /v1/teams/red", 403, "implicit-deny"),
  row("the service denies a resource", "ana", "GET /v1/orders/secret", 403, "explicit-deny"),
  row("within the boundary", "bob", "GET /v1/orders/42", 200, "identity-policy", {
    principal: userArn("bob"),
  }),
  row("beyond the boundary", "bob", "POST /v1/orders", 403, "permissions-boundary"),
  row("an SCP denies", "carol", "DELETE /v1/orders", 403, "scp"),
  row("an RCP denies", "carol", "PUT /v1/orders", 403, "rcp"),
  row("a role session", "courier", "POST /v1/orders/42/deliver", 200, "identity-policy", {
    principal: courier,
  }),
  row("a role of another account", "auditor", "GET /v1/orders/42", 200, "identity-policy", {
    principal: auditor,
  }),
  row("the same, not shared with it", "auditor", "GET /v1/orders", 403, "implicit-deny"),
  row("a user without the workload", "carol", "POST /v1/orders/42/refund", 403, "explicit-deny"),
  row("an unmapped route", "carol", "GET /v1/admin", 403, "route-not-found"),
  row("PATH-092: an unmapped method", "carol", "PURGE /v1/orders", 403, "route-not-found"),
  row("HEAD follows GET", "ana", "HEAD /v1/orders", 200, "identity-policy"),
  row("a Host of no service", "ana", "GET /v1/orders", 403, "route-not-found", {
    host: "evil.example.com",
  }),
];

export const credentials: readonly Row[] = [
  row("anonymous, nothing allows it", null, "GET /v1/orders", 401, "unauthenticated"),
  row("anonymous, explicit Deny", null, "GET /v1/vault", 403, "explicit-deny"),
  row("anonymous, Allow for everybody", null, "GET /v1/catalogue", 200, "resource-policy", {
    principal: null,
  }),
  row("an expired token", "expired", "GET /v1/orders", 401, "token-expired"),
  row("a token for somebody else", "wrongAudience", "GET /v1/orders", 401, "token-audience"),
  row("a token of an unknown key", "unknownKey", "GET /v1/orders", 401, "token-key"),
  row("a token with a forged claim", "tampered", "GET /v1/orders", 401, "token-signature"),
  row("nobody we know", "dave", "GET /v1/orders", 401, "principal-not-mapped"),
  row("a bad token where anybody may", "expired", "GET /v1/catalogue", 401, "token-expired"),
  row("two Authorization headers", "ana", "GET /v1/orders", 401, "credentials-ambiguous", {
    headers: [["authorization", "Bearer another"]],
  }),
  row(
    "a second token in the query",
    "ana",
    "GET /v1/orders?access_token=x",
    401,
    "credentials-ambiguous",
  ),
  row("a token in the query alone", null, "GET /v1/orders?access_token=x", 401, "unauthenticated"),
  row("another scheme", null, "GET /v1/orders", 401, "token-kind", {
    headers: [["authorization", "Basic YTpi"]],
  }),
];

export const exemptions: readonly Row[] = [
  row("a kubelet's probe", null, "GET /healthz", 200, "authentication-not-required", {
    principal: null,
  }),
  row("a scrape with a bad token", "expired", "GET /metrics", 200, "authentication-not-required", {
    principal: null,
  }),
  row("authType NONE, but a Deny", "ana", "GET /debug", 403, "explicit-deny"),
  row("a service of authType NONE", null, "GET /open", 200, "authentication-not-required", {
    host: open,
    principal: null,
  }),
  row("the same with a good token", "ana", "GET /open", 200, "authentication-not-required", {
    host: open,
    principal: null,
  }),
  row("the same with a bad token", "tampered", "GET /open", 200, "authentication-not-required", {
    host: open,
    principal: null,
  }),
  row("the same with a Deny", null, "GET /closed", 403, "explicit-deny", { host: open }),
  row("a valid preflight", null, "OPTIONS /v1/orders", 200, "authentication-not-required", {
    headers: [origin, asks("DELETE")],
    principal: null,
  }),
  row("a preflight, a Deny for all", null, "OPTIONS /v1/vault", 403, "explicit-deny", {
    headers: [origin, asks("GET")],
  }),
  row("OPTIONS that asks for no method", null, "OPTIONS /v1/orders", 403, "route-not-found", {
    headers: [origin],
  }),
  row("OPTIONS that asks for two methods", null, "OPTIONS /v1/orders", 403, "route-not-found", {
    headers: [origin, asks("GET"), asks("DELETE")],
  }),
  row("a preflight of an unmapped path", null, "OPTIONS /v1/admin", 403, "route-not-found", {
    headers: [origin, asks("GET")],
  }),
  row("a preflight where CORS is off", null, "OPTIONS /reports/q3", 200, "shadow-mode", {
    host: reports,
    headers: [origin, asks("GET")],
  }),
];

export const requestHeaders: readonly Row[] = [
  row("a header that a policy reads", "ana", "GET /v1/channel", 200, "identity-policy", {
    headers: [["x-channel", "web"]],
    principal: userArn("ana"),
  }),
  row("another value of it", "ana", "GET /v1/channel", 403, "implicit-deny", {
    headers: [["x-channel", "shop"]],
  }),
  row("PATH-120.1: it comes twice", "ana", "GET /v1/channel", 400, "ambiguous-header", {
    headers: [
      ["x-channel", "web"],
      ["x-channel", "web"],
    ],
  }),
  row("PATH-120.2: twice where nothing reads it", "ana", "GET /v1/orders", 200, "identity-policy", {
    headers: [
      ["x-channel", "web"],
      ["x-channel", "shop"],
    ],
    principal: userArn("ana"),
  }),
  row("PATH-121.1: its name in capitals", "ana", "GET /v1/channel", 200, "identity-policy", {
    headers: [["X-CHANNEL", "web"]],
    principal: userArn("ana"),
  }),
  row("PATH-123: bytes that are no UTF-8", "ana", "GET /v1/channel", 403, "implicit-deny", {
    headers: [["x-channel", Buffer.from("776562ff", "hex").toString("latin1")]],
  }),
  row("PATH-091: a method override is not read", "ana", "GET /v1/orders", 200, "identity-policy", {
    headers: [["x-http-method-override", "DELETE"]],
    principal: userArn("ana"),
  }),
  row("PATH-104: X-Forwarded-Host", "ana", "GET /v1/orders", 403, "route-not-found", {
    host: "evil.example.com",
    headers: [["x-forwarded-host", "orders.example.com"]],
  }),
  row("PATH-105.1: X-Original-URL", "ana", "GET /v1/orders/secret", 403, "explicit-deny", {
    headers: [["x-original-url", "/v1/orders"]],
  }),
  row("PATH-105.2: X-Rewrite-URL", "ana", "GET /v1/orders/secret", 403, "explicit-deny", {
    headers: [["x-rewrite-url", "/v1/orders"]],
  }),
  row("PATH-106: x-envoy-original-path", "ana", "GET /v1/orders/secret", 403, "explicit-deny", {
    headers: [["x-envoy-original-path", "/v1/orders"]],
  }),
];

export interface ShadowRow extends Row {
  readonly decided: readonly [decision: string, reason: Reason];
}

export const shadow: readonly ShadowRow[] = [
  {
    ...row("would be 400", "ana", "GET /reports/a;b", 200, "shadow-mode"),
    decided: ["implicitDeny", "ambiguous-path"],
  },
  {
    ...row("would be 401", null, "GET /reports/q3", 200, "shadow-mode"),
    decided: ["implicitDeny", "implicit-deny"],
  },
  {
    ...row("would be 401 for a bad token", "expired", "GET /reports/q3", 200, "shadow-mode"),
    decided: ["implicitDeny", "token-expired"],
  },
  {
    ...row("would be 403", "ana", "GET /reports/q3", 200, "shadow-mode"),
    principal: userArn("ana"),
    decided: ["implicitDeny", "implicit-deny"],
  },
  {
    ...row("would be 403 by a Deny", "courier", "GET /reports/secret", 200, "shadow-mode"),
    principal: courier,
    decided: ["explicitDeny", "explicit-deny"],
  },
  {
    ...row("an unmapped route", "ana", "GET /nowhere", 200, "shadow-mode"),
    decided: ["implicitDeny", "route-not-found"],
  },
  {
    ...row("would be allowed", "courier", "GET /reports/q3", 200, "identity-policy"),
    principal: courier,
    decided: ["allowed", "identity-policy"],
  },
];
