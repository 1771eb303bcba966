import { describe, expect, test } from "vitest";
import {
  allowRead,
  createOrganization,
  type FakeOrganization,
  partner,
  policyOf,
  shop,
  trustShop,
} from "../../../../test/fakes/organization.ts";
import { directoryOf } from "../state/directory-of.ts";

const policyArn = (name: string, account = shop) => `arn:aws:iam::${account}:policy/${name}`;

/** One of everything that principals are about. */
function furnished(): FakeOrganization {
  const org = createOrganization();
  org.call("iam:CreatePolicy", { policyName: "read", policyDocument: allowRead });
  org.call("iam:CreatePolicy", { policyName: "bound", policyDocument: allowRead });
  org.call("iam:CreatePolicy", {
    account: partner,
    policyName: "theirs",
    policyDocument: allowRead,
  });
  org.call("iam:CreateUser", { userName: "Bob", path: "/team/", tags: { team: "blue" } });
  org.call("iam:CreateGroup", { groupName: "devs" });
  org.call("iam:AddUserToGroup", { groupName: "devs", userName: "bob" });
  org.call("iam:CreateRole", { roleName: "app", assumeRolePolicyDocument: trustShop });
  org.call("iam:AttachRolePolicy", { roleName: "app", policyArn: policyArn("read") });
  org.call("mesh-iam:PutTrustDomain", {
    name: "cluster.local",
    accounts: [{ namespace: "shop", account: shop }, { account: partner }],
  });
  org.call("mesh-iam:CreateWorkload", { name: "orders", spiffeId: orders });
  return org;
}

const orders = "spiffe://cluster.local/ns/shop/sa/orders";
const stranger = "spiffe://cluster.local/ns/elsewhere/sa/x";

