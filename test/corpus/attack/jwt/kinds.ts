import { expect } from "vitest";
import type { TokenKind } from "../../../../src/domain/directory/model.ts";
import type { Row } from "./row.ts";
import {
  createWorld,
  domains,
  ec,
  type Kind,
  kinds,
  type Members,
  mint,
  now,
  other,
  provider,
  providers,
  rsa,
  svidA,
} from "./world.ts";

const id = providers["oidc-id"].issuer;
const audience = "token-audience";

/** Tokens as these issuers write them; only issuer, audience and times are ours. */
const foreign: readonly (readonly [string, TokenKind, Members, Members])[] = [
  [
    "Kubernetes",
    "kubernetes",
    { typ: undefined },
    {
      aud: ["mesh"],
      iss: "https://kubernetes.example",
      jti: "7f2c7e5e",
      "kubernetes.io": {
        namespace: "shop",
        node: { name: "n1", uid: "1" },
        pod: { name: "orders-0", uid: "2" },
        serviceaccount: { name: "orders", uid: "3" },
      },
      nbf: now - 10,
      sub: "system:serviceaccount:shop:orders",
    },
  ],
  [
    "GitHub",
    "generic",
    { typ: "JWT", x5t: "abc" },
    {
      jti: "example-id",
      sub: "repo:octo-org/octo-repo:environment:prod",
      aud: "mesh",
      environment: "prod",
      ref: "refs/heads/main",
      repository: "octo-org/octo-repo",
      run_id: "30433642",
      iss: "https://token-actions.example",
      nbf: now - 10,
    },
  ],
  [
    "Google",
    "oidc-id",
    { typ: "JWT" },
    {
      iss: "https://accounts.example",
      azp: "1234987819200.apps.example",
      aud: "mesh",
      sub: "10769150350006150715113082367",
      at_hash: "HK6E_P6Dh8Y93mRNtsDB1Q",
      email: "jsmith@example.com",
      email_verified: "true",
      nonce: "0394852-3190485-2490358",
    },
  ],
  [
    "Keycloak",
    "generic",
    { typ: "JWT" },
    {
      jti: "f1",
      iss: "https://keycloak.example/realms/shop",
      aud: ["mesh", "b", "account"],
      sub: "f:1:alice",
      typ: "Bearer",
      azp: "frontend",
      sid: "s",
      acr: "1",
      realm_access: { roles: ["offline_access"] },
      resource_access: { account: { roles: ["view-profile"] } },
      scope: "openid email",
      email_verified: true,
    },
  ],
];

