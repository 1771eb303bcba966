import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  addAdministrator,
  addWorkload,
  adminSpiffeId,
  call,
  localOrigin,
  madeOrganization,
  management,
  shop,
  tryCall,
  workloadCaller,
} from "../../../test/fakes/control-plane.ts";
import { type SqlitePlace, sqlitePlace } from "../../../test/fakes/sqlite-place.ts";
import type { StoreEngine } from "../../adapters/store/store.ts";
import { readDocuments } from "../../domain/directory/documents.ts";
import { formatDocuments } from "../../domain/directory/format.ts";
import type { ShownStep } from "../../domain/directory/operations/plan/plan.ts";
import { directoryOf } from "../../domain/directory/state/directory-of.ts";
import type { DocumentsCall } from "./document-service.ts";
import type { LiveOrganization } from "./live-organization.ts";

const org = "o-acme123456";
let place: SqlitePlace;
let engine: StoreEngine;
let live: LiveOrganization;

beforeEach(async () => {
  place = await sqlitePlace();
  engine = await place.open();
  live = await madeOrganization(engine, org);
});
afterEach(() => place.dispose());

const apply = (text: string, more: Partial<DocumentsCall> = {}) =>
  live.documents.apply({
    caller: { type: "break-glass", home: management },
    origin: localOrigin,
    files: [{ path: "all.yaml", text }],
    dryRun: false,
    prune: false,
    takeOver: false,
    force: false,
    manager: "mesh-iam-apply",
    planDigest: null,
    ...more,
  });

async function stepsOf(text: string, more: Partial<DocumentsCall> = {}) {
  const result = await apply(text, more);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return (result.answer.steps as ShownStep[]).map(
    ({ operation, object }) => `${operation.slice(operation.indexOf(":") + 1)} ${object}`,
  );
}

const document = (kind: string, name: string, spec: object, path?: string) =>
  JSON.stringify({
    apiVersion: "mesh-iam.io/v1",
    kind,
    metadata: { name, account: shop, ...(path === undefined ? {} : { path }) },
    spec,
  });
const all = (...documents: string[]) => documents.join("\n---\n");
const allow = (action: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
});
const readers = document("ManagedPolicy", "readers", { policyDocument: allow("orders:Get*") });
const devs = document("Group", "devs", { managedPolicyArns: ["readers"] });
const bob = document("User", "bob", {
  groups: ["devs"],
  policies: [{ policyName: "own", policyDocument: allow("orders:CancelOrder") }],
  tags: { team: "blue" },
});

test("a run makes what is not there, in one commit, and a second run finds nothing to do", async () => {
  const before = live.replica.position.revision;
  expect(await stepsOf(all(bob, devs, readers))).toEqual([
    `CreatePolicy managedPolicy ${shop}/readers`,
    `CreateGroup group ${shop}/devs`,
    `CreateUser user ${shop}/bob`,
    `AttachGroupPolicy group ${shop}/devs`,
    `AddUserToGroup user ${shop}/bob`,
    `PutUserPolicy user ${shop}/bob`,
  ]);
  expect(live.replica.position.revision).toBe(before + 1);
  expect(await stepsOf(all(bob, devs, readers))).toEqual([]);
  expect(live.replica.position.revision).toBe(before + 1);
});

test("FILE-5 what a spec no longer lists is taken away", async () => {
  await apply(all(bob, devs, readers));
  const less = document("User", "bob", { state: "disabled" }, "/left/");
  expect(await stepsOf(all(less, devs, readers))).toEqual([
    `UpdateUser user ${shop}/bob`,
    `RemoveUserFromGroup user ${shop}/bob`,
    `DeleteUserPolicy user ${shop}/bob`,
    `UpdateUser user ${shop}/bob`,
    `UntagUser user ${shop}/bob`,
  ]);
  expect(await stepsOf(all(less, devs, readers))).toEqual([]);
});