const refusals: readonly [string, object, string, string?][] = [
  ["iam:CreateUser", { userName: "bOB" }, "EntityAlreadyExists"],
  ["iam:CreateUser", { userName: "a b" }, "ValidationError"],
  ["iam:CreateUser", { userName: "x", path: "/aws-reserved/x/" }, "ValidationError"],
  ["iam:CreateUser", { userName: "x", surprise: 1 }, "ValidationError"],
  ["iam:CreateUser", {}, "ValidationError"],
  ["iam:CreateUser", { account: "123412341234", userName: "x" }, "NoSuchEntity"],
  ["iam:CreateUser", { userName: "x", permissionsBoundary: policyArn("none") }, "NoSuchEntity"],
  [
    "iam:CreateUser",
    { userName: "x", permissionsBoundary: policyArn("theirs", partner) },
    "ValidationError",
  ],
  ["iam:CreateUser", { userName: "x", tags: { "aws:x": "1" } }, "ValidationError"],
  ["iam:UpdateUser", { userName: "nobody" }, "NoSuchEntity"],
  ["iam:UpdateUser", { userName: "bob", state: "asleep" }, "ValidationError"],
  ["iam:UpdateUser", { userName: "bob", expectedRevision: 1 }, "ConcurrentModification"],
  ["iam:DeleteUser", { userName: "bob" }, "DeleteConflict"],
  ["iam:DeleteUser", { userName: "nobody" }, "NoSuchEntity"],
  ["iam:CreateGroup", { groupName: "DEVS" }, "EntityAlreadyExists"],
  ["iam:DeleteGroup", { groupName: "devs" }, "DeleteConflict"],
  ["iam:AddUserToGroup", { groupName: "devs", userName: "nobody" }, "NoSuchEntity"],
  ["iam:AddUserToGroup", { groupName: "none", userName: "bob" }, "NoSuchEntity"],
  ["iam:RemoveUserFromGroup", { groupName: "none", userName: "bob" }, "NoSuchEntity"],
  [
    "iam:CreateRole",
    { roleName: "APP", assumeRolePolicyDocument: trustShop },
    "EntityAlreadyExists",
  ],
  ["iam:CreateRole", { roleName: "x", assumeRolePolicyDocument: "{" }, "MalformedPolicyDocument"],
  [
    "iam:CreateRole",
    { roleName: "x", assumeRolePolicyDocument: allowRead },
    "MalformedPolicyDocument",
  ],
  [
    "iam:CreateRole",
    { roleName: "x", assumeRolePolicyDocument: trustOf("user/nobody") },
    "MalformedPolicyDocument",
  ],
  [
    "iam:CreateRole",
    { roleName: "x", assumeRolePolicyDocument: trustShop, maxSessionDuration: 60 },
    "ValidationError",
  ],
  ["iam:UpdateRole", { roleName: "none" }, "NoSuchEntity"],
  [
    "iam:UpdateAssumeRolePolicy",
    { roleName: "app", policyDocument: trustOf("role/none") },
    "MalformedPolicyDocument",
  ],
  ["iam:DeleteRole", { roleName: "app" }, "DeleteConflict"],
  ["iam:AttachRolePolicy", { roleName: "app", policyArn: policyArn("none") }, "NoSuchEntity"],
  ["iam:AttachRolePolicy", { roleName: "app", policyArn: policyArn("READ") }, "NoSuchEntity"],
  [
    "iam:AttachRolePolicy",
    { roleName: "app", policyArn: policyArn("theirs", partner) },
    "ValidationError",
  ],
  ["iam:AttachRolePolicy", { roleName: "app", policyArn: "read" }, "ValidationError"],
  ["iam:DetachUserPolicy", { userName: "bob", policyArn: policyArn("read") }, "NoSuchEntity"],
  [
    "iam:PutUserPolicy",
    { userName: "bob", policyName: "p", policyDocument: trustShop },
    "MalformedPolicyDocument",
  ],
  [
    "iam:PutUserPolicy",
    { userName: "bob", policyName: "p", policyDocument: long(2_100) },
    "LimitExceeded",
  ],
  ["iam:DeleteUserPolicy", { userName: "bob", policyName: "none" }, "NoSuchEntity"],
  ["iam:DeleteUserPermissionsBoundary", { userName: "bob" }, "NoSuchEntity"],
  [
    "iam:PutUserPermissionsBoundary",
    { userName: "bob", permissionsBoundary: policyArn("none") },
    "NoSuchEntity",
  ],
  ["iam:TagUser", { userName: "bob", tags: manyTags(51) }, "ValidationError"],
  ["iam:TagUser", { userName: "bob", tags: manyTags(50) }, "LimitExceeded"],
  ["mesh-iam:CreateWorkload", { name: "o", spiffeId: orders }, "EntityAlreadyExists"],
  ["mesh-iam:CreateWorkload", { name: "o", spiffeId: stranger }, "ValidationError"],
  [
    "mesh-iam:CreateWorkload",
    { name: "ORDERS", spiffeId: "spiffe://cluster.local/ns/shop/sa/y" },
    "EntityAlreadyExists",
  ],
  [
    "mesh-iam:CreateWorkload",
    { name: "o", spiffeId: "spiffe://other/ns/shop/sa/x" },
    "NoSuchEntity",
  ],
  ["mesh-iam:DeleteWorkload", { spiffeId: stranger }, "NoSuchEntity"],
  ["iam:DeletePolicy", { policyArn: policyArn("read") }, "DeleteConflict"],
];

function trustOf(...names: readonly string[]): string {
  const arns = names.map((name) => `arn:aws:iam::${shop}:${name}`);
  return policyOf({ Effect: "Allow", Principal: { AWS: arns }, Action: "sts:AssumeRole" });
}

function long(characters: number): string {
  const Resource = `arn:aws:orders:::${"x".repeat(characters)}`;
  return policyOf({ Effect: "Allow", Action: "orders:*", Resource });
}

function manyTags(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
}

describe("refusals", () => {
  test.each(refusals)("%s %j is %s", (name, input, code) => {
    const org = furnished();
    const revision = org.replica.revision;
    expect(org.try(name, input)).toMatchObject({ refused: true, code });
    expect(org.replica.revision).toBe(revision);
  });
});

test("quotas refuse one more, and say how many there may be", () => {
  const org = furnished();
  org.quotas = { ...org.quotas, usersPerAccount: 1, groupsPerUser: 1, managedPoliciesPerRole: 1 };
  expect(org.try("iam:CreateUser", { userName: "x" })).toMatchObject({ code: "LimitExceeded" });
  org.call("iam:CreateUser", { account: partner, userName: "x" });
  org.call("iam:CreateGroup", { groupName: "two" });
  expect(org.try("iam:AddUserToGroup", { groupName: "two", userName: "bob" })).toMatchObject({
    code: "LimitExceeded",
    message: "expected at most 1 groups",
  });
  const more = { roleName: "app", policyArn: policyArn("bound") };
  expect(org.try("iam:AttachRolePolicy", more)).toMatchObject({ code: "LimitExceeded" });
});

