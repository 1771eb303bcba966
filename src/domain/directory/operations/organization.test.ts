import { expect, test } from "vitest";
import {
  createOrganization,
  denyAll,
  FakeOrganization,
  management,
  partner,
  policyOf,
  shop,
} from "../../../../test/fakes/organization.ts";
import { directoryOf } from "../state/directory-of.ts";

const prod = "ou-acme-prod00001";

function withPolicy(type = "SERVICE_CONTROL_POLICY") {
  const org = createOrganization();
  const content =
    type === "SERVICE_CONTROL_POLICY"
      ? denyAll
      : policyOf({ Effect: "Deny", Principal: "*", Action: "orders:*", Resource: "*" });
  const { policy } = org.call("organizations:CreatePolicy", { name: "guard", type, content });
  const { policySummary } = policy as unknown as { policySummary: { id: string } };
  return { org, policyId: policySummary.id };
}

test("an organization begins with its root and its management account", () => {
  const org = new FakeOrganization();
  org.call("organizations:CreateOrganization", { name: "acme", managementAccountId: management });
  const { organization, accounts, organizationalUnits } = directoryOf(org.replica);
  expect(organization).toMatchObject({ name: "acme", managementAccountId: management });
  expect(organization?.id).toMatch(/^o-[a-z2-7]{24}$/);
  expect(organization?.rootId).toMatch(/^r-[a-z2-7]{8}$/);
  expect(accounts).toMatchObject([{ id: management, parentId: organization?.rootId }]);
  expect(organizationalUnits).toEqual([]);
});

const refusals: readonly [string, object, string][] = [
  ["CreateOrganization", { name: "x", managementAccountId: management }, "EntityAlreadyExists"],
  ["CreateAccount", { accountName: "x", accountId: shop }, "EntityAlreadyExists"],
  ["CreateAccount", { accountName: "x", parentId: "ou-acme-none00000" }, "NoSuchEntity"],
  ["CreateAccount", { accountName: "x", accountId: "12" }, "ValidationError"],
  ["CreateOrganizationalUnit", { parentId: "r-acme", name: "PROD" }, "EntityAlreadyExists"],
  ["CreateOrganizationalUnit", { parentId: "r-none", name: "x" }, "NoSuchEntity"],
  ["CreateOrganizationalUnit", { parentId: "r-acme", name: "x", id: prod }, "EntityAlreadyExists"],
  ["CreateOrganizationalUnit", { parentId: "r-acme", name: "a/b" }, "ValidationError"],
  ["UpdateOrganizationalUnit", { organizationalUnitId: "r-acme", name: "x" }, "ValidationError"],
  ["DeleteOrganizationalUnit", { organizationalUnitId: prod }, "DeleteConflict"],
  ["DeleteOrganizationalUnit", { organizationalUnitId: "r-acme" }, "ValidationError"],
  ["DeleteOrganizationalUnit", { organizationalUnitId: "ou-acme-none00000" }, "NoSuchEntity"],
  [
    "MoveAccount",
    { accountId: shop, sourceParentId: "r-acme", destinationParentId: "r-acme" },
    "NoSuchEntity",
  ],
  [
    "MoveAccount",
    { accountId: shop, sourceParentId: prod, destinationParentId: "r-none" },
    "NoSuchEntity",
  ],
  ["CloseAccount", { accountId: management }, "ValidationError"],
  ["CloseAccount", { accountId: "123412341234" }, "NoSuchEntity"],
  [
    "CreatePolicy",
    { name: "FullAWSAccess", type: "SERVICE_CONTROL_POLICY", content: denyAll },
    "EntityAlreadyExists",
  ],
  [
    "CreatePolicy",
    { name: "x", type: "SERVICE_CONTROL_POLICY", content: "{}" },
    "MalformedPolicyDocument",
  ],
  [
    "CreatePolicy",
    {
      name: "x",
      type: "RESOURCE_CONTROL_POLICY",
      content: policyOf({ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }),
    },
    "MalformedPolicyDocument",
  ],
  [
    "CreatePolicy",
    {
      name: "x",
      type: "SERVICE_CONTROL_POLICY",
      content: `${denyAll}${" ".repeat(10_240)}`,
    },
    "LimitExceeded",
  ],
  ["CreatePolicy", { name: "x", type: "TAG_POLICY", content: denyAll }, "ValidationError"],
  ["UpdatePolicy", { policyId: "p-FullAWSAccess", name: "x" }, "UnmodifiableEntity"],
  ["DeletePolicy", { policyId: "p-FullAWSAccess" }, "UnmodifiableEntity"],
  ["DeletePolicy", { policyId: "p-nonenone" }, "NoSuchEntity"],
  ["AttachPolicy", { policyId: "p-nonenone", targetId: shop }, "NoSuchEntity"],
  ["DescribeAccount", { accountId: "123412341234" }, "NoSuchEntity"],
];

test("a policy that is refused names the place in it", () => {
  const content = policyOf({ Effect: "Deny", Action: "orders:*", Resource: "*" });
  expect(
    createOrganization().try("organizations:CreatePolicy", {
      name: "x",
      type: "RESOURCE_CONTROL_POLICY",
      content,
    }),
  ).toMatchObject({ code: "MalformedPolicyDocument", field: "content.Statement[0]" });
});

test.each(refusals)("%s %j is %s", (name, input, code) => {
  expect(createOrganization().try(`organizations:${name}`, input)).toMatchObject({ code });
});

