import { afterEach, beforeEach, expect, test } from "vitest";
import {
  addAdministrator,
  addWorkload,
  adminSpiffeId,
  call,
  madeOrganization,
  management,
  organizationParts,
  shop,
  tryCall,
  workloadCaller,
} from "../../../test/fakes/control-plane.ts";
import { type SqlitePlace, sqlitePlace } from "../../../test/fakes/sqlite-place.ts";
import type { Store, StoreEngine } from "../../adapters/store/store.ts";
import { StoreUnavailable } from "../../adapters/store/unavailable.ts";
import { type LiveOrganization, openOrganization } from "./live-organization.ts";

const org = "o-acme123456";
const other = "o-other12345";
let place: SqlitePlace;
let engine: StoreEngine;
let live: LiveOrganization;

beforeEach(async () => {
  place = await sqlitePlace();
  engine = await place.open();
  live = await madeOrganization(engine, org);
});
afterEach(() => place.dispose());

const bob = { account: shop, userName: "bob" };

async function recordsOf(of = live): Promise<readonly Record<string, unknown>[]> {
  await of.close();
  const streams = await engine.auditLog.streams(of.org);
  const all = await Promise.all(
    streams.map(({ stream }) => engine.auditLog.read(of.org, stream, 0, 500)),
  );
  return all.flat().map(({ record }) => JSON.parse(Buffer.from(record).toString("utf8")));
}

test("a change is durable with its record, and another instance reads it at once", async () => {
  await call(live, "iam:CreateUser", bob);

  const [row] = (await engine.store.changes(org, await engine.store.oldest(org), 10)).records.slice(
    -1,
  );
  const record = JSON.parse(Buffer.from(row?.audit ?? []).toString("utf8"));
  expect(record).toMatchObject({
    eventName: "CreateUser",
    eventSource: "iam.amazonaws.com",
    userIdentity: { type: "Root", accountId: management },
    requestParameters: bob,
    recipientAccountId: shop,
    meshIam: { organization: org, revision: row?.revision, breakGlass: true },
  });

  const second = await openOrganization(org, organizationParts(engine));
  await call(live, "iam:TagUser", { ...bob, tags: { team: "blue" } });
  expect(await call(second, "iam:GetUser", bob)).toMatchObject({
    user: { userName: "bob", tags: [{ key: "team", value: "blue" }] },
  });
  expect(second.replica.position.revision).toBe(live.replica.position.revision);
});

test("changes that wait together share a transaction, and each sees the one before", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `user-${index}`);
  const results = await Promise.all([
    ...names.map((userName) => tryCall(live, "iam:CreateUser", { account: shop, userName })),
    tryCall(live, "iam:CreateUser", { account: shop, userName: "USER-0" }),
  ]);
  expect(results.filter(({ ok }) => ok)).toHaveLength(40);
  expect(results.at(-1)).toMatchObject({ ok: false, code: "EntityAlreadyExists" });
  const revisions = results.flatMap((result) => (result.ok ? [result.position.revision] : []));
  expect(revisions).toEqual(revisions.map((_, index) => (revisions[0] ?? 0) + index));
});

test("a workload that no policy allows is denied, recorded, and allowed once one does", async () => {
  await addWorkload(live);
  const caller = workloadCaller();
  const denied = await tryCall(live, "iam:CreateUser", bob, { caller });
  expect(denied).toMatchObject({
    ok: false,
    code: "AccessDenied",
    resource: `arn:aws:iam::${shop}:user/bob`,
    message: expect.stringContaining("no identity-based policy allows the iam:CreateUser action"),
  });
  expect(await recordsOf()).toContainEqual(
    expect.objectContaining({
      eventName: "CreateUser",
      errorCode: "AccessDenied",
      userIdentity: expect.objectContaining({ type: "Workload" }),
    }),
  );

  await call(live, "mesh-iam:PutWorkloadPolicy", {
    account: shop,
    spiffeId: adminSpiffeId,
    policyName: "own",
    policyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "iam:CreateUser", Resource: "*" }],
    }),
  });
  expect(await tryCall(live, "iam:CreateUser", bob, { caller })).toMatchObject({ ok: true });
  expect(await tryCall(live, "iam:DeleteUser", bob, { caller })).toMatchObject({
    ok: false,
    code: "AccessDenied",
  });
});