test("a user is made, changed and deleted", () => {
  const org = furnished();
  org.call("iam:AttachUserPolicy", { userName: "bob", policyArn: policyArn("read") });
  org.call("iam:PutUserPolicy", { userName: "bob", policyName: "Own", policyDocument: allowRead });
  org.call("iam:PutUserPolicy", { userName: "bob", policyName: "own", policyDocument: allowRead });
  org.call("iam:PutUserPermissionsBoundary", {
    userName: "bob",
    permissionsBoundary: policyArn("bound"),
  });
  org.call("iam:TagUser", { userName: "bob", tags: { TEAM: "red", cost: "1" } });
  org.call("iam:UntagUser", { userName: "bob", tagKeys: ["Cost"] });
  org.call("iam:UpdateUser", { userName: "bob", state: "disabled", newUserName: "Robert" });
  const [user] = directoryOf(org.replica).users;
  const arn = `arn:aws:iam::${shop}:user/team/Robert`;
  expect(user).toMatchObject({
    name: "Robert",
    path: "/team/",
    arn,
    state: "disabled",
    tags: new Map([["TEAM", "red"]]),
    inlinePolicies: [{ id: `${arn}/own`, text: allowRead, source: null }],
  });
  expect(org.call("iam:GetUser", { userName: "robert" })).toMatchObject({
    user: {
      arn,
      tags: [{ key: "TEAM", value: "red" }],
      permissionsBoundary: { permissionsBoundaryArn: policyArn("bound") },
    },
  });
  expect(org.try("iam:GetUser", { userName: "bob" })).toMatchObject({ code: "NoSuchEntity" });
  org.call("iam:DeleteUserPolicy", { userName: "robert", policyName: "OWN" });
  org.call("iam:DetachUserPolicy", { userName: "robert", policyArn: policyArn("read") });
  org.call("iam:DeleteUserPermissionsBoundary", { userName: "robert" });
  org.call("iam:RemoveUserFromGroup", { groupName: "devs", userName: "robert" });
  org.call("iam:DeleteUser", { userName: "robert" });
  expect(directoryOf(org.replica).users).toEqual([]);
  org.call("iam:DeleteGroup", { groupName: "devs" });
});

test("what is as it was makes no revision", () => {
  const org = furnished();
  const { revision } = org.replica;
  org.call("iam:AttachRolePolicy", { roleName: "app", policyArn: policyArn("read") });
  org.call("iam:AddUserToGroup", { groupName: "devs", userName: "bob" });
  expect(org.replica.revision).toBe(revision);
});

test("a revision that is as expected lets the change pass", () => {
  const org = furnished();
  const { user } = org.call("iam:GetUser", { userName: "bob" }) as Record<string, never>;
  const { revision: expectedRevision } = user as unknown as { revision: number };
  org.call("iam:UpdateUser", { userName: "bob", state: "disabled", expectedRevision });
  expect(org.try("iam:UpdateUser", { userName: "bob", expectedRevision })).toMatchObject({
    code: "ConcurrentModification",
    field: "expectedRevision",
  });
});

test("a re-created name inherits nothing, neither an id nor a place in a trust policy", () => {
  const org = furnished();
  org.call("iam:CreateUser", { userName: "al" });
  org.call("iam:UpdateAssumeRolePolicy", { roleName: "app", policyDocument: trustOf("user/al") });
  const before = directoryOf(org.replica);
  const al = before.users.find(({ name }) => name === "al");
  expect(before.roles[0]?.trustPolicy.text).toBe(trustOf("user/al"));
  org.call("iam:DeleteUser", { userName: "al" });
  org.call("iam:CreateUser", { userName: "al" });
  const after = directoryOf(org.replica);
  expect(after.users.find(({ name }) => name === "al")?.id).not.toBe(al?.id);
  const text = trustOf("user/al").replace(`arn:aws:iam::${shop}:user/al`, al?.id ?? "");
  expect(after.roles[0]?.trustPolicy.text).toBe(text);
  expect(org.call("iam:GetRole", { roleName: "app" })).toMatchObject({
    role: { assumeRolePolicyDocument: text },
  });
  org.call("iam:UpdateAssumeRolePolicy", { roleName: "app", policyDocument: trustOf("user/al") });
  expect(directoryOf(org.replica).roles[0]?.trustPolicy.text).toBe(trustOf("user/al"));
});

