import { expect } from "vitest";
import type { Row } from "./row.ts";
import { mint, type Request } from "./world.ts";

const ambiguous = "credentials-ambiguous";
const bearer = (): string => `Bearer ${mint("generic")}`;

const requests: readonly (readonly [string, string, () => Request, Row["expect"]])[] = [
  ["JWT-220.1", "two headers", () => ({ authorization: [bearer(), bearer()] }), ambiguous],
  [
    "JWT-220.2",
    "two headers, joined by the proxy",
    () => ({ authorization: [bearer(), bearer()], raw: false }),
    ambiguous,
  ],
  [
    "JWT-220.3",
    "a second header of another scheme, joined",
    () => ({ authorization: ["Basic YTpi", bearer()], raw: false }),
    ambiguous,
  ],
  [
    "JWT-220.4",
    "an empty second header, joined",
    () => ({ authorization: [bearer(), ""], raw: false }),
    ambiguous,
  ],
  ["JWT-221.1", "Bearer Bearer", () => ({ authorization: [`Bearer ${bearer()}`] }), ambiguous],
  [
    "JWT-221.2",
    "Bearer bearer",
    () => ({ authorization: [`Bearer bearer ${mint("generic")}`] }),
    ambiguous,
  ],
  [
    "JWT-221.3",
    "two tokens, comma-joined in one header",
    () => ({ authorization: [`${bearer()}, ${bearer()}`] }),
    ambiguous,
  ],
  ["JWT-221.4", "a comma behind the token", () => ({ authorization: [`${bearer()},`] }), ambiguous],
  ["JWT-222.1", "bearer", () => ({ authorization: [`bearer ${mint("generic")}`] }), "accept"],
  ["JWT-222.2", "BEARER", () => ({ authorization: [`BEARER ${mint("generic")}`] }), "accept"],
  [
    "JWT-222.3",
    "bearer, headers joined",
    () => ({ authorization: [`bearer ${mint("generic")}`], raw: false }),
    "accept",
  ],
  [
    "JWT-223.1",
    "a tab behind the scheme",
    () => ({ authorization: [`Bearer\t${mint("generic")}`] }),
    "token-malformed",
  ],
  [
    "JWT-223.2",
    "two spaces behind the scheme",
    () => ({ authorization: [`Bearer  ${mint("generic")}`] }),
    "token-malformed",
  ],
  [
    "JWT-223.3",
    "a space and a tab",
    () => ({ authorization: [`Bearer \t${mint("generic")}`] }),
    "token-malformed",
  ],
  ["JWT-223.4", "the scheme alone", () => ({ authorization: ["Bearer"] }), "token-malformed"],
  ["JWT-223.5", "an empty token", () => ({ authorization: ["Bearer "] }), "token-malformed"],
  ["JWT-223.6", "an empty header", () => ({ authorization: [""] }), "token-malformed"],
  [
    "JWT-223.7",
    "a space before the scheme",
    () => ({ authorization: [` ${bearer()}`] }),
    "token-malformed",
  ],
  [
    "JWT-223.8",
    "the mark that stands for bytes that are no UTF-8",
    () => ({ authorization: ["Bearer !!!"] }),
    "token-malformed",
  ],
  ...["?access_token=x", "?a=1&access_token=x", "?ACCESS_TOKEN=x", "?access%5Ftoken=x"].map(
    (query, i) =>
      [
        `JWT-224.${i + 1}`,
        `a token in the header and the query ${query}`,
        () => ({ authorization: [bearer()], target: `/a${query}` }),
        ambiguous,
      ] as const,
  ),
  [
    "JWT-224.8",
    "a token in the header and, encoded, at the end of a long query",
    () => ({ authorization: [bearer()], target: `/a?${"&x%20".repeat(3000)}&%61ccess_token=x` }),
    ambiguous,
  ],
  [
    "JWT-224.9",
    "an encoded value that says access_token",
    () => ({ authorization: [bearer()], target: "/a?x=%26access_token=y&%78=access_token" }),
    "accept",
  ],
  [
    "JWT-224.5",
    "access_token without a value",
    () => ({ authorization: [bearer()], target: "/a?access_token" }),
    ambiguous,
  ],
  [
    "JWT-224.6",
    "a token in the query alone is not read",
    () => ({ target: `/a?access_token=${mint("generic")}` }),
    "accept",
  ],
  [
    "JWT-224.7",
    "another parameter whose value says access_token",
    () => ({ authorization: [bearer()], target: "/a?x=access_token&y_access_token=1" }),
    "accept",
  ],
  ["JWT-225.1", "Basic", () => ({ authorization: ["Basic YWxpY2U6c2VjcmV0"] }), "token-kind"],
  ["JWT-225.2", "Negotiate", () => ({ authorization: ["Negotiate YII="] }), "token-kind"],
  ["JWT-225.3", "DPoP", () => ({ authorization: [`DPoP ${mint("generic")}`] }), "token-kind"],
  [
    "JWT-225.4",
    "SigV4, whose parameters have commas",
    () => ({
      authorization: [
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/orders/aws4_request, SignedHeaders=host, Signature=00",
      ],
      raw: false,
    }),
    "token-kind",
  ],
  [
    "JWT-225.5",
    "the token without a scheme",
    () => ({ authorization: [mint("generic")] }),
    "token-kind",
  ],
];

