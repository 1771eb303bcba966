import { describe, expect, test } from "vitest";
import {
  createOrganization,
  type FakeOrganization,
  management,
  policyOf,
  shop,
} from "../../../../../test/fakes/organization.ts";
import { administrators, locksOut } from "./lockout.ts";

const nowMs = 1_795_510_000_000;
const everything = policyOf({ Effect: "Allow", Action: "*", Resource: "*" });
const both = policyOf({ Effect: "Allow", Action: ["iam:*", "organizations:*"], Resource: "*" });
const account = { account: management };
const provider = {
  ...account,
  name: "login",
  url: "https://login.example.com",
  tokenKind: "rfc9068",
  audiences: ["mesh"],
};
const providerArn = `arn:aws:iam::${management}:oidc-provider/login.example.com`;
const byProvider = policyOf({
  Effect: "Allow",
  Principal: { Federated: providerArn },
  Action: "sts:AssumeRoleWithWebIdentity",
});

/** One administrator: a role that a provider's tokens lead to. */
function guarded(document = both): FakeOrganization {
  const org = createOrganization();
  org.call("iam:CreateOpenIDConnectProvider", provider);
  org.call("iam:CreateRole", {
    ...account,
    roleName: "admin",
    assumeRolePolicyDocument: byProvider,
  });
  org.call("iam:CreatePolicy", { ...account, policyName: "admin", policyDocument: document });
  org.call("iam:AttachRolePolicy", {
    ...account,
    roleName: "admin",
    policyArn: `arn:aws:iam::${management}:policy/admin`,
  });
  return org;
}

const arnsOf = (org: FakeOrganization) => administrators(org.replica, nowMs).map(({ arn }) => arn);

test("an administrator may do everything in IAM and Organizations and can be reached", () => {
  expect(arnsOf(guarded())).toEqual([`arn:aws:iam::${management}:role/admin`]);
  expect(arnsOf(guarded(everything))).toHaveLength(1);
});

test.each([
  { why: "IAM alone", document: policyOf({ Effect: "Allow", Action: "iam:*", Resource: "*" }) },
  {
    why: "everything but one operation",
    document: policyOf(
      { Effect: "Allow", Action: "*", Resource: "*" },
      { Effect: "Deny", Action: "iam:DetachRolePolicy", Resource: "*" },
    ),
  },
  {
    why: "everything from one address",
    document: policyOf({
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { IpAddress: { "aws:SourceIp": "10.0.0.1" } },
    }),
  },
])("who may do $why is none", ({ document }) => {
  expect(arnsOf(guarded(document))).toEqual([]);
});

test("who may with MFA is one", () => {
  const document = policyOf({
    Effect: "Allow",
    Action: "*",
    Resource: "*",
    Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
  });
  expect(arnsOf(guarded(document))).toHaveLength(1);
});

test("a principal of another account is none, whatever it may", () => {
  const org = createOrganization();
  org.call("iam:CreateUser", { userName: "bob" });
  org.call("iam:PutUserPolicy", { userName: "bob", policyName: "a", policyDocument: both });
  const rules = [{ user: { account: shop, name: "bob" } }];
  org.call("iam:CreateOpenIDConnectProvider", { ...provider, rules });
  expect(arnsOf(org)).toEqual([]);
});

test("a user is one once a rule leads to him", () => {
  const org = createOrganization();
  org.call("iam:CreateUser", { ...account, userName: "ann" });
  org.call("iam:PutUserPolicy", {
    ...account,
    userName: "ann",
    policyName: "a",
    policyDocument: both,
  });
  org.call("iam:CreateOpenIDConnectProvider", provider);
  expect(arnsOf(org)).toEqual([]);
  const rules = [{ user: { account: management, name: { claim: "sub" } } }];
  org.call("iam:UpdateOpenIDConnectProvider", { ...provider, rules });
  expect(arnsOf(org)).toEqual([`arn:aws:iam::${management}:user/ann`]);
});

test("roles that only trust each other are reached by nobody", () => {
  const org = createOrganization();
  const trusting = (name: string) =>
    policyOf({
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${management}:role/${name}` },
      Action: "sts:AssumeRole",
    });
  org.call("iam:CreateRole", { ...account, roleName: "a", assumeRolePolicyDocument: byProvider });
  org.call("iam:CreateRole", {
    ...account,
    roleName: "b",
    assumeRolePolicyDocument: trusting("a"),
  });
  org.call("iam:UpdateAssumeRolePolicy", {
    ...account,
    roleName: "a",
    policyDocument: trusting("b"),
  });
  org.call("iam:PutRolePolicy", {
    ...account,
    roleName: "a",
    policyName: "a",
    policyDocument: both,
  });
  expect(arnsOf(org)).toEqual([]);
});

const lockouts: readonly [string, string, object][] = [
  [
    "the attachment goes",
    "iam:DetachRolePolicy",
    { ...account, roleName: "admin", policyArn: `arn:aws:iam::${management}:policy/admin` },
  ],
  [
    "a boundary comes",
    "iam:PutRolePermissionsBoundary",
    {
      ...account,
      roleName: "admin",
      permissionsBoundary: `arn:aws:iam::${management}:policy/little`,
    },
  ],
  [
    "a Deny comes",
    "iam:PutRolePolicy",
    {
      ...account,
      roleName: "admin",
      policyName: "d",
      policyDocument: policyOf({ Effect: "Deny", Action: "iam:*", Resource: "*" }),
    },
  ],
  ["the role is disabled", "iam:UpdateRole", { ...account, roleName: "admin", state: "disabled" }],
  [
    "the provider goes",
    "iam:DeleteOpenIDConnectProvider",
    { openIDConnectProviderArn: providerArn },
  ],
  [
    "the policy loses it",
    "iam:CreatePolicyVersion",
    {
      policyArn: `arn:aws:iam::${management}:policy/admin`,
      policyDocument: policyOf({ Effect: "Allow", Action: "iam:Get*", Resource: "*" }),
      setAsDefault: true,
    },
  ],
];

describe("TEN-6 everybody is locked out when", () => {
  test.each(lockouts)("%s", (_why, name, input) => {
    const org = guarded();
    org.call("iam:CreatePolicy", {
      ...account,
      policyName: "little",
      policyDocument: policyOf({ Effect: "Allow", Action: "iam:Get*", Resource: "*" }),
    });
    const known = administrators(org.replica, nowMs);
    expect(locksOut(known, org.replica, nowMs)).toBe(false);
    org.call(name, input);
    expect(locksOut(known, org.replica, nowMs)).toBe(true);
    expect(administrators(org.replica, nowMs)).toEqual([]);
  });
});

test("an SCP locks nobody out of the management account", () => {
  const org = guarded();
  const known = administrators(org.replica, nowMs);
  const content = policyOf({ Effect: "Deny", Action: "*", Resource: "*" });
  const made = org.call("organizations:CreatePolicy", {
    name: "no",
    type: "SERVICE_CONTROL_POLICY",
    content,
  });
  const { policySummary } = made.policy as unknown as { policySummary: { id: string } };
  org.call("organizations:AttachPolicy", { policyId: policySummary.id, targetId: "r-acme" });
  expect(locksOut(known, org.replica, nowMs)).toBe(false);
});

test("where there was no administrator, nobody is locked out", () => {
  expect(locksOut([], createOrganization().replica, nowMs)).toBe(false);
});
