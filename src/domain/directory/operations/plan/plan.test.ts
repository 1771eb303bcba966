import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  allowRead,
  createOrganization,
  denyAll,
  FakeOrganization,
  shop,
} from "../../../../../test/fakes/organization.ts";
import { apply, planOf, withoutIds } from "../../../../../test/fakes/planned-documents.ts";
import { readDocuments } from "../../documents.ts";
import { directoryOf } from "../../state/directory-of.ts";

const everyKind = readFileSync(new URL("../../every-kind.yaml", import.meta.url), "utf8");

function document(kind: string, metadata: object, spec: object): string {
  return `${JSON.stringify({ apiVersion: "mesh-iam.io/v1", kind, metadata, spec })}\n---\n`;
}

const user = (name: string, spec: object = {}) => document("User", { name, account: shop }, spec);
const group = (name: string, spec: object = {}) => document("Group", { name, account: shop }, spec);
const policy = (name: string, policyDocument: string) =>
  document("ManagedPolicy", { name, account: shop }, { policyDocument });
const role = (name: string, trusts: string, spec: object = {}) => {
  const Statement = [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${shop}:${trusts}` },
      Action: "sts:AssumeRole",
    },
  ];
  const assumeRolePolicyDocument = { Version: "2012-10-17", Statement };
  return document("Role", { name, account: shop }, { assumeRolePolicyDocument, ...spec });
};

function managed(): FakeOrganization {
  const org = createOrganization();
  org.manager = "mesh-iam-apply";
  return org;
}

const operationsOf = (planned: ReturnType<typeof planOf>) =>
  planned.refused ? planned.refusals : planned.steps.map(({ operation }) => operation);

test("every kind, applied to nothing, is the directory of its documents", () => {
  const org = new FakeOrganization();
  apply(org, everyKind);
  const loaded = readDocuments([{ path: "a.yaml", text: everyKind }], {
    readFile: () => ({ ok: true, value: '{"keys":[]}' }),
  });
  if (!loaded.ok) throw new Error("every kind cannot be read");
  const directory = directoryOf(org.replica);
  expect(withoutIds(directory)).toEqual(withoutIds(loaded.value));
  expect(directory.roles.filter(({ path }) => path.startsWith("/aws-reserved/"))).toHaveLength(1);
  expect(operationsOf(planOf(org, everyKind))).toEqual([]);
  expect(operationsOf(planOf(org, everyKind, { prune: true }))).toEqual([]);
});

test("documents may rest on what the control plane has, and on each other in any order", () => {
  const org = managed();
  org.call("iam:CreatePolicy", { policyName: "read", policyDocument: allowRead });
  const text = user("bob", { groups: ["devs"], managedPolicyArns: ["read"] }) + group("devs");
  apply(org, text);
  const { users, groups, managedPolicies } = directoryOf(org.replica);
  expect(users).toMatchObject([
    { groupIds: [groups[0]?.id], attachedPolicyIds: [managedPolicies[0]?.id] },
  ]);
  expect(operationsOf(planOf(org, text))).toEqual([]);
});

test("roles that trust each other are made, and then trust each other", () => {
  const org = managed();
  const text = role("a", "role/b") + role("b", "role/a");
  apply(org, text);
  const texts = directoryOf(org.replica).roles.map(({ trustPolicy }) => trustPolicy.text);
  expect(texts.join()).toContain(`arn:aws:iam::${shop}:role/a`);
  expect(texts.join()).toContain(`arn:aws:iam::${shop}:role/b`);
  expect(operationsOf(planOf(org, text))).toEqual([]);
});

const rows: readonly [string, string, string, readonly string[]][] = [
  ["nothing", user("a"), user("a"), []],
  [
    "a tag",
    user("a", { tags: { x: "1", y: "2" } }),
    user("a", { tags: { x: "2" } }),
    ["iam:UntagUser", "iam:TagUser"],
  ],
  ["a state", user("a"), user("a", { state: "disabled" }), ["iam:UpdateUser"]],
  ["the spelling of a name", user("a"), user("A"), ["iam:UpdateUser"]],
  [
    "an inline policy",
    group("g", { policies: [{ policyName: "p", policyDocument: allowRead }] }),
    group("g", { policies: [{ policyName: "P", policyDocument: denyAll }] }),
    ["iam:PutGroupPolicy"],
  ],
  [
    "an attachment that goes",
    policy("p", allowRead) + group("g", { managedPolicyArns: ["p"] }),
    group("g"),
    ["iam:DetachGroupPolicy"],
  ],
  ["a policy's text", policy("p", allowRead), policy("p", denyAll), ["iam:CreatePolicyVersion"]],
  [
    "whom a role trusts",
    user("a") + user("b") + role("r", "user/a"),
    role("r", "user/b"),
    ["iam:UpdateAssumeRolePolicy"],
  ],
  [
    "a role's session",
    user("a") + role("r", "user/a"),
    role("r", "user/a", { maxSessionDuration: 7200, sessionBinding: "none" }),
    ["iam:UpdateRole", "iam:UpdateRole"],
  ],
  [
    "a boundary",
    policy("p", allowRead) + user("a"),
    policy("p", allowRead) + user("a", { permissionsBoundary: "p" }),
    ["iam:PutUserPermissionsBoundary"],
  ],
  [
    "a boundary that goes",
    policy("p", allowRead) + user("a", { permissionsBoundary: "p" }),
    user("a"),
    ["iam:DeleteUserPermissionsBoundary"],
  ],
];

describe("a change of", () => {
  test.each(rows)("%s is the operations that it takes", (_why, before, after, want) => {
    const org = managed();
    apply(org, before);
    expect(operationsOf(planOf(org, after))).toEqual(want);
    apply(org, after);
    expect(operationsOf(planOf(org, after))).toEqual([]);
  });
});

test("a sixth version makes room for itself", () => {
  const org = managed();
  for (let i = 0; i < 7; i++) apply(org, policy("p", i % 2 === 0 ? allowRead : denyAll));
  expect(org.replica.named("managedPolicy", shop, "p")).toMatchObject({ defaultVersionId: "v7" });
});

test("FILE-6 an object of another manager is a conflict that names it, until it is taken over", () => {
  const org = managed();
  org.manager = "terraform";
  org.call("iam:CreateUser", { userName: "bob" });
  org.manager = "mesh-iam-apply";
  const text = user("bob", { state: "disabled" });
  expect(planOf(org, text)).toMatchObject({
    refusals: [
      {
        object: `user ${shop}/bob`,
        message: expect.stringContaining("`terraform`"),
      },
    ],
  });
  expect(apply(org, text, { takeOver: true })).toEqual([["mesh-iam:TakeOver", "iam:UpdateUser"]]);
  expect(operationsOf(planOf(org, text))).toEqual([]);
});

test("FILE-7 an object that changed since the plan is ConcurrentModification", () => {
  const org = managed();
  apply(org, user("bob"));
  const first = planOf(org, user("bob", { state: "disabled" }));
  if (first.refused) throw new Error("refused");
  org.call("iam:TagUser", { userName: "bob", tags: { a: "b" } });
  const second = planOf(org, user("bob", { state: "disabled" }), { expected: first.revisions });
  expect(second).toMatchObject({ refusals: [{ code: "ConcurrentModification" }] });
});

test("FILE-6 prune removes what this manager owns and the run no longer has, and nothing else", () => {
  const org = new FakeOrganization();
  org.call("organizations:CreateOrganization", { name: "x", managementAccountId: "999988887777" });
  org.call("organizations:CreateAccount", { accountName: "shop", accountId: shop });
  org.call("iam:CreateUser", { userName: "api" });
  org.manager = "mesh-iam-apply";
  const all =
    policy("p", allowRead) +
    group("g", { managedPolicyArns: ["p"] }) +
    user("a", {
      groups: ["g"],
      managedPolicyArns: ["p"],
      permissionsBoundary: "p",
      policies: [{ policyName: "own", policyDocument: allowRead }],
    }) +
    role("r", "user/a", { managedPolicyArns: ["p"] });
  apply(org, all);
  apply(org, user("b"), { prune: true });
  const { users, groups, roles, managedPolicies, accounts } = directoryOf(org.replica);
  expect(users.map(({ name }) => name).sort()).toEqual(["api", "b"]);
  expect([groups, roles, managedPolicies]).toEqual([[], [], []]);
  expect(accounts).toHaveLength(2);
});

test("everything can be pruned but accounts and the units that hold them", () => {
  const org = new FakeOrganization();
  apply(org, everyKind);
  const place = /kind: (Organization|OrganizationalUnit|Account)\n/;
  const places = everyKind.split("---\n").filter((text) => place.test(text));
  apply(org, places.join("---\n"), { prune: true });
  const { accounts, organizationalUnits, serviceControlPolicies, ...others } = directoryOf(
    org.replica,
  );
  expect(accounts.length).toBeGreaterThan(2);
  expect(organizationalUnits).toHaveLength(2);
  expect(serviceControlPolicies).toMatchObject([{ name: "FullAWSAccess" }]);
  expect(Object.values(others).filter(Array.isArray).flat()).toEqual([]);
});

test("a unit that still holds an account is not pruned from under it", () => {
  const org = new FakeOrganization();
  apply(org, everyKind);
  const accounts = everyKind
    .split("---\n")
    .filter((text) => /kind: (Organization|Account)\n/.test(text));
  expect(planOf(org, accounts.join("---\n"), { prune: true })).toMatchObject({
    refusals: [{ code: "DeleteConflict" }],
  });
});

test("API-4 more objects than a commit holds come in several, and a broken run is taken up again", () => {
  const org = managed();
  const text =
    policy("no", denyAll) +
    Array.from({ length: 12 }, (_, i) =>
      user(`u${i}`, {
        policies: [{ policyName: "p", policyDocument: allowRead }],
        managedPolicyArns: ["no"],
      }),
    ).join("");
  const commits = apply(org, text, { maxObjects: 5 });
  expect(commits.length).toBeGreaterThan(2);
  const flat = commits.flat();
  const lastDeny = flat.lastIndexOf("iam:AttachUserPolicy");
  expect(lastDeny).toBeLessThan(flat.indexOf("iam:PutUserPolicy"));
  expect(directoryOf(org.replica).users).toHaveLength(12);
});

test("a refusal of a step names its object, and nothing is planned", () => {
  const org = managed();
  org.quotas = { ...org.quotas, usersPerAccount: 1 };
  expect(planOf(org, user("a") + user("b"))).toMatchObject({
    refusals: [{ code: "LimitExceeded", object: expect.stringMatching(/^user .*\/[ab]$/) }],
  });
});

test("where a quota leaves no room, what goes makes it, as long as it is one commit", () => {
  const org = managed();
  org.quotas = { ...org.quotas, managedPoliciesPerGroup: 1 };
  const policies = policy("one", denyAll) + policy("two", allowRead);
  apply(org, policies + group("g", { managedPolicyArns: ["one"] }));
  const after = policies + group("g", { managedPolicyArns: ["two"] });
  expect(operationsOf(planOf(org, after))).toEqual([
    "iam:DetachGroupPolicy",
    "iam:AttachGroupPolicy",
  ]);
  const more = after + user("a") + user("b");
  expect(planOf(org, more, { maxObjects: 2 })).toMatchObject({
    refusals: [{ code: "LimitExceeded" }],
  });
});

test("a path that cannot be changed is said to be so", () => {
  const org = managed();
  apply(org, user("a") + role("r", "user/a"));
  const moved = role("r", "user/a").replace('"name":"r"', '"name":"r","path":"/x/"');
  expect(planOf(org, moved)).toMatchObject({
    refusals: [{ code: "ValidationError", field: "metadata.path" }],
  });
});

test("each step has the questions of its operation", () => {
  const org = managed();
  const planned = planOf(org, policy("p", allowRead) + user("a", { managedPolicyArns: ["p"] }));
  if (planned.refused) throw new Error("refused");
  const asked = planned.steps.map(({ questions }) => questions.map(({ action }) => action));
  expect(asked).toEqual([["iam:CreatePolicy"], ["iam:CreateUser"], ["iam:AttachUserPolicy"]]);
});