/** Where the caller's principal comes from, and what has to be there (envoy-ext-authz 9). */
const peer = "spiffe://td-a/ns/shop/sa/orders";
const both = (): Request => ({ authorization: [bearer()], peer });

const choices: readonly Row[] = [
  {
    id: "principalFrom.1",
    title: "nothing presented is anonymous",
    request: () => ({}),
    expect: "accept",
    check: (result) =>
      expect(result).toMatchObject({ principalCredential: null, authMethod: "none" }),
  },
  {
    id: "principalFrom.2",
    title: "a token wins over the connection by default",
    request: both,
    expect: "accept",
    check: (result) =>
      expect(result).toMatchObject({ authMethod: "jwt", mtls: { spiffeId: { text: peer } } }),
  },
  {
    id: "principalFrom.3",
    title: "the connection wins where it stands first, and the token stays a fact",
    request: both,
    rules: { principalFrom: ["mtls", "jwt"] },
    expect: "accept",
    check: (result) =>
      expect(result).toMatchObject({ authMethod: "mtls", token: { subject: "alice" } }),
  },
  {
    id: "principalFrom.4",
    title: "a bad token never makes place for the connection",
    request: () => ({ authorization: ["Bearer x.y.z"], peer }),
    expect: "token-malformed",
  },
  {
    id: "principalFrom.5",
    title: "a bad token is refused even where the connection comes first",
    request: () => ({ authorization: ["Bearer x.y.z"], peer }),
    rules: { principalFrom: ["mtls", "jwt"] },
    expect: "token-malformed",
  },
  {
    id: "principalFrom.6",
    title: "a service that takes no bearer leaves the header to its application",
    request: () => ({ authorization: ["Basic YTpi"], peer }),
    rules: { principalFrom: ["mtls"] },
    expect: "accept",
    check: (result) => expect(result).toMatchObject({ authMethod: "mtls", token: null }),
  },
  {
    id: "principalFrom.7",
    title: "a bearer kind that is only required is judged and is no principal",
    request: both,
    rules: { principalFrom: ["mtls"], requireCredential: ["jwt"] },
    expect: "accept",
    check: (result) =>
      expect(result).toMatchObject({ authMethod: "mtls", token: { subject: "alice" } }),
  },
  {
    id: "principalFrom.8",
    title: "a kind that is not in the list is no principal",
    request: () => ({ peer }),
    rules: { principalFrom: ["jwt"] },
    expect: "accept",
    check: (result) => expect(result).toMatchObject({ authMethod: "none", mtls: {} }),
  },
  {
    id: "requireCredential.1",
    title: "mtls required, and a token alone",
    request: () => ({ authorization: [bearer()] }),
    rules: { requireCredential: ["mtls"] },
    expect: "client-certificate-required",
  },
  {
    id: "requireCredential.2",
    title: "mtls required, and the peer of a foreign domain",
    request: () => ({ authorization: [bearer()], peer: "spiffe://foreign/a" }),
    rules: { requireCredential: ["mtls"] },
    expect: "client-certificate-required",
  },
  {
    id: "requireCredential.3",
    title: "a token required, and the connection alone",
    request: () => ({ peer }),
    rules: { requireCredential: ["jwt"] },
    expect: "unauthenticated",
  },
  {
    id: "requireCredential.4",
    title: "both required, both there",
    request: both,
    rules: { requireCredential: ["jwt", "mtls"] },
    expect: "accept",
  },
  {
    id: "requireCredential.5",
    title: "a JWT-SVID required, and another token",
    request: both,
    rules: { requireCredential: ["jwt-svid"] },
    expect: "unauthenticated",
  },
  ...[
    ["a foreign trust domain", "spiffe://foreign/ns/shop/sa/orders", "foreign-trust-domain"],
    ["a NUL byte", "spiffe://td-a/ns/shop/sa/orders\0", "spiffe-path"],
    ["a dot-dot segment", "spiffe://td-a/ns/shop/../sa/orders", "spiffe-path"],
    ["a DNS name", "orders.shop.svc", "spiffe-scheme"],
    ["a distinguished name", "CN=orders", "spiffe-scheme"],
  ].map(
    ([title, principal = "", cause], i): Row => ({
      id: `T-KEY-08.${i + 1}`,
      title: `source.principal of ${title} is absent, and logged`,
      request: () => ({ peer: principal }),
      expect: "accept",
      check: (result) =>
        expect(result).toMatchObject({
          principalCredential: null,
          mtls: null,
          dropped: [{ type: "mtls", cause }],
        }),
    }),
  ),
];

export const transportRows: readonly Row[] = [
  ...requests.map(([id, title, request, want]): Row => ({ id, title, request, expect: want })),
  ...choices,
];