test("roles that trust each other are made in one run", async () => {
  const role = (name: string, trusted: string) =>
    document("Role", name, {
      assumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${shop}:role/${trusted}` },
            Action: "sts:AssumeRole",
          },
        ],
      },
    });
  const both = all(role("a", "b"), role("b", "a"));
  expect(await apply(both)).toMatchObject({ ok: true });
  expect(await stepsOf(both)).toEqual([]);
});

test("a dry run changes nothing, and a plan that is another one by now is not applied", async () => {
  const before = live.replica.position.revision;
  const planned = await apply(all(bob, devs, readers), { dryRun: true });
  const planDigest = planned.ok ? String(planned.answer.planDigest) : "";
  expect(live.replica.position.revision).toBe(before);

  await call(live, "iam:CreateUser", { account: shop, userName: "eve" });
  expect(await apply(all(bob, devs, readers), { planDigest })).toMatchObject({ ok: true });
  await call(live, "iam:RemoveUserFromGroup", {
    account: shop,
    groupName: "devs",
    userName: "bob",
  });
  expect(await apply(all(bob, devs, readers), { planDigest })).toMatchObject({
    code: "ConcurrentModification",
    field: "planDigest",
  });
});

test("the digest of a plan does not depend on the ids it draws, but on those that are there", async () => {
  const unit = (parent: string) =>
    [
      ...["prod", "test"].map((name) => ({
        kind: "OrganizationalUnit",
        name,
        spec: { parentId: "/" },
      })),
      {
        kind: "Organization",
        name: "acme",
        spec: { managementAccountId: management, id: org },
      },
      { kind: "Account", name: "acme", spec: { accountId: management } },
      { kind: "Account", name: "shop", spec: { accountId: shop, parentIds: [parent] } },
    ]
      .map(({ kind, name, spec }) =>
        JSON.stringify({ apiVersion: "mesh-iam.io/v1", kind, metadata: { name }, spec }),
      )
      .join("\n---\n");
  const digestOf = async (text: string) => {
    const planned = await apply(text, { dryRun: true, takeOver: true });
    return planned.ok ? planned.answer.planDigest : planned;
  };
  const first = await digestOf(unit("/prod"));
  expect(first).toEqual(expect.stringMatching(/^[0-9a-f]{64}$/));
  expect(await digestOf(unit("/prod"))).toBe(first);
  expect(await digestOf(unit("/test"))).not.toBe(first);
});

test("FILE-6 an object of another manager is a conflict, and nothing of the run is done", async () => {
  await call(live, "iam:CreateUser", { account: shop, userName: "bob" });
  const before = live.replica.position.revision;
  expect(await apply(all(bob, devs, readers))).toMatchObject({
    code: "ConcurrentModification",
    message: expect.stringContaining(`user ${shop}/bob: it belongs to the field manager \`api\``),
  });
  expect(live.replica.position.revision).toBe(before);
});

test("FILE-6 an object of another manager is taken over by who asks for it and may", async () => {
  await call(live, "iam:CreateUser", { account: shop, userName: "ann" });
  const ann = document("User", "ann", {});
  expect(await stepsOf(ann, { takeOver: true })).toEqual([`TakeOver user ${shop}/ann`]);
  expect(await stepsOf(ann)).toEqual([]);
});

test("a document may name what only the control plane has", async () => {
  await call(live, "iam:CreatePolicy", {
    account: shop,
    policyName: "readers",
    policyDocument: JSON.stringify(allow("orders:Get*")),
  });
  await call(live, "iam:CreateGroup", { account: shop, groupName: "devs" });
  const text = document("User", "bob", { groups: ["devs"], managedPolicyArns: ["readers"] });
  expect(await stepsOf(text)).toEqual([
    `CreateUser user ${shop}/bob`,
    `AddUserToGroup user ${shop}/bob`,
    `AttachUserPolicy user ${shop}/bob`,
  ]);
  expect(await stepsOf(text)).toEqual([]);
  expect(await apply(document("User", "eve", { groups: ["gone"] }))).toMatchObject({
    code: "ValidationError",
    message: expect.stringContaining("gone"),
  });
});

