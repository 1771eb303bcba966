/**
 * Documents as values: what a test writes into a folder for the authorizer to read, or reads itself. Each
 * function returns one document or a part of one; `formatDocuments` makes the file.
 */

/** The account of the services and of most callers. */
export const shop = "111122223333";
/** Another account of the same organization. */
export const partner = "444455556666";
const management = "999988887777";

/** The provider's issuer, as tokens and trust policies spell it. */
export const issuer = "https://login.example.com";
export const audience = "mesh";
export const trustDomain = "shop.example";

export type Json = Readonly<Record<string, unknown>>;
export type Document = Json & { readonly kind: string };

/** Returns one document; `account` null for the kinds of the whole organization. */
export function document(
  kind: string,
  name: string,
  spec: Json,
  account: string | null = shop,
): Document {
  const metadata = account === null ? { name } : { name, account };
  return { apiVersion: "mesh-iam.io/v1", kind, metadata, spec };
}

/** Returns the file of `documents`: YAML whose documents are JSON. */
export function formatDocuments(documents: readonly Document[]): string {
  return documents.map((each) => `${JSON.stringify(each)}\n`).join("---\n");
}

export function policy(...statements: readonly Json[]): Json {
  return { Version: "2012-10-17", Statement: statements };
}

/** Returns a statement; `more` adds `Principal`, `Condition`, `Sid` or another `Resource`. */
export function allow(action: string | readonly string[], more: Json = {}): Json {
  return { Effect: "Allow", Action: action, Resource: "*", ...more };
}

export function deny(action: string | readonly string[], more: Json = {}): Json {
  return { Effect: "Deny", Action: action, Resource: "*", ...more };
}

/** Returns a service of `account`; a route is `METHOD /template Action resource`, or of an RPC. */
export function service(name: string, routes: readonly Json[], spec: Json = {}): Document {
  return document("Service", name, { hosts: [`${name}.example.com`], routes, ...spec });
}

/** Returns a route of a service: `target` is `GET /template`, or `pkg.Service/Method`. */
export function route(target: string, action: string, resource: string, more: Json = {}): Json {
  const match = target.includes(" ") ? { http: target } : { grpc: target };
  return { ...match, action, resource, accessLevel: "Read", ...more };
}

/** Returns a user with one inline policy of `statements`. */
export function user(name: string, statements: readonly Json[], spec: Json = {}): Document {
  return document("User", name, { ...inline(statements), ...spec });
}

/** Returns a role that tokens of the provider may take. */
export function role(
  name: string,
  statements: readonly Json[],
  account: string = shop,
  spec: Json = {},
): Document {
  const host = issuer.slice("https://".length);
  const trust = {
    Effect: "Allow",
    Action: "sts:AssumeRoleWithWebIdentity",
    Principal: { Federated: `arn:aws:iam::${shop}:oidc-provider/${host}` },
    Condition: { StringEquals: { [`${host}:aud`]: audience } },
  };
  const assumeRolePolicyDocument = { Version: "2012-10-17", Statement: [trust] };
  return document(
    "Role",
    name,
    { assumeRolePolicyDocument, ...inline(statements), ...spec },
    account,
  );
}

/** Returns the workload `spiffe://shop.example/ns/<namespace>/sa/<name>`. */
export function workload(
  name: string,
  statements: readonly Json[],
  namespace = "shop",
  account: string = shop,
): Document {
  const spiffeId = spiffeIdOf(name, namespace);
  return document("Workload", name, { spiffeId, ...inline(statements) }, account);
}

export function spiffeIdOf(
  serviceAccount: string,
  namespace = "shop",
  domain = trustDomain,
): string {
  return `spiffe://${domain}/ns/${namespace}/sa/${serviceAccount}`;
}

function inline(statements: readonly Json[]): Json {
  if (statements.length === 0) return {};
  return { policies: [{ policyName: "own", policyDocument: policy(...statements) }] };
}

/**
 * Returns an organization with both accounts in it, the shop in `/prod`, and who may vouch for callers:
 * a provider whose tokens name a role in the claim `role` (with `email` as session name) or else a user
 * in `preferred_username`, and a SPIFFE trust domain. `jwks` is the provider's key set.
 */
export function organization(jwks: string): readonly Document[] {
  const wide = (kind: string, name: string, spec: Json) => document(kind, name, spec, null);
  const session = { sessionName: { claim: "email" } };
  return [
    wide("Organization", "acme", {
      id: "o-acme123456",
      rootId: "r-acme",
      managementAccountId: management,
    }),
    wide("OrganizationalUnit", "prod", { parentId: "/" }),
    wide("Account", "management", { accountId: management, parentIds: ["/"] }),
    wide("Account", "shop", { accountId: shop, parentIds: ["/prod"] }),
    wide("Account", "partner", { accountId: partner, parentIds: ["/"] }),
    document("OidcProvider", "login", {
      url: issuer,
      tokenKind: "oidc-id",
      audiences: [audience],
      jwks: JSON.parse(jwks),
      rules: [
        {
          when: { claim: "partner", equals: "yes" },
          role: { account: partner, name: { claim: "role" }, ...session },
        },
        {
          when: { claim: "role", exists: true },
          role: { account: shop, name: { claim: "role" }, ...session },
        },
        { user: { account: shop, name: { claim: "preferred_username" } } },
      ],
    }),
    wide("TrustDomain", trustDomain, {
      accounts: [
        { namespace: "shop", account: shop },
        { namespace: "partner", account: partner },
      ],
    }),
  ];
}