test("API-8 a grant that was withdrawn in the same transaction has been seen", async () => {
  await addWorkload(live, { Effect: "Allow", Action: "*", Resource: "*" });
  const caller = workloadCaller();
  const withdrawn = tryCall(live, "mesh-iam:DeleteWorkloadPolicy", {
    account: shop,
    spiffeId: adminSpiffeId,
    policyName: "own",
  });
  const late = tryCall(live, "iam:CreateUser", bob, { caller });
  expect(await withdrawn).toMatchObject({ ok: true });
  expect(await late).toMatchObject({ ok: false, code: "AccessDenied" });
});

test("an SCP that comes in the same transaction binds the next operation in it", async () => {
  await addWorkload(live, { Effect: "Allow", Action: "*", Resource: "*" });
  const created = (await call(live, "organizations:CreatePolicy", {
    name: "no-users",
    type: "SERVICE_CONTROL_POLICY",
    content: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: "iam:CreateUser", Resource: "*" }],
    }),
  })) as { policy: { policySummary: { id: string } } };
  const policyId = created.policy.policySummary.id;
  const attached = tryCall(live, "organizations:AttachPolicy", { policyId, targetId: shop });
  const late = tryCall(live, "iam:CreateUser", bob, { caller: workloadCaller() });
  expect(await attached).toMatchObject({ ok: true });
  expect(await late).toMatchObject({
    ok: false,
    code: "AccessDenied",
    message: expect.stringContaining("explicit deny in a service control policy"),
  });
});

test("STO-12 a repeated client token gives the first answer, another request a mismatch", async () => {
  const first = await tryCall(live, "iam:CreateUser", bob, { clientToken: "once" });
  const again = await tryCall(live, "iam:CreateUser", bob, { clientToken: "once" });
  expect(again).toEqual(first);
  const carl = { ...bob, userName: "carl" };
  expect(await tryCall(live, "iam:CreateUser", carl, { clientToken: "once" })).toMatchObject({
    code: "IdempotentParameterMismatch",
    field: "clientToken",
  });
});

test("a dry run says what would happen and changes nothing", async () => {
  const before = live.replica.position.revision;
  expect(await tryCall(live, "iam:CreateUser", bob, { dryRun: true })).toMatchObject({ ok: true });
  expect(live.replica.position.revision).toBe(before);
  expect(await tryCall(live, "iam:GetUser", bob)).toMatchObject({ code: "NoSuchEntity" });
});

test("STO-11 a commit whose answer was lost is not made twice", async () => {
  const store = losingOneAnswer(engine.store);
  const twin = await openOrganization(org, organizationParts({ ...engine, store }));
  const result = await tryCall(twin, "iam:CreateUser", bob);
  expect(result).toMatchObject({ ok: true });
  expect(twin.replica.position.revision).toBe(result.ok ? result.position.revision : -1);
  expect(await call(live, "iam:ListUsers", { account: shop })).toMatchObject({
    users: [expect.objectContaining({ userName: "bob" })],
  });
});

/** A store that commits once and does as if it had not heard of it. */
function losingOneAnswer(store: Store): Store {
  let isLost = false;
  return {
    ...store,
    async transact(name, request, work) {
      const head = await store.transact(name, request, work);
      if (isLost) return head;
      isLost = true;
      return await store.transact(name, request, work);
    },
  };
}

test("STO-73 a commit that the database refuses takes no other with it", async () => {
  const store: Store = {
    ...engine.store,
    transact: (name, request, work) =>
      engine.store.transact(name, request, (locked) => {
        const commits = work(locked);
        return commits.map((commit) => ({
          ...commit,
          changes: commit.changes.map((change) =>
            change.type === "put" && change.object.nameKey === "poison"
              ? { ...change, references: [{ rel: "member", to: "nobody" }] }
              : change,
          ),
        }));
      }),
  };
  const twin = await openOrganization(org, organizationParts({ ...engine, store }));
  const [good, bad, last] = await Promise.allSettled(
    ["ana", "poison", "zoe"].map((userName) =>
      tryCall(twin, "iam:CreateUser", { account: shop, userName }),
    ),
  );
  expect(good).toMatchObject({ status: "fulfilled", value: { ok: true } });
  expect(bad).toMatchObject({ status: "rejected", reason: { code: "store-constraint" } });
  expect(last).toMatchObject({ status: "fulfilled", value: { ok: true } });
});