test("units nest as deep as the quota, and no deeper", () => {
  const org = createOrganization();
  let parentId = prod;
  for (let depth = 2; depth <= 5; depth++) {
    const made = org.call("organizations:CreateOrganizationalUnit", {
      parentId,
      name: `u${depth}`,
    });
    parentId = (made.organizationalUnit as unknown as { id: string }).id;
  }
  expect(org.try("organizations:CreateOrganizationalUnit", { parentId, name: "u6" })).toMatchObject(
    { code: "LimitExceeded", field: "parentId" },
  );
});

test("an account moves, closes and opens again", () => {
  const org = createOrganization();
  org.call("organizations:MoveAccount", {
    accountId: shop,
    sourceParentId: prod,
    destinationParentId: "r-acme",
  });
  org.call("organizations:CloseAccount", { accountId: shop });
  org.call("organizations:TagAccount", { accountId: shop, tags: { stage: "prod" } });
  const account = () => directoryOf(org.replica).accounts.find(({ id }) => id === shop);
  expect(account()).toMatchObject({
    parentId: "r-acme",
    state: "disabled",
    tags: new Map([["stage", "prod"]]),
  });
  org.call("organizations:ReopenAccount", { accountId: shop });
  org.call("organizations:UntagAccount", { accountId: shop, tagKeys: ["stage"] });
  org.call("organizations:UpdateAccount", { accountId: shop, accountName: "Shop", email: "a@b.c" });
  expect(account()).toMatchObject({
    state: "active",
    tags: new Map(),
    name: "Shop",
    email: "a@b.c",
  });
  org.call("organizations:DeleteOrganizationalUnit", { organizationalUnitId: prod });
});

test.each(["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"])(
  "a %s is made, attached, changed, detached and deleted",
  (type) => {
    const { org, policyId } = withPolicy(type);
    org.call("organizations:AttachPolicy", { policyId, targetId: prod });
    org.call("organizations:AttachPolicy", { policyId, targetId: shop });
    expect(org.try("organizations:DeletePolicy", { policyId })).toMatchObject({
      code: "DeleteConflict",
    });
    expect(
      org.try("organizations:AttachPolicy", { policyId, targetId: "123412341234" }),
    ).toMatchObject({ code: "NoSuchEntity" });
    org.call("organizations:UpdatePolicy", { policyId, name: "guard2" });
    expect(
      org.call("organizations:ListPoliciesForTarget", { targetId: prod, filter: type }),
    ).toMatchObject({ policies: [{ policySummary: { name: "guard2" } }] });
    expect(org.call("organizations:ListTargetsForPolicy", { policyId })).toMatchObject({
      targets: [{ targetId: shop }, { targetId: prod }],
    });
    org.call("organizations:DetachPolicy", { policyId, targetId: prod });
    expect(org.try("organizations:DetachPolicy", { policyId, targetId: prod })).toMatchObject({
      code: "NoSuchEntity",
    });
    org.call("organizations:DetachPolicy", { policyId, targetId: shop });
    org.call("organizations:DeletePolicy", { policyId });
    expect(org.call("organizations:ListPolicies", { filter: type })).toMatchObject({
      policies: [],
    });
  },
);

test("the built-in policies count among those of a target", () => {
  const { org, policyId } = withPolicy();
  org.quotas = {
    ...org.quotas,
    serviceControlPoliciesPerTarget: 1,
    resourceControlPoliciesPerTarget: 1,
  };
  const attach = { policyId, targetId: shop };
  expect(org.try("organizations:AttachPolicy", attach)).toMatchObject({ code: "LimitExceeded" });
  org.call("organizations:DetachPolicy", { policyId: "p-FullAWSAccess", targetId: shop });
  org.call("organizations:AttachPolicy", attach);
});

test("FullAWSAccess is everywhere until it is detached, and comes with new targets", () => {
  const { org } = withPolicy();
  const fullAccess = () =>
    directoryOf(org.replica).serviceControlPolicies.find(({ policy }) => policy === null);
  expect(fullAccess()).toBeUndefined();
  org.call("organizations:DetachPolicy", { policyId: "p-FullAWSAccess", targetId: shop });
  expect(fullAccess()?.targetIds).toEqual([partner, management, prod, "r-acme"]);
  const { revision } = org.replica;
  expect(org.replica.get("p-FullAWSAccess")).toMatchObject({ createRevision: revision });
  org.call("organizations:CreateAccount", { accountName: "new", accountId: "123412341234" });
  const made = org.call("organizations:CreateOrganizationalUnit", {
    parentId: "r-acme",
    name: "test",
    id: "ou-acme-test00001",
  });
  expect(made.organizationalUnit).toMatchObject({ id: "ou-acme-test00001" });
  expect(fullAccess()?.targetIds).toEqual([
    "123412341234",
    partner,
    management,
    prod,
    "ou-acme-test00001",
    "r-acme",
  ]);
  org.call("organizations:DeleteOrganizationalUnit", { organizationalUnitId: "ou-acme-test00001" });
  expect(fullAccess()?.targetIds).not.toContain("ou-acme-test00001");
});

test("the questions of policies are about the policy and about its target", () => {
  const { org, policyId } = withPolicy();
  const asked = org.questions("organizations:AttachPolicy", { policyId, targetId: prod });
  const owner = `arn:aws:organizations::${management}`;
  expect(asked).toMatchObject([
    { resource: `${owner}:policy/o-acme123456/service_control_policy/${policyId}` },
    { resource: `${owner}:ou/o-acme123456/${prod}`, account: management },
  ]);
});