test("a trust policy follows a principal that is renamed", () => {
  const org = furnished();
  org.call("iam:CreateUser", { userName: "al" });
  org.call("iam:UpdateAssumeRolePolicy", { roleName: "app", policyDocument: trustOf("user/al") });
  org.call("iam:UpdateUser", { userName: "al", newUserName: "albert" });
  org.call("iam:CreateUser", { userName: "al" });
  expect(directoryOf(org.replica).roles[0]?.trustPolicy.text).toBe(trustOf("user/albert"));
});

test("a trust policy may name who is outside the organization, and identities that are not stored", () => {
  const org = furnished();
  const trust = policyOf({
    Effect: "Allow",
    Principal: {
      AWS: [
        "arn:aws:iam::123412341234:user/x",
        `arn:aws:iam::${shop}:workload/cluster.local/ns/shop/sa/y`,
      ],
    },
    Action: "sts:AssumeRole",
  });
  org.call("iam:CreateRole", { roleName: "x", assumeRolePolicyDocument: trust });
});

test("sessions are revoked by the revision of the change", () => {
  const org = furnished();
  org.call("mesh-iam:RevokeRoleSessions", { roleName: "app" });
  const role = org.replica.named("role", shop, "app");
  expect(role).toMatchObject({ sessionsValidFrom: { epoch: 1, revision: org.replica.revision } });
});

test("a policy is stored with what the validator finds", () => {
  const org = furnished();
  const result = org.try("iam:PutUserPolicy", {
    userName: "bob",
    policyName: "nothing",
    policyDocument: policyOf({ Effect: "Allow", Action: "orders:*", Resource: [] }),
  });
  const path = "policyDocument.Statement[0].Resource";
  expect(result).toMatchObject({ findings: [{ code: "EMPTY_ARRAY_RESOURCE", path }] });
  expect(org.call("iam:ListUserPolicies", { userName: "bob" })).toMatchObject({
    policyNames: ["nothing"],
  });
});

test("the questions name action, ARN, account and keys", () => {
  const org = furnished();
  const [create, tag] = org.questions("iam:CreateUser", {
    userName: "x",
    path: "/a/",
    tags: { team: "blue" },
    permissionsBoundary: policyArn("bound"),
  });
  expect(create).toEqual({
    action: "iam:CreateUser",
    resource: `arn:aws:iam::${shop}:user/a/x`,
    account: shop,
    keys: new Map([
      ["aws:RequestTag/team", { multivalued: false, values: ["blue"] }],
      ["aws:TagKeys", { multivalued: true, values: ["team"] }],
      ["iam:PermissionsBoundary", { multivalued: false, values: [policyArn("bound")] }],
    ]),
  });
  expect(tag?.action).toBe("iam:TagUser");
  const [attach] = org.questions("iam:AttachUserPolicy", {
    userName: "BOB",
    policyArn: policyArn("read"),
  });
  expect(attach).toEqual({
    action: "iam:AttachUserPolicy",
    resource: `arn:aws:iam::${shop}:user/team/Bob`,
    account: shop,
    keys: new Map([
      ["aws:ResourceTag/team", { multivalued: false, values: ["blue"] }],
      ["iam:ResourceTag/team", { multivalued: false, values: ["blue"] }],
      ["iam:PolicyARN", { multivalued: false, values: [policyArn("read")] }],
    ]),
  });
  const [unknown] = org.questions("iam:DeleteUser", { userName: "nobody", account: partner });
  expect(unknown).toMatchObject({
    resource: `arn:aws:iam::${partner}:user/nobody`,
    account: partner,
  });
  const [workload] = org.questions("mesh-iam:DeleteWorkload", { spiffeId: stranger });
  expect(workload?.resource).toBe(`arn:aws:iam::${shop}:workload/cluster.local/ns/elsewhere/sa/x`);
});
