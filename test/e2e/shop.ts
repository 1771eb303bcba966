import { createTokenIssuer } from "../../src/processes/cli/quickstart/tokens.ts";
import {
  allow,
  audience,
  type Document,
  deny,
  document,
  issuer,
  organization,
  partner,
  policy,
  role,
  route,
  service,
  shop,
  user,
  workload,
} from "../fakes/documents.ts";

/*
 * A small organization with every layer of policy in it, and the tokens of its callers: what the suites
 * about decisions run on.
 */

/** Tokens of callers, good and bad. */
export interface Tokens {
  readonly ana: string;
  readonly bob: string;
  readonly carol: string;
  /** A user that no document has. */
  readonly dave: string;
  readonly courier: string;
  readonly auditor: string;
  /** A role session whose declared name holds line breaks. */
  readonly crlf: string;
  readonly expired: string;
  readonly wrongAudience: string;
  readonly unknownKey: string;
  readonly tampered: string;
}

/** Returns the callers' tokens and the key set that verifies the good ones. */
export function issueTokens(nowMs: number): { readonly tokens: Tokens; readonly jwks: string } {
  const now = () => nowMs;
  const login = createTokenIssuer(issuer, audience, "key-1", now);
  const stranger = createTokenIssuer(issuer, audience, "key-of-another", now);
  const person = (name: string) => ({ sub: `user-${name}`, preferred_username: name });
  const session = (name: string, email: string) => ({ sub: `job-${name}`, role: name, email });
  const ana = login.issue(person("ana"));
  const seconds = Math.floor(nowMs / 1000);
  const tokens: Tokens = {
    ana,
    bob: login.issue(person("bob")),
    carol: login.issue(person("carol")),
    dave: login.issue(person("dave")),
    courier: login.issue(session("courier", "kim@shop.example")),
    auditor: login.issue({ ...session("auditor", "lee@partner.example"), partner: "yes" }),
    crlf: login.issue(session("courier", "kim\r\nx-admin: 1\0\u00e9")),
    expired: login.issue({ ...person("ana"), iat: seconds - 7200, exp: seconds - 3600 }),
    wrongAudience: login.issue({ ...person("ana"), aud: "another-application" }),
    unknownKey: stranger.issue(person("ana")),
    tampered: forged(ana, "carol"),
  };
  return { tokens, jwks: login.jwks };
}

/** Returns the token with another subject and the old signature. */
function forged(token: string, name: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as object;
  const text = JSON.stringify({ ...claims, preferred_username: name });
  return `${header}.${Buffer.from(text).toString("base64url")}.${signature}`;
}

/** Returns the whole organization: who is who, and three services told apart by their hosts. */
export function shopDocuments(jwks: string): readonly Document[] {
  return [...organization(jwks), ...guardrails, ...callers, orders, reports, open];
}

const wide = (kind: string, name: string, action: string, more = {}) =>
  document(
    kind,
    name,
    { targetIds: ["/prod"], content: policy(deny(action, { Sid: "Guard", ...more })) },
    null,
  );

const guardrails = [
  wide("ServiceControlPolicy", "no-purge", "orders:PurgeOrders"),
  wide("ResourceControlPolicy", "no-export", "orders:ExportOrders", { Principal: "*" }),
];

const everything = allow("orders:*");

const callers = [
  document("ManagedPolicy", "reading", {
    policyDocument: policy(allow(["orders:List*", "orders:Get*"])),
  }),
  user(
    "ana",
    [
      allow(["orders:ListOrders", "orders:GetOrder"]),
      allow("orders:GetTeam", {
        Resource: `arn:aws:orders:eu-west-1:${shop}:team/\${aws:PrincipalTag/team}`,
      }),
      allow("orders:GetChannel", { Condition: { StringEquals: { "orders:Channel": "web" } } }),
    ],
    { tags: { team: "blue" } },
  ),
  user("bob", [everything], { permissionsBoundary: "reading" }),
  user("carol", [
    everything,
    deny("orders:RefundOrder", {
      Condition: { StringNotEquals: { "mesh:SourceServiceAccount": "checkout" } },
    }),
  ]),
  role("courier", [allow(["orders:GetOrder", "orders:DeliverOrder", "reports:GetReport"])]),
  role("auditor", [allow(["orders:Get*", "orders:List*"])], partner),
  workload("checkout", [allow(["orders:CreateOrder", "orders:GetOrder"])]),
];

const orders = service(
  "orders",
  [
    route("GET /v1/orders", "ListOrders", "orders"),
    route("POST /v1/orders", "CreateOrder", "orders"),
    route("DELETE /v1/orders", "PurgeOrders", "orders"),
    route("PUT /v1/orders", "ExportOrders", "orders"),
    route("GET /v1/orders/{orderId}", "GetOrder", "order/{orderId}"),
    route("POST /v1/orders/{orderId}/deliver", "DeliverOrder", "order/{orderId}"),
    route("POST /v1/orders/{orderId}/refund", "RefundOrder", "order/{orderId}"),
    route("GET /v1/teams/{team}", "GetTeam", "team/{team}"),
    route("GET /v1/channel", "GetChannel", "channel"),
    route("GET /v1/catalogue", "GetCatalogue", "catalogue"),
    route("GET /v1/vault", "GetVault", "vault"),
    route("shop.orders.v1.Orders/Get", "GetOrder", "orders"),
    route("shop.orders.v1.Orders/Cancel", "CancelOrder", "orders"),
    route("shop.orders.v1.Orders/Catalogue", "GetCatalogue", "catalogue"),
    route("GET /healthz", "Probe", "probe", { authType: "NONE" }),
    route("GET /metrics", "Scrape", "metrics", { authType: "NONE" }),
    route("GET /debug", "Debug", "debug", { authType: "NONE" }),
  ],
  {
    cors: true,
    contextKeys: { "orders:Channel": { header: "x-channel" } },
    hideHeaders: ["x-amz-hint"],
    resourcePolicy: policy(
      allow("orders:GetCatalogue", { Principal: "*" }),
      deny(["orders:GetVault", "orders:Debug"], { Principal: "*" }),
      deny("*", { Principal: "*", Resource: `arn:aws:orders:*:${shop}:order/secret` }),
      allow("orders:GetOrder", { Principal: { AWS: `arn:aws:iam::${partner}:role/auditor` } }),
    ),
  },
);

const reports = service("reports", [route("GET /reports/{name}", "GetReport", "report/{name}")], {
  mode: "shadow",
  resourcePolicy: policy(
    deny("*", { Principal: "*", Resource: `arn:aws:reports:*:${shop}:report/secret` }),
  ),
});

const open = service(
  "open",
  [route("GET /open", "Look", "open"), route("GET /closed", "Close", "closed")],
  { authType: "NONE", resourcePolicy: policy(deny("open:Close", { Principal: "*" })) },
);
