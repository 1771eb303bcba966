import { describe, expect, test } from "vitest";
import {
  createOrganization,
  partner,
  policyOf,
  shop,
  trustShop,
} from "../../../../test/fakes/organization.ts";
import { directoryOf } from "../state/directory-of.ts";

const login = {
  name: "login",
  url: "https://login.example.com",
  tokenKind: "rfc9068",
  audiences: ["mesh"],
};
const openIDConnectProviderArn = `arn:aws:iam::${shop}:oidc-provider/login.example.com`;
const toBob = { user: { account: shop, name: "bob" } };
const orders = {
  serviceName: "orders",
  hosts: ["orders.example.com"],
  workloads: ["spiffe://cluster.local/ns/shop/sa/orders"],
  routes: [
    { http: "GET /v1/orders", action: "ListOrders", resource: "orders", accessLevel: "List" },
  ],
};
const anybody = policyOf({ Effect: "Allow", Principal: "*", Action: "orders:*", Resource: "*" });

function furnished() {
  const org = createOrganization();
  org.call("iam:CreateUser", { userName: "bob" });
  org.call("iam:CreateRole", { roleName: "app", assumeRolePolicyDocument: trustShop });
  org.call("iam:CreateOpenIDConnectProvider", { ...login, rules: [toBob] });
  org.call("mesh-iam:PutTrustDomain", {
    name: "cluster.local",
    accounts: [{ namespace: "shop", account: shop }],
  });
  org.call("mesh-iam:CreateWorkload", { name: "orders", spiffeId: orders.workloads[0] });
  org.call("mesh-iam:PutServiceDefinition", orders);
  return org;
}

const twoRoutes = [orders.routes[0], orders.routes[0]];
const refusals: readonly [string, object, string][] = [
  ["iam:CreateOpenIDConnectProvider", login, "EntityAlreadyExists"],
  ["iam:CreateOpenIDConnectProvider", { ...login, url: "http://x" }, "ValidationError"],
  ["iam:CreateOpenIDConnectProvider", { ...login, surprise: 1 }, "ValidationError"],
  ["iam:CreateOpenIDConnectProvider", { ...login, name: undefined }, "ValidationError"],
  [
    "iam:CreateOpenIDConnectProvider",
    { ...login, account: partner, rules: [toBob] },
    "ValidationError",
  ],
  [
    "iam:UpdateOpenIDConnectProvider",
    { ...login, rules: [{ user: { account: shop, name: "BOB" } }] },
    "NoSuchEntity",
  ],
  [
    "iam:UpdateOpenIDConnectProvider",
    { ...login, rules: [{ role: { account: shop, name: "none" } }] },
    "NoSuchEntity",
  ],
  ["iam:UpdateOpenIDConnectProvider", { ...login, url: "https://x.example" }, "NoSuchEntity"],
  ["iam:UpdateOpenIDConnectProvider", { ...login, expectedRevision: 1 }, "ConcurrentModification"],
  [
    "iam:DeleteOpenIDConnectProvider",
    { openIDConnectProviderArn: `${openIDConnectProviderArn}x` },
    "NoSuchEntity",
  ],
  [
    "mesh-iam:PutTrustDomain",
    { name: "cluster.local", accounts: [{ account: partner }] },
    "DeleteConflict",
  ],
  [
    "mesh-iam:PutTrustDomain",
    { name: "x", accounts: [{ account: "123412341234" }] },
    "NoSuchEntity",
  ],
  ["mesh-iam:DeleteTrustDomain", { name: "cluster.local" }, "DeleteConflict"],
  ["mesh-iam:DeleteTrustDomain", { name: "none" }, "NoSuchEntity"],
  ["mesh-iam:PutServiceDefinition", { ...orders, serviceName: "iam" }, "ValidationError"],
  ["mesh-iam:PutServiceDefinition", { ...orders, routes: twoRoutes }, "ValidationError"],
  ["mesh-iam:PutServiceDefinition", { ...orders, resourcePolicy: "{}" }, "MalformedPolicyDocument"],
  ["mesh-iam:PutServiceDefinition", { ...orders, serviceName: "other" }, "ValidationError"],
  ["mesh-iam:PutServiceDefinition", { ...orders, expectedRevision: 1 }, "ConcurrentModification"],
  ["mesh-iam:PutResourcePolicy", { serviceName: "none", policy: anybody }, "NoSuchEntity"],
  ["mesh-iam:DeleteResourcePolicy", { serviceName: "orders" }, "NoSuchEntity"],
  ["mesh-iam:DeleteServiceDefinition", { serviceName: "none" }, "NoSuchEntity"],
];

describe("refusals", () => {
  test.each(refusals)("%s %j is %s", (name, input, code) => {
    expect(furnished().try(name, input)).toMatchObject({ code });
  });
});

test("a provider is replaced under its id, and deleted", () => {
  const org = furnished();
  const id = directoryOf(org.replica).oidcProviders[0]?.id;
  expect(id).toMatch(/^AOIP[A-Z2-7]{24}$/);
  org.call("iam:UpdateOpenIDConnectProvider", { ...login, audiences: ["other"] });
  expect(directoryOf(org.replica).oidcProviders).toMatchObject([
    { id, arn: openIDConnectProviderArn, audiences: ["other"], rules: [] },
  ]);
  org.call("iam:DeleteOpenIDConnectProvider", { openIDConnectProviderArn });
  expect(directoryOf(org.replica).oidcProviders).toEqual([]);
});

test("a service is replaced under its id, with policy and tags", () => {
  const org = furnished();
  const service = () => directoryOf(org.replica).services[0];
  const id = service()?.id;
  expect(service()).toMatchObject({ arn: `arn:aws:mesh-iam::${shop}:service/orders` });
  org.call("mesh-iam:PutResourcePolicy", { serviceName: "orders", policy: anybody });
  expect(service()?.resourcePolicy).toMatchObject({ text: anybody });
  org.call("mesh-iam:DeleteResourcePolicy", { serviceName: "orders" });
  org.call("mesh-iam:TagService", { serviceName: "orders", tags: { data: "internal" } });
  expect(service()?.tags).toEqual(new Map([["data", "internal"]]));
  org.call("mesh-iam:PutServiceDefinition", { ...orders, mode: "shadow" });
  expect(service()).toMatchObject({ id, mode: "shadow", tags: new Map() });
  org.call("mesh-iam:DeleteServiceDefinition", { serviceName: "orders" });
  expect(service()).toBeUndefined();
});

test("who switches authentication off is asked for that as well, and told", () => {
  const org = furnished();
  const open = { ...orders, authType: "NONE" };
  const actions = org.questions("mesh-iam:PutServiceDefinition", open).map(({ action }) => action);
  expect(actions).toEqual(["mesh-iam:PutServiceDefinition", "mesh-iam:DisableAuthentication"]);
  const result = org.try("mesh-iam:PutServiceDefinition", open);
  expect(result).toMatchObject({ findings: [{ code: "AUTHENTICATION_DISABLED" }] });
});

test("a domain is deleted once its workloads are", () => {
  const org = furnished();
  org.call("mesh-iam:DeleteWorkload", { spiffeId: orders.workloads[0] });
  org.call("mesh-iam:DeleteTrustDomain", { name: "cluster.local" });
  expect(directoryOf(org.replica).trustDomains).toEqual([]);
});