test("a permission set of documents takes effect: its role is in the account it is assigned to", async () => {
  const organizationWide = (kind: string, name: string, spec: object) =>
    JSON.stringify({ apiVersion: "mesh-iam.io/v1", kind, metadata: { name }, spec });
  const assigned = organizationWide("PermissionSetAssignment", "devs-audit", {
    permissionSetArn: "auditor",
    principalType: "GROUP",
    principalId: `arn:aws:iam::${shop}:group/devs`,
    targetType: "AWS_ACCOUNT",
    targetId: shop,
  });
  const auditor = (action: string) =>
    organizationWide("PermissionSet", "auditor", { inlinePolicy: allow(action) });
  const text = (action: string) => all(readers, devs, auditor(action), assigned);
  const digestOf = async () => {
    const planned = await apply(text("orders:Get*"), { dryRun: true });
    return planned.ok ? planned.answer.planDigest : planned;
  };
  const planDigest = String(await digestOf());
  expect(await digestOf()).toBe(planDigest);
  expect(await apply(text("orders:Get*"), { planDigest })).toMatchObject({ ok: true });
  const provisioned = () =>
    directoryOf(live.replica.state).roles.map(({ account, name, inlinePolicies }) => [
      account,
      name.replace(/_[^_]*$/, ""),
      ...inlinePolicies.map((one) => JSON.parse(one.text).Statement[0].Action),
    ]);
  expect(provisioned()).toEqual([[shop, "AWSReservedSSO_auditor", "orders:Get*"]]);
  expect(await stepsOf(text("orders:Get*"))).toEqual([]);

  await apply(text("orders:List*"));
  expect(provisioned()).toEqual([[shop, "AWSReservedSSO_auditor", "orders:List*"]]);
  await apply(all(readers, devs), { prune: true });
  expect(provisioned()).toEqual([]);
});

test("TEN-6 documents that leave nobody but root to administer are refused, and applied with force", async () => {
  await addAdministrator(live, "admin");
  const spec = {
    assumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::${management}:oidc-provider/login.example.com` },
          Action: "sts:AssumeRoleWithWebIdentity",
        },
      ],
    },
  };
  const role = (action: string, name = "admin") =>
    document("Role", name, {
      ...spec,
      policies: [{ policyName: "everything", policyDocument: allow(action) }],
    }).replace(shop, management);
  const more = { manager: "api" };
  const refused = { ok: false, code: "UnmodifiableEntity", field: "force" };
  const { revision } = live.replica.position;
  expect(await apply(role("orders:*"), { ...more, dryRun: true })).toMatchObject(refused);
  expect(await apply(role("orders:*"), more)).toMatchObject(refused);
  expect(live.replica.position.revision).toBe(revision);
  expect(await apply(role("*"), more)).toMatchObject({ ok: true });
  expect(await apply(all(role("orders:*"), role("*", "other")), more)).toMatchObject({ ok: true });
  const both = all(role("orders:*"), role("orders:*", "other"));
  expect(await apply(both, more)).toMatchObject(refused);
  expect(await apply(both, { ...more, force: true })).toMatchObject({ ok: true });
});

test("why a step cannot be done is not told to who may not do it", async () => {
  await addWorkload(live, { Effect: "Allow", Action: "iam:GetUser", Resource: "*" });
  const moved = document("Role", "trusted", {
    assumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${shop}:user/nobody` },
          Action: "sts:AssumeRole",
        },
      ],
    },
  });
  expect(await apply(moved)).toMatchObject({ code: "MalformedPolicyDocument" });
  expect(await apply(moved, { caller: workloadCaller() })).toMatchObject({ code: "AccessDenied" });
});

test("FILE-6 prune removes what this manager owns, and nothing else", async () => {
  await call(live, "iam:CreateUser", { account: shop, userName: "by-hand" });
  await apply(all(bob, devs, readers));
  expect(await stepsOf(readers)).toEqual([]);
  const arn = `arn:aws:iam::${shop}`;
  expect(await stepsOf(readers, { prune: true })).toEqual([
    `DeleteUserPolicy user ${arn}:user/bob`,
    `RemoveUserFromGroup user ${arn}:user/bob`,
    `DeleteUser user ${arn}:user/bob`,
    `DetachGroupPolicy group ${arn}:group/devs`,
    `DeleteGroup group ${arn}:group/devs`,
  ]);
  expect(await call(live, "iam:ListUsers", { account: shop })).toMatchObject({
    users: [{ userName: "by-hand" }],
  });
});

test("FILE-8 every problem of the documents is told with its place, and none is applied", async () => {
  const bad = all(
    document("User", "ann", { grups: [] }),
    document("ManagedPolicy", "p", { policyDocument: { Version: "2012-10-17", Statement: [{}] } }),
  );
  expect(await apply(bad)).toMatchObject({
    code: "ValidationError",
    message: expect.stringMatching(/all\.yaml:1:\d+ User\/ann.*grups[\s\S]*all\.yaml:3:\d+/),
  });
});

