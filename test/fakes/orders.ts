import { createTokenIssuer } from "../../src/processes/cli/quickstart/tokens.ts";
import {
  allow,
  audience,
  type Document,
  deny,
  document,
  issuer,
  organization,
  policy,
  role,
  route,
  service,
  user,
} from "./documents.ts";
import { startMs } from "./pipeline.ts";

/*
 * A small organization with a service in front of which every reason can be had, and its callers.
 */

export const login = createTokenIssuer(issuer, audience, "key-1", () => startMs);
export const stranger = createTokenIssuer(issuer, audience, "key-of-another", () => startMs);
export const seconds = startMs / 1000;
const issued = new Map<string, string>();

/** Returns the token of a person with these further claims: the same text for the same claims. */
export function person(name: string, more: object = {}): string {
  const claims = { sub: name, preferred_username: name, ...more };
  const key = JSON.stringify(claims, (_key, value) => value ?? "absent");
  const token = issued.get(key) ?? login.issue(claims);
  issued.set(key, token);
  return token;
}

export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
export const as = (name: string, more: object = {}) => bearer(person(name, more));

/** Returns the token with other claims or another header and the old signature. */
export function forged(token: string, part: 0 | 1, change: object): string {
  const parts = token.split(".");
  const members = JSON.parse(Buffer.from(parts[part] ?? "", "base64url").toString());
  parts[part] = Buffer.from(JSON.stringify({ ...members, ...change })).toString("base64url");
  return parts.join(".");
}

export const guard = (kind: string, name: string, action: string, more = {}) =>
  document(kind, name, { targetIds: ["/prod"], content: policy(deny(action, more)) }, null);

export const callers: readonly Document[] = [
  document("ManagedPolicy", "reading", { policyDocument: policy(allow("orders:Get*")) }),
  user("ana", [allow("orders:Get*"), allow("orders:Purge*"), allow("orders:Export*")]),
  user("bob", [allow("orders:*")], { permissionsBoundary: "reading" }),
  user("eve", [allow("orders:*")], { state: "disabled" }),
  role("courier", [allow("orders:GetOrder")]),
];

export const orders = service(
  "orders",
  [
    route("GET /orders/{id}", "GetOrder", "order/{id}"),
    route("PUT /orders/{id}", "PutOrder", "order/{id}"),
    route("DELETE /orders", "PurgeOrders", "orders"),
    route("POST /export", "ExportOrders", "orders"),
    route("GET /vault", "GetVault", "vault", { tags: { risk: "high" } }),
    route("GET /catalogue", "GetCatalogue", "catalogue"),
    route("GET /flagged", "GetFlagged", "flagged"),
    route("GET /healthz", "Probe", "probe", { authType: "NONE" }),
    route("shop.Orders/Put", "PutOrder", "orders"),
  ],
  {
    cors: true,
    contextKeys: { "orders:Flag": { header: "x-flag" } },
    resourcePolicy: policy(
      allow("orders:GetCatalogue", { Principal: "*" }),
      deny("orders:GetVault", { Principal: "*" }),
      deny("orders:GetFlagged", {
        Principal: "*",
        Condition: { StringEquals: { "orders:Flag": "stop" } },
      }),
    ),
  },
);

export const documents: readonly Document[] = [
  ...organization(login.jwks),
  ...callers,
  orders,
  guard("ServiceControlPolicy", "no-purge", "orders:PurgeOrders"),
  guard("ResourceControlPolicy", "no-export", "orders:ExportOrders", { Principal: "*" }),
];

export const withService = (other: Document) => [...organization(login.jwks), ...callers, other];
export const one = { path: "/orders/1" };

/** Returns the document with these members of its `spec` changed. */
export function withSpec(given: Document, changes: object): Document {
  return { ...given, spec: { ...(given.spec as object), ...changes } };
}
