import { expect, test } from "vitest";
import { allowRead, createOrganization, shop } from "../../../../test/fakes/organization.ts";
import { isRefused } from "./refusal.ts";
import { operations } from "./registry.ts";

function withUsers() {
  const org = createOrganization();
  for (const userName of ["Ann", "bob", "cid", "dan", "eva"]) {
    org.call("iam:CreateUser", { userName, path: userName === "eva" ? "/x/" : "/" });
  }
  return org;
}

const names = (answer: Readonly<Record<string, unknown>>) =>
  (answer.users as readonly { userName: string }[]).map(({ userName }) => userName);

test("pages follow each other, and the last one says so", () => {
  const org = withUsers();
  const first = org.call("iam:ListUsers", { maxItems: 2 });
  expect([names(first), first.isTruncated]).toEqual([["Ann", "bob"], true]);
  const second = org.call("iam:ListUsers", { maxItems: 2, marker: first.marker });
  expect(names(second)).toEqual(["cid", "dan"]);
  const third = org.call("iam:ListUsers", { maxItems: 2, marker: second.marker });
  expect([names(third), third.isTruncated, third.marker]).toEqual([["eva"], false, undefined]);
});

test("a page goes on where the last one ended, whatever came and went", () => {
  const org = withUsers();
  const { marker } = org.call("iam:ListUsers", { maxItems: 2 });
  org.call("iam:DeleteUser", { userName: "bob" });
  org.call("iam:CreateUser", { userName: "aaa" });
  expect(names(org.call("iam:ListUsers", { marker }))).toEqual(["cid", "dan", "eva"]);
});

test("a marker is of its own request only", () => {
  const org = withUsers();
  const { marker } = org.call("iam:ListUsers", { maxItems: 2 });
  const refused = { code: "ValidationError", field: "marker" };
  expect(org.try("iam:ListUsers", { marker, pathPrefix: "/x/" })).toMatchObject(refused);
  expect(org.try("iam:ListUsers", { marker, account: "444455556666" })).toMatchObject(refused);
  expect(org.try("iam:ListGroups", { marker })).toMatchObject(refused);
  expect(org.try("iam:ListUsers", { marker: "YWJj" })).toMatchObject(refused);
  expect(isRefused(org.try("iam:ListUsers", { marker, maxItems: 1 }))).toBe(false);
});

test("lists are narrowed by path", () => {
  expect(names(withUsers().call("iam:ListUsers", { pathPrefix: "/x/" }))).toEqual(["eva"]);
});

test("a group shows its members, a user its groups, a policy who has it", () => {
  const org = withUsers();
  org.call("iam:CreateGroup", { groupName: "devs" });
  org.call("iam:CreatePolicy", { policyName: "read", policyDocument: allowRead });
  const policyArn = `arn:aws:iam::${shop}:policy/read`;
  org.call("iam:AttachGroupPolicy", { groupName: "devs", policyArn });
  for (const userName of ["bob", "Ann"]) {
    org.call("iam:AddUserToGroup", { groupName: "devs", userName });
  }
  const group = org.call("iam:GetGroup", { groupName: "devs", maxItems: 1 });
  expect([names(group), group.isTruncated]).toEqual([["Ann"], true]);
  expect(org.call("iam:ListGroupsForUser", { userName: "bob" })).toMatchObject({
    groups: [{ groupName: "devs" }],
  });
  expect(org.call("iam:ListEntitiesForPolicy", { policyArn })).toMatchObject({
    policyEntities: [{ type: "group", arn: `arn:aws:iam::${shop}:group/devs` }],
  });
  expect(org.call("iam:ListAttachedGroupPolicies", { groupName: "devs" })).toMatchObject({
    attachedPolicies: [{ policyName: "read", policyArn }],
  });
});

test("the tree is shown from its root on", () => {
  const org = createOrganization();
  expect(
    org.call("organizations:ListOrganizationalUnitsForParent", { parentId: "r-acme" }),
  ).toMatchObject({ organizationalUnits: [{ name: "prod" }] });
  expect(
    org.call("organizations:ListAccountsForParent", { parentId: "ou-acme-prod00001" }),
  ).toMatchObject({ accounts: [{ id: shop, status: "ACTIVE" }] });
  expect(org.call("organizations:DescribeOrganization")).toMatchObject({
    organization: { id: "o-acme123456", rootId: "r-acme" },
  });
});

test("every operation has an action of its own, and reads change nothing", () => {
  expect(operations.size).toBeGreaterThan(120);
  for (const [action, { service, name, access, input, secretMembers }] of operations) {
    expect(action).toBe(`${service}:${name}`);
    const reads = /^(Get|List|Describe)/.test(name);
    expect([name, access === "Read" || access === "List"]).toEqual([name, reads]);
    expect(Object.keys(input.members)).toEqual(expect.arrayContaining([...secretMembers]));
  }
});
