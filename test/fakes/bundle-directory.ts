import type {
  Directory,
  ManagedPolicy,
  PolicyText,
  Role,
  Service,
  User,
} from "../../src/domain/directory/model.ts";
import { defaultRequestOptions } from "../../src/domain/request/options.ts";

export const shop = "111122223333";
export const partner = "444455556666";

/** Returns the text of a policy as a bundle carries it. */
export function policyText(id: string, text: string): PolicyText {
  return { id, text, source: null };
}

const allowAll =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';

/** Returns a managed policy of the shop. */
export function managedPolicy(name: string, text = allowAll): ManagedPolicy {
  const arn = `arn:aws:iam::${shop}:policy/${name}`;
  const policy = policyText(arn, text);
  return { id: `ANPA${name.toUpperCase()}`, account: shop, name, path: "/", arn, policy };
}

export function user(name: string, changes: Partial<User> = {}): User {
  const account = changes.account ?? shop;
  return {
    id: `AIDA${name.toUpperCase()}`,
    account,
    name,
    path: "/",
    arn: `arn:aws:iam::${account}:user/${name}`,
    attachedPolicyIds: [],
    inlinePolicies: [],
    permissionsBoundaryId: null,
    tags: new Map(),
    state: "active",
    groupIds: [],
    ...changes,
  };
}

export function role(name: string, changes: Partial<Role> = {}): Role {
  const arn = `arn:aws:iam::${shop}:role/${name}`;
  return {
    id: `AROA${name.toUpperCase()}`,
    account: shop,
    name,
    path: "/",
    arn,
    attachedPolicyIds: [],
    inlinePolicies: [],
    permissionsBoundaryId: null,
    tags: new Map(),
    state: "active",
    trustPolicy: policyText(arn, '{"Version":"2012-10-17","Statement":[]}'),
    maxSessionSeconds: 3600,
    sessionBinding: "peer",
    serviceLinked: false,
    ...changes,
  };
}

export function service(name: string, changes: Partial<Service> = {}): Service {
  const account = changes.account ?? shop;
  return {
    id: `svc-${name}`,
    account,
    name,
    arn: `arn:aws:mesh-iam::${account}:service/${name}`,
    hosts: [`${name}.example.com`],
    workloads: [`spiffe://cluster.local/ns/shop/sa/${name}`],
    gateways: [],
    mode: "enforce",
    authType: "AWS_IAM",
    principalFrom: ["session", "jwt", "jwt-svid", "mtls"],
    requireCredential: [],
    audiences: null,
    forwardCredential: false,
    cors: false,
    routes: [
      {
        match: { type: "http", method: "GET", template: "/v1/orders/{orderId}" },
        action: "GetOrder",
        resource: "order/{orderId}",
        accessLevel: "Read",
        authType: null,
        tags: new Map(),
      },
    ],
    contextKeys: [],
    request: defaultRequestOptions,
    hideHeaders: [],
    tags: new Map(),
    resourcePolicy: null,
    ...changes,
  };
}

/** Returns an organization of two accounts with one of everything, changed by `changes`. */
export function sampleDirectory(changes: Partial<Directory> = {}): Directory {
  const read = managedPolicy("read");
  const boundary = managedPolicy("boundary");
  const group = {
    id: "AGPADEVS",
    account: shop,
    name: "devs",
    path: "/",
    arn: `arn:aws:iam::${shop}:group/devs`,
    attachedPolicyIds: [read.id],
    inlinePolicies: [policyText(`arn:aws:iam::${shop}:group/devs/own`, "{ }")],
  };
  return {
    org: "o-acme",
    partition: "aws",
    organization: {
      id: "o-acme",
      rootId: "r-1",
      name: "acme",
      managementAccountId: partner,
    },
    organizationalUnits: [{ id: "ou-1", name: "prod", parentId: "r-1" }],
    accounts: [
      account(shop, "shop", "ou-1"),
      { ...account(partner, "partner", "r-1"), state: "disabled" },
    ],
    serviceControlPolicies: [
      { id: "p-full", name: "FullAWSAccess", targetIds: ["r-1", "ou-1", shop], policy: null },
      { id: "p-1", name: "mesh", targetIds: ["ou-1"], policy: policyText("p-1", allowAll) },
    ],
    resourceControlPolicies: [
      { id: "p-2", name: "rcp", targetIds: ["r-1"], policy: policyText("p-2", allowAll) },
    ],
    users: [
      user("bob", {
        attachedPolicyIds: [read.id],
        permissionsBoundaryId: boundary.id,
        groupIds: [group.id],
        tags: new Map([["team", "blue"]]),
      }),
    ],
    groups: [group],
    roles: [role("app", { attachedPolicyIds: [read.id], sessionBinding: "none" })],
    workloads: [
      {
        id: "AWLDORDERS",
        account: shop,
        name: "orders",
        arn: `arn:aws:iam::${shop}:workload/cluster.local/ns/shop/sa/orders`,
        attachedPolicyIds: [],
        inlinePolicies: [],
        permissionsBoundaryId: null,
        tags: new Map(),
        state: "disabled",
        spiffeId: "spiffe://cluster.local/ns/shop/sa/orders",
      },
    ],
    managedPolicies: [read, boundary],
    oidcProviders: [
      {
        id: "AOIPLOGIN",
        account: shop,
        name: "login",
        arn: `arn:aws:iam::${shop}:oidc-provider/login.example.com`,
        issuer: "https://login.example.com",
        tokenKind: "rfc9068",
        audiences: ["mesh"],
        audienceRule: "aud",
        algorithms: ["ES256"],
        typ: null,
        maxTokenLifetimeSeconds: 86_400,
        clockSkewSeconds: 60,
        mfaFromAmr: false,
        multivaluedClaims: ["groups"],
        keys: { type: "keys", json: '{"keys":[]}' },
        rules: [
          {
            when: { claim: "groups", test: "contains", value: "admins" },
            user: null,
            role: {
              account: shop,
              name: { type: "text", text: "app" },
              sessionName: { type: "claim", claim: "email" },
              tags: new Map([["team", { type: "claim", claim: "team" }]]),
            },
          },
          {
            when: null,
            user: { account: shop, name: { type: "claim", claim: "preferred_username" } },
            role: null,
          },
        ],
      },
    ],
    trustDomains: [
      {
        id: "td-1",
        name: "cluster.local",
        audiences: ["mesh"],
        keys: { type: "uri", uri: "https://spire.example.com/bundle" },
        refreshHintSeconds: 300,
        accounts: [
          { namespace: "shop", account: shop },
          { namespace: null, account: partner },
        ],
      },
    ],
    services: [service("orders", { resourcePolicy: policyText("svc-orders", allowAll) })],
    serviceIdentities: new Map([
      ["spiffe://cluster.local/ns/shop/sa/orders", `arn:aws:mesh-iam::${shop}:service/orders`],
      ["spiffe://cluster.local/ns/x/sa/far", `arn:aws:mesh-iam::${partner}:service/far`],
    ]),
    poison: [],
    ...changes,
  };
}

function account(id: string, name: string, parentId: string): Directory["accounts"][number] {
  const tags = new Map([["stage", name]]);
  return { id, name, parentId, email: `${name}@example.com`, tags, state: "active" };
}