export const kindRows: readonly Row[] = [
  {
    id: "JWT-160",
    title: "signed by provider A's key, iss of B",
    token: () => mint("generic", { key: other }),
    expect: "token-issuer",
  },
  ...[
    ["scheme", "http://generic.example"],
    ["case", "https://Generic.example"],
    ["port", "https://generic.example:443"],
    ["trailing dot", "https://generic.example."],
    ["percent-encoding", "https://generic%2eexample"],
    ["homoglyph", "https://generiс.example"],
    ["trailing slash", "https://generic.example/"],
    ["leading space", " https://generic.example"],
    ["combining form", "https://generic\u0301.example"],
  ].map(
    ([title = "", iss], i): Row => ({
      id: `JWT-161.${i + 1}`,
      title: `iss differs by ${title}`,
      token: () => mint("generic", { claims: { iss } }),
      expect: "token-issuer",
    }),
  ),
  ...[undefined, null, "", 7, ["https://generic.example"], {}].map(
    (iss, i): Row => ({
      id: `JWT-162.${i + 1}`,
      title: `iss is ${JSON.stringify(iss)}`,
      token: () => mint("generic", { claims: { iss } }),
      expect: "token-issuer",
    }),
  ),
  ...(["generic", "oidc-id", "rfc9068", "kubernetes"] as const).flatMap((kind, i): Row[] => [
    {
      id: `JWT-163.${i + 1}`,
      title: `${kind}: aud of another client`,
      token: () => mint(kind, { claims: { aud: "else" } }),
      expect: audience,
    },
    {
      id: `JWT-168.${i + 1}`,
      title: `${kind}: aud of another API, azp ours`,
      token: () => mint(kind, { claims: { aud: "else", azp: "mesh" } }),
      expect: audience,
    },
    {
      id: `JWT-168.${i + 5}`,
      title: `${kind}: several auds of other APIs, azp ours`,
      token: () => mint(kind, { claims: { aud: ["else", "third"], azp: "mesh" } }),
      expect: audience,
    },
  ]),
  {
    id: "JWT-164.1",
    title: "ID token for us and another, no azp",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "else"] } }),
    expect: audience,
  },
  {
    id: "JWT-164.2",
    title: "ID token for us and another, azp not ours",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "else"], azp: "else" } }),
    expect: audience,
  },
  {
    id: "JWT-164.3",
    title: "ID token for us and another, azp ours",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "else"], azp: "mesh" } }),
    expect: "accept",
  },
  {
    id: "JWT-164.4",
    title: "ID token for two of ours, no azp",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "mesh-2"] } }),
    expect: "accept",
  },
  {
    id: "JWT-164.5",
    title: "ID token for us and another, azp a list",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "else"], azp: ["mesh"] } }),
    expect: audience,
  },
  {
    id: "JWT-164.8",
    title: "ID token for two of ours, azp a list",
    token: () => mint("oidc-id", { claims: { aud: ["mesh", "mesh-2"], azp: ["mesh"] } }),
    expect: audience,
  },
  {
    id: "JWT-164.6",
    title: "ID token with one aud, azp another client",
    token: () => mint("oidc-id", { claims: { azp: "else" } }),
    expect: "accept",
  },
  ...[undefined, "JWT", "jose", "at+jwt+x", "access_token+jwt"].map(
    (typ, i): Row => ({
      id: `JWT-165.${i + 1}`,
      title: `rfc9068 with typ ${typ}`,
      token: () => mint("rfc9068", { header: { typ } }),
      expect: "token-kind",
    }),
  ),
  ...["AT+JWT", "application/at+jwt", "Application/AT+JWT"].map(
    (typ, i): Row => ({
      id: `JWT-165.${i + 6}`,
      title: `rfc9068 with typ ${typ}`,
      token: () => mint("rfc9068", { header: { typ } }),
      expect: "accept",
    }),
  ),
  ...(["generic", "oidc-id", "kubernetes", "jwt-svid"] as const).flatMap((kind, i): Row[] =>
    ["at+jwt", "application/at+jwt"].map((typ, n) => ({
      id: `JWT-165.${10 + 2 * i + n}`,
      title: `${kind} with typ ${typ}`,
      token: () => mint(kind, { header: { typ } }),
      expect: "token-kind",
    })),
  ),
  {
    id: "JWT-165.20",
    title: "generic, whose provider asks for at+jwt",
    world: createWorld({ providers: [provider("generic", { typ: "at+jwt" })] }),
    token: () => mint("generic", { header: { typ: "at+jwt" } }),
    expect: "token-kind",
  },
  ...["custom+jwt", "JWT", undefined].map(
    (typ, i): Row => ({
      id: `JWT-165.${21 + i}`,
      title: `generic with an extra typ configured, typ ${typ}`,
      token: () => mint("generic", { header: { typ }, claims: { iss: providers.typed.issuer } }),
      expect: "accept",
    }),
  ),
  {
    id: "JWT-165.24",
    title: "the extra typ of another provider",
    token: () => mint("generic", { header: { typ: "custom+jwt" } }),
    expect: "token-kind",
  },
  {
    id: "JWT-165.25",
    title: "typ is a number",
    token: () => mint("generic", { header: { typ: 7 } }),
    expect: "token-malformed",
  },
  {
    id: "JWT-167",
    title: "a Keycloak access token: aud ours among others, azp the client",
    token: () => mint("generic", { claims: { aud: ["mesh", "b", "account"], azp: "frontend" } }),
    expect: "accept",
    check: (result) => {
      const token = "token" in result ? result.token : null;
      expect(token?.claims.get("azp")).toEqual({ type: "string", text: "frontend" });
    },
  },
  ...(
    [
      [{ aud: "project", azp: "mesh" }, "accept"],
      [{ aud: "mesh", azp: "else" }, audience],
      [{ aud: "mesh" }, "accept"],
      [{ aud: "else" }, audience],
      [{ aud: ["else", "mesh"] }, "accept"],
      [{ aud: undefined, azp: "mesh" }, audience],
      [{ aud: "mesh", azp: ["else"] }, audience],
      [{ aud: "mesh", azp: 7 }, audience],
    ] as const
  ).map(
    ([claims, want], i): Row => ({
      id: `JWT-169.${i + 1}`,
      title: `audienceRule google: ${JSON.stringify(claims)}`,
      token: () => mint("generic", { claims: { iss: providers.google.issuer, ...claims } }),
      expect: want,
    }),
  ),
  {
    id: "JWT-169.7",
    title: "aud another, azp ours, at a provider without audienceRule google",
    token: () => mint("generic", { claims: { aud: "project", azp: "mesh" } }),
    expect: audience,
  },
  ...foreign.flatMap(([name, kind, header, claims], i): Row[] =>
    ([kind, "rfc9068"] as const).map((tokenKind, n) => {
      const issuer = String(claims.iss);
      const one = provider("foreign", { id: providers.generic.id, issuer, tokenKind });
      return {
        id: `JWT-170.${2 * i + n + 1}`,
        title: `a ${name} token under ${tokenKind}`,
        world: createWorld({ providers: [one] }),
        token: () => mint("generic", { header, claims }),
        expect: n === 0 ? "accept" : "token-kind",
      };
    }),
  ),
  ...(
    [
      ["sub not a service account", { sub: "alice" }],
      ["sub names another account", { sub: "system:serviceaccount:shop:admin" }],
      ["sub names another namespace", { sub: "system:serviceaccount:kube-system:orders" }],
      ["sub in another case", { sub: "System:serviceaccount:shop:orders" }],
      ["sub with a fifth part", { sub: "system:serviceaccount:shop:orders:x" }],
      ["no kubernetes.io", { "kubernetes.io": undefined }],
      ["kubernetes.io a text", { "kubernetes.io": "shop" }],
      ["kubernetes.io a list", { "kubernetes.io": [{ namespace: "shop" }] }],
      ["no namespace in it", { "kubernetes.io": { serviceaccount: { name: "orders" } } }],
      ["no account in it", { "kubernetes.io": { namespace: "shop" } }],
      [
        "a colon moved between the names",
        {
          sub: "system:serviceaccount:a:b:c",
          "kubernetes.io": { namespace: "a:b", serviceaccount: { name: "c" } },
        },
      ],
      [
        "empty names",
        {
          sub: "system:serviceaccount::",
          "kubernetes.io": { namespace: "", serviceaccount: { name: "" } },
        },
      ],
    ] as const
  ).map(
    ([title, claims], i): Row => ({
      id: `JWT-171.${i + 1}`,
      title: `kubernetes: ${title}`,
      token: () => mint("kubernetes", { claims }),
      expect: "token-claims",
    }),
  ),
  // RFC 8725, one case a rule and kind; RFC 9068's list at its kind.
  ...kinds.flatMap((kind): Row[] => [
    {
      id: "JWT-260.1",
      title: `${kind}: a well-formed token`,
      token: () => mint(kind),
      expect: "accept",
    },
    {
      id: "JWT-260.2",
      title: `${kind}: alg none`,
      token: () => mint(kind, { header: { alg: "none" }, signature: Buffer.of(1) }),
      expect: "token-algorithm",
    },
    {
      id: "JWT-260.3",
      title: `${kind}: a changed signature`,
      token: () => mint(kind, { signature: Buffer.alloc(kind === "jwt-svid" ? 64 : 256, 1) }),
      expect: "token-signature",
    },
    {
      id: "JWT-260.4",
      title: `${kind}: another issuer's key`,
      token: () => mint(kind, { key: kind === "jwt-svid" ? ec : svidA }),
      expect: "token-issuer",
    },
    {
      id: "JWT-260.5",
      title: `${kind}: no aud`,
      token: () => mint(kind, { claims: { aud: undefined } }),
      expect: audience,
    },
    {
      id: "JWT-260.6",
      title: `${kind}: another token's typ`,
      token: () => mint(kind, { header: { typ: "secevent+jwt" } }),
      expect: "token-kind",
    },
    {
      id: "JWT-260.7",
      title: `${kind}: a claim that is no Unicode`,
      token: () => mint(kind, { payload: `{"x":"\\ud800",${claimsText(kind)}` }),
      expect: "token-claims",
    },
    {
      id: "JWT-260.8",
      title: `${kind}: a critical extension`,
      token: () => mint(kind, { header: { crit: ["exp"] } }),
      expect: "token-malformed",
    },
    {
      id: "JWT-260.9",
      title: `${kind}: a provider that is not configured`,
      world: createWorld({ providers: [], trustDomains: [] }),
      token: () => mint(kind),
      expect: "token-issuer",
    },
    {
      id: "JWT-260.10",
      title: `${kind}: no keys loaded`,
      world: createWorld({ keys: new Map() }),
      token: () => mint(kind),
      expect: "token-key",
    },
  ]),
  ...(
    [
      ["iss", "token-issuer"],
      ["exp", "token-claims"],
      ["aud", audience],
      ["sub", "token-claims"],
      ["client_id", "token-claims"],
      ["iat", "token-claims"],
      ["jti", "token-claims"],
    ] as const
  ).map(
    ([name, want]): Row => ({
      id: "JWT-260.11",
      title: `rfc9068 without ${name}`,
      token: () => mint("rfc9068", { claims: { [name]: undefined } }),
      expect: want,
    }),
  ),
  ...(["client_id", "jti"] as const).flatMap((name): Row[] =>
    ["", 7, ["x"], null].map((value) => ({
      id: "JWT-260.12",
      title: `rfc9068 with ${name} ${JSON.stringify(value)}`,
      token: () => mint("rfc9068", { claims: { [name]: value } }),
      expect: "token-claims",
    })),
  ),
  {
    id: "JWT-260.13",
    title: "oidc-id without iat",
    token: () => mint("oidc-id", { claims: { iat: undefined } }),
    expect: "token-claims",
  },
  {
    id: "JWT-162.7",
    title: "a provider without rules judges nobody",
    world: createWorld({ providers: [provider("generic", { rules: [] })] }),
    token: () => mint("generic"),
    expect: "token-issuer",
  },
  {
    id: "JWT-162.8",
    title: "an issuer that two providers with rules claim is nobody's",
    world: createWorld({ providers: [provider("generic"), provider("generic", { id: "AOIP-2" })] }),
    token: () => mint("generic"),
    expect: "token-issuer",
  },
  ...(
    [
      [{ audiences: ["mesh", "orders"] }, {}, "accept"],
      [{ audiences: ["orders"] }, {}, audience],
      [{ audiences: [] }, {}, audience],
      [{ audiences: ["orders"] }, { aud: ["mesh", "orders"] }, "accept"],
      // The service narrows the provider's list, it never widens it.
      [{ audiences: ["orders"] }, { aud: "orders" }, audience],
    ] as const
  ).map(
    ([rules, claims, want], i): Row => ({
      id: `JWT-163.${i + 9}`,
      title: `service audiences ${rules.audiences}, token ${JSON.stringify(claims)}`,
      rules,
      token: () => mint("generic", { claims }),
      expect: want,
    }),
  ),
  {
    id: "JWT-285.1",
    title: "a JWT-SVID's subject at a provider of another kind",
    token: () => mint("generic", { claims: { sub: "spiffe://td-a/ns/shop/sa/orders" } }),
    expect: "token-kind",
  },
  ...(["generic", "oidc-id", "rfc9068"] as const).map(
    (kind, i): Row => ({
      id: `JWT-285.${i + 2}`,
      title: `a token of kind ${kind} where only JWT-SVIDs are taken`,
      rules: { principalFrom: ["jwt-svid"] },
      token: () => mint(kind),
      expect: "token-kind",
    }),
  ),
  {
    id: "JWT-285.5",
    title: "a JWT-SVID where only tokens of providers are taken",
    rules: { principalFrom: ["jwt"] },
    token: () => mint("jwt-svid"),
    expect: "token-kind",
  },
  {
    id: "JWT-285.6",
    title: "an access token whose subject is an id of our trust domain",
    token: () => mint("jwt-svid", { header: { typ: "at+jwt" } }),
    expect: "token-kind",
  },
  {
    id: "JWT-282",
    title: "sub of trust domain B, signed by a key of domain A",
    token: () => mint("jwt-svid", { claims: { sub: "spiffe://td-b/ns/shop/sa/orders" } }),
    expect: "token-issuer",
  },
  {
    id: "JWT-286.1",
    title: "a federated domain is removed: its tokens",
    world: createWorld({ trustDomains: [domains.b] }),
    token: () => mint("jwt-svid"),
    expect: "token-issuer",
  },
  {
    id: "JWT-162.9",
    title: "an unregistered iss beside the id of a trust domain is a JWT-SVID all the same",
    token: () => mint("jwt-svid", { claims: { iss: "https://spire.example" } }),
    expect: "accept",
  },
  {
    id: "JWT-160.1",
    title: "a provider's key on the id of a trust domain",
    token: () => mint("jwt-svid", { key: rsa }),
    expect: "token-issuer",
  },
  {
    id: "JWT-164.7",
    title: "iss of the ID provider, everything else right",
    token: () => mint("oidc-id", { claims: { iss: id } }),
    expect: "accept",
  },
];

/** The claims of a kind as JSON text without its opening brace. */
function claimsText(kind: Kind): string {
  const body = mint(kind).split(".")[1] ?? "";
  return Buffer.from(body, "base64url").toString().slice(1);
}
