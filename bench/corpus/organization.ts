import { audience, issuer } from "./tokens.ts";

/*
 * The organization that the bench asks about (performance 1.1, 1.8): every user has ten managed policies
 * of five statements with two conditions each; above them stand an SCP, beside them a resource policy.
 */

export const account = "111122223333";
const management = "999988887777";

export const policiesPerUser = 10;
export const statementsPerPolicy = 5;
/** Managed policies of the account; each user has a run of ten of them. */
const policyCount = 100;

export const actions = [
  "GetOrder",
  "ListOrders",
  "CreateOrder",
  "RefundOrder",
  "CancelOrder",
] as const;

type Json = Readonly<Record<string, unknown>>;

/** Returns the number of the policy that lets user `user` read the orders of shop `shopOf(user, nth)`. */
export function policyOf(user: number, nth: number): number {
  return (user + (nth % policiesPerUser)) % policyCount;
}

export function userName(user: number): string {
  return `user-${String(user).padStart(5, "0")}`;
}

export function shopName(policy: number): string {
  return `shop-${String(policy).padStart(6, "0")}`;
}

/**
 * Returns policy number `policy`: what one may do with the orders of one shop, from within the mesh's
 * network and for one's own team.
 */
export function policyDocument(policy: number, edition = 0): Json {
  const shop = shopName(policy);
  const statements = Array.from({ length: statementsPerPolicy }, (_, n) => ({
    Sid: `S${n}E${edition}`,
    Effect: "Allow",
    Action: `orders:${actions[n % actions.length]}`,
    Resource: `arn:aws:orders:*:${account}:shop/${shop}/order/*`,
    Condition: {
      // Loopback too: that is where the bench stands when a real Envoy asks.
      IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"] },
      StringEquals: { "aws:PrincipalTag/team": ["red", "green", "blue", `t${policy % 8}`] },
    },
  }));
  return { Version: "2012-10-17", Statement: statements };
}

/** Nobody purges orders, and nothing leaves the two accounts' network. */
export const serviceControlDocument: Json = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "NoPurge", Effect: "Deny", Action: "orders:PurgeOrders", Resource: "*" },
    {
      Sid: "NoForeigners",
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { StringNotEquals: { "aws:PrincipalAccount": account } },
    },
  ],
};

/** The orders service's own word: a Deny that every request is held against, and a partner's Allow. */
export const resourceDocument: Json = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "NoSecretOrder",
      Effect: "Deny",
      Principal: "*",
      Action: "*",
      Resource: `arn:aws:orders:*:${account}:shop/*/order/secret`,
    },
    {
      Sid: "Auditors",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${management}:role/auditor` },
      Action: "orders:Get*",
      Resource: "*",
    },
  ],
};

/** Where the provider's keys come from, as `spec.jwks` of an `OidcProvider`. */
export type JwksSource = { readonly file: string } | { readonly keys: readonly unknown[] };

/**
 * Returns the documents of the organization with `users` users, as one file's text. Each `edition` is a
 * revision of its own that decides alike.
 */
export function organizationDocuments(users: number, jwks: JwksSource, edition = 0): string {
  const documents = [
    document("Organization", "acme", {
      id: "o-acme123456",
      rootId: "r-acme",
      managementAccountId: management,
    }),
    document("Account", "management", { accountId: management, parentIds: ["/"] }),
    document("Account", "shop", { accountId: account, parentIds: ["/"] }),
    document("ServiceControlPolicy", "guardrail", {
      targetIds: ["/"],
      content: serviceControlDocument,
    }),
    document(
      "OidcProvider",
      "login",
      {
        url: issuer,
        tokenKind: "oidc-id",
        audiences: [audience],
        jwks,
        rules: [{ user: { account, name: { claim: "preferred_username" } } }],
      },
      account,
    ),
    document("TrustDomain", "cluster.local", { accounts: [{ namespace: "shop", account }] }),
    document("Service", "orders", serviceSpec(), account),
    ...Array.from({ length: policyCount }, (_, n) =>
      document("ManagedPolicy", `p${n}`, { policyDocument: policyDocument(n, edition) }, account),
    ),
    ...Array.from({ length: users }, (_, user) =>
      document(
        "User",
        userName(user),
        {
          managedPolicyArns: Array.from(
            { length: policiesPerUser },
            (_each, nth) => `p${policyOf(user, nth)}`,
          ),
          tags: { team: "blue" },
        },
        account,
      ),
    ),
  ];
  return documents.map((each) => `${JSON.stringify(each)}\n`).join("---\n");
}

function document(kind: string, name: string, spec: Json, owner?: string): Json {
  const metadata = owner === undefined ? { name } : { name, account: owner };
  return { apiVersion: "mesh-iam.io/v1", kind, metadata, spec };
}

function serviceSpec(): Json {
  const order = { resource: "shop/{shop}/order/{order}" };
  return {
    hosts: ["orders.shop.svc.cluster.local"],
    routes: [
      {
        http: "GET /v1/shops/{shop}/orders/{order}",
        action: "GetOrder",
        ...order,
        accessLevel: "Read",
      },
      {
        http: "PUT /v1/shops/{shop}/orders/{order}",
        action: "CreateOrder",
        ...order,
        accessLevel: "Write",
      },
      {
        http: "DELETE /v1/shops/{shop}/orders/{order}",
        action: "PurgeOrders",
        ...order,
        accessLevel: "Write",
      },
      {
        http: "GET /healthz",
        action: "Probe",
        resource: "probe",
        accessLevel: "Read",
        authType: "NONE",
      },
    ],
    resourcePolicy: resourceDocument,
  };
}
