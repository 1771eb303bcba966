import type { CertificatePair } from "../../../adapters/keys/certificate-authority.ts";
import { outcomeOf, type Reason } from "../../../iam/reason.ts";
import type { SampleRequest } from "./client.ts";

/** Credentials ready to be sent; the same that the printed curl lines use. */
export interface SampleCredentials {
  readonly tokens: Readonly<Record<TokenName, string>>;
  readonly certificates: Readonly<Record<CertificateName, CertificatePair>>;
}

export const tokenNames = [
  "ana",
  "bob",
  "carol",
  "dave",
  "courier",
  "auditor",
  "expired",
  "wrong-audience",
  "unknown-key",
  "tampered",
] as const;
export type TokenName = (typeof tokenNames)[number];

export const certificateNames = ["checkout", "warehouse"] as const;
export type CertificateName = (typeof certificateNames)[number];

/** One request and all that is expected of it. */
export interface Row {
  /** Who asks, in a few words; unique. */
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly token: TokenName | null;
  readonly certificate: CertificateName | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly grpc: boolean;
  /** The HTTP status, of a gRPC row the `grpc-status`. */
  readonly status: number;
  readonly reason: Reason;
  /**
   * What the application sees in `x-mesh-iam-principal`: null where that is nothing, because the
   * caller is nobody or because the request never gets there.
   */
  readonly principal: string | null;
}

/** True when the request is to reach the application. */
export function isAllowed({ reason }: Row): boolean {
  return outcomeOf(reason) === "allow";
}

const orders = "orders.example.com";
const shop = "arn:aws:iam::111122223333";

function row(
  caller: string,
  target: string,
  status: number,
  reason: Reason,
  more: Partial<Omit<Row, "caller" | "status" | "reason">> = {},
): Row {
  const [method = "", path = ""] = target.split(" ");
  const defaults = {
    host: orders,
    token: null,
    certificate: null,
    headers: {},
    grpc: false,
    principal: null,
  };
  return { ...defaults, caller, method, path, status, reason, ...more };
}

/** The table: each row shows one thing the authorizer does. */
export const rows: readonly Row[] = [
  row("user", "GET /v1/orders", 200, "identity-policy", {
    token: "ana",
    principal: `${shop}:user/ana`,
  }),
  row("user, nothing allows it", "POST /v1/orders", 403, "implicit-deny", { token: "ana" }),
  row("user, own team (ABAC)", "GET /v1/teams/blue/report", 200, "identity-policy", {
    token: "ana",
    principal: `${shop}:user/ana`,
  }),
  row("user, other team (ABAC)", "GET /v1/teams/red/report", 403, "implicit-deny", {
    token: "ana",
  }),
  row("user, resource policy Deny", "GET /v1/orders/secret", 403, "explicit-deny", {
    token: "ana",
  }),
  row("user within boundary", "GET /v1/orders/42", 200, "identity-policy", {
    token: "bob",
    principal: `${shop}:user/bob`,
  }),
  row("user beyond boundary", "POST /v1/orders", 403, "permissions-boundary", { token: "bob" }),
  row("operator, SCP denies", "DELETE /v1/orders", 403, "scp", { token: "carol" }),
  row("role", "POST /v1/orders/42/deliver", 200, "identity-policy", {
    token: "courier",
    principal: "arn:aws:sts::111122223333:assumed-role/courier/kim@shop.example",
  }),
  row("role of another account", "GET /v1/orders/42", 200, "identity-policy", {
    token: "auditor",
    principal: "arn:aws:sts::444455556666:assumed-role/auditor/lee@partner.example",
  }),
  row("same, not shared with it", "GET /v1/orders", 403, "implicit-deny", { token: "auditor" }),
  row("workload", "POST /v1/orders", 200, "identity-policy", {
    certificate: "checkout",
    principal: `${shop}:workload/shop.example/ns/shop/sa/checkout`,
  }),
  row("workload without policies", "GET /v1/orders", 403, "implicit-deny", {
    certificate: "warehouse",
  }),
  row("user and workload", "POST /v1/orders/42/refund", 200, "identity-policy", {
    token: "carol",
    certificate: "checkout",
    principal: `${shop}:user/carol`,
  }),
  row("the user alone", "POST /v1/orders/42/refund", 403, "explicit-deny", { token: "carol" }),
  row("anonymous", "GET /v1/orders", 401, "unauthenticated"),
  row("expired token", "GET /v1/orders", 401, "token-expired", { token: "expired" }),
  row("token for somebody else", "GET /v1/orders", 401, "token-audience", {
    token: "wrong-audience",
  }),
  row("token of an unknown key", "GET /v1/orders", 401, "token-key", { token: "unknown-key" }),
  row("token with a forged claim", "GET /v1/orders", 401, "token-signature", { token: "tampered" }),
  row("nobody we know", "GET /v1/orders", 401, "principal-not-mapped", { token: "dave" }),
  row("bad token, good certificate", "POST /v1/orders", 401, "token-expired", {
    token: "expired",
    certificate: "checkout",
  }),
  row("user, no such route", "GET /v1/admin/keys", 403, "route-not-found", { token: "carol" }),
  row("user, forged identity", "GET /v1/orders", 200, "identity-policy", {
    token: "ana",
    headers: { "x-mesh-iam-principal": `${shop}:root` },
    principal: `${shop}:user/ana`,
  }),
  row("user, dot segment", "GET /v1/orders/../admin", 400, "ambiguous-path", { token: "carol" }),
  row("user, foreign Host", "GET /v1/orders", 403, "route-not-found", {
    token: "ana",
    host: "evil.example.com",
  }),
  row("user over gRPC", "POST /shop.orders.v1.Orders/Get", 0, "identity-policy", {
    token: "ana",
    principal: `${shop}:user/ana`,
    grpc: true,
  }),
  row("user over gRPC, denied", "POST /shop.orders.v1.Orders/Cancel", 7, "implicit-deny", {
    token: "ana",
    grpc: true,
  }),
  row("user, shadow mode", "GET /reports/q3", 200, "shadow-mode", {
    token: "ana",
    principal: `${shop}:user/ana`,
    host: "reports.example.com",
  }),
  row("kubelet's probe", "GET /healthz", 200, "authentication-not-required"),
  row("browser's preflight", "OPTIONS /v1/orders", 200, "authentication-not-required", {
    headers: { origin: "https://shop.example", "access-control-request-method": "GET" },
  }),
];

/** Returns the request that `row` sends. */
export function requestOf(row: Row, credentials: SampleCredentials): SampleRequest {
  const bearer =
    row.token === null ? {} : { authorization: `Bearer ${credentials.tokens[row.token]}` };
  return {
    method: row.method,
    path: row.path,
    host: row.host,
    headers: { ...bearer, ...row.headers },
    certificate: row.certificate === null ? null : credentials.certificates[row.certificate],
    grpc: row.grpc,
  };
}