test("more than one commit takes is a sequence of them, and the end is the same", async () => {
  const users = Array.from({ length: 900 }, (_, index) => document("User", `u-${index}`, {}));
  const before = live.replica.position.revision;
  expect(await stepsOf(all(...users))).toHaveLength(900);
  expect(live.replica.position.revision).toBe(before + 2);
  expect(await stepsOf(all(...users))).toEqual([]);
});

test("a step that its caller may not do ends the run, and nothing of it is done", async () => {
  const made = (await call(live, "organizations:CreatePolicy", {
    name: "no-tags",
    type: "SERVICE_CONTROL_POLICY",
    content: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: "iam:TagUser", Resource: "*" }],
    }),
  })) as { policy: { policySummary: { id: string } } };
  const policyId = made.policy.policySummary.id;
  await call(live, "organizations:AttachPolicy", { policyId, targetId: shop });
  expect(await apply(all(bob, devs, readers))).toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining("iam:TagUser"),
  });
  expect(await tryCall(live, "iam:GetUser", { account: shop, userName: "bob" })).toMatchObject({
    code: "NoSuchEntity",
  });
});

test("no step is allowed by what an earlier step of the same run has granted", async () => {
  await addWorkload(live, { Effect: "Allow", Action: "mesh-iam:PutWorkloadPolicy", Resource: "*" });
  const caller = workloadCaller();
  const domain = {
    apiVersion: "mesh-iam.io/v1",
    kind: "TrustDomain",
    metadata: { name: "cluster.local" },
  };
  const text = all(
    JSON.stringify({ ...domain, spec: { accounts: [{ account: shop }] } }),
    document("Workload", "admin", {
      spiffeId: adminSpiffeId,
      policies: [
        { policyName: "own", policyDocument: allow("mesh-iam:PutWorkloadPolicy") },
        { policyName: "zz-more", policyDocument: allow("*") },
      ],
    }),
  );
  expect(await apply(text, { caller, manager: "api" })).toMatchObject({ ok: true });
  await call(live, "mesh-iam:DeleteWorkloadPolicy", {
    account: shop,
    spiffeId: adminSpiffeId,
    policyName: "zz-more",
  });
  const escalating = all(text, document("Service", "orders", {}));
  expect(await apply(escalating, { caller, manager: "api" })).toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining("mesh-iam:PutServiceDefinition"),
  });
  expect(
    await tryCall(live, "mesh-iam:GetWorkloadPolicy", {
      account: shop,
      spiffeId: adminSpiffeId,
      policyName: "zz-more",
    }),
  ).toMatchObject({ code: "NoSuchEntity" });
});

test("the example of the quickstart is the same directory in documents and in the store", async () => {
  const folder = join(import.meta.dirname, "../../../examples/quickstart");
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml") && !name.includes("_test"))
    .map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));
  files.push({ path: "jwks.json", text: '{"keys":[]}' });
  const applied = await apply("", { files, takeOver: true });
  if (!applied.ok) throw new Error(applied.message);
  expect(applied).toMatchObject({ ok: true });
  const read = readDocuments(files);
  if (!read.ok) throw new Error("the example does not load");
  const state = directoryOf(live.replica.state);
  expect(formatDocuments(withoutDerived(state))).toBe(formatDocuments(withoutDerived(read.value)));
  const again = await apply("", { files });
  expect(again.ok && again.answer.steps).toEqual([]);
});

/** In the order of names: unique ids are drawn in one and derived in the other. */
function withoutDerived(directory: ReturnType<typeof directoryOf>) {
  const byName = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
    [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  const { organization } = directory;
  const { id, rootId } = { id: org, rootId: "r-any0" };
  const parent = (one: string | null) => (one === organization?.rootId ? rootId : one);
  return {
    ...directory,
    organization: organization && { ...organization, id, rootId },
    organizationalUnits: byName(directory.organizationalUnits).map((unit) => ({
      ...unit,
      parentId: parent(unit.parentId) ?? "",
    })),
    accounts: directory.accounts.map((one) => ({ ...one, parentId: parent(one.parentId) })),
    users: byName(directory.users),
    groups: byName(directory.groups),
    roles: byName(directory.roles),
    workloads: byName(directory.workloads),
    managedPolicies: byName(directory.managedPolicies),
    oidcProviders: byName(directory.oidcProviders),
    services: byName(directory.services),
    serviceControlPolicies: byName(directory.serviceControlPolicies),
  };
}