test("with the store away changes fail, and eventual reads go on", async () => {
  const away = async () => {
    throw new StoreUnavailable("the store is away", "not-applied");
  };
  const store: Store = { ...engine.store };
  const twin = await openOrganization(org, organizationParts({ ...engine, store }));
  Object.assign(store, { transact: away, head: away, changes: away });
  await expect(tryCall(twin, "iam:CreateUser", bob)).rejects.toThrow("the store is away");
  await expect(tryCall(twin, "iam:ListUsers", { account: shop })).rejects.toThrow("away");
  const eventual = await tryCall(twin, "iam:ListUsers", { account: shop }, { eventual: true });
  expect(eventual).toMatchObject({ ok: true, answer: { users: [] } });
});

test("TEN-3 two organizations of one store see nothing of each other", async () => {
  const second = await madeOrganization(engine, other);
  await call(live, "iam:CreateUser", bob);
  expect(await tryCall(second, "iam:GetUser", bob)).toMatchObject({ code: "NoSuchEntity" });
  expect(await tryCall(second, "iam:CreateUser", bob)).toMatchObject({ ok: true });
  const mine = (await call(live, "iam:GetUser", bob)) as { user: { userId: string } };
  const theirs = (await call(second, "iam:GetUser", bob)) as { user: { userId: string } };
  expect(mine.user.userId).not.toBe(theirs.user.userId);
  expect((await recordsOf(second)).map(({ meshIam }) => meshIam)).not.toContainEqual(
    expect.objectContaining({ organization: org }),
  );
});

test("the state is the same after a restart", async () => {
  await call(live, "iam:CreateUser", bob);
  const before = await call(live, "iam:GetUser", bob);
  await engine.close();
  engine = await place.open();
  live = await openOrganization(org, organizationParts(engine));
  expect(await call(live, "iam:GetUser", bob)).toEqual(before);
});

const admin = { account: management, roleName: "admin" };
const everything = { ...admin, policyName: "everything" };

test("TEN-6 what leaves nobody but root to administer is refused, and done with force", async () => {
  await addAdministrator(live, "admin");
  const { revision } = live.replica.position;
  const refused = {
    ok: false,
    code: "UnmodifiableEntity",
    field: "force",
    resource: `arn:aws:iam::${management}:role/admin`,
  };
  const policyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "orders:*", Resource: "*" }],
  });
  expect(await tryCall(live, "iam:PutRolePolicy", { ...everything, policyDocument })).toMatchObject(
    refused,
  );
  expect(await tryCall(live, "iam:DeleteRolePolicy", everything)).toMatchObject(refused);
  expect(await tryCall(live, "iam:DeleteRolePolicy", everything, { dryRun: true })).toMatchObject(
    refused,
  );
  expect(await tryCall(live, "iam:UpdateRole", { ...admin, state: "disabled" })).toMatchObject(
    refused,
  );
  expect(live.replica.position.revision).toBe(revision);

  expect(await tryCall(live, "iam:DeleteRolePolicy", everything, { force: true })).toMatchObject({
    ok: true,
  });
  expect((await recordsOf()).filter(({ errorCode }) => errorCode === refused.code)).toHaveLength(4);
  const row = (await engine.store.changes(org, await engine.store.oldest(org), 20)).records.at(-1);
  expect(JSON.parse(Buffer.from(row?.audit ?? []).toString("utf8"))).toMatchObject({
    requestParameters: { ...everything, force: true },
  });
  // Nobody is left to be locked out.
  await call(live, "iam:DeleteRole", admin);
});

test("TEN-6 one of two administrators may go, whichever came first and whoever was told of it", async () => {
  await addAdministrator(live, "admin");
  await call(live, "iam:TagRole", { ...admin, tags: { team: "blue" } });
  const second = await openOrganization(org, organizationParts(engine));
  await addAdministrator(second, "other");
  await call(live, "iam:DeleteRolePolicy", everything);
  const last = { ...everything, roleName: "other" };
  expect(await tryCall(live, "iam:DeleteRolePolicy", last)).toMatchObject({ field: "force" });
});
