import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiAnswer, post } from "../../../test/fakes/api-client.ts";
import { runCommand } from "../../../test/fakes/command-line.ts";
import { management, shop, silentLog } from "../../../test/fakes/control-plane.ts";
import { loadControlPlaneConfig } from "../../adapters/config/control-plane.ts";
import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { createTokenIssuer } from "../cli/quickstart/tokens.ts";
import { type ControlPlane, startControlPlane } from "./start.ts";

const org = "o-acme123456";
let folder: string;
let running: ControlPlane | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-cp-"));
  running = null;
});
afterEach(async () => {
  await running?.drain();
  rmSync(folder, { recursive: true, force: true });
});

const sets = () => [
  `store.sqlite=${join(folder, "store.db")}`,
  `socket=${join(folder, "api.sock")}`,
  "addr=127.0.0.1:0",
  `bundle.keys=${join(folder, "keys")}`,
  "drainSeconds=0",
];

async function init(id = org): Promise<void> {
  const ran = await runCommand([
    "control-plane",
    "init",
    ...["--name", "acme", "--management-account", management, "--organization-id", id],
    ...sets().flatMap((one) => ["--set", one]),
  ]);
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(ran.out).toContain(id);
}

async function start(...more: string[]): Promise<ControlPlane> {
  const loaded = loadControlPlaneConfig({ sets: [...sets(), ...more] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const config: ControlPlaneConfig = loaded.value;
  running = await startControlPlane(config, silentLog);
  return running;
}

const local = (path: string, body: object | string, headers = {}): Promise<ApiAnswer> =>
  post({ socketPath: join(folder, "api.sock") }, `/meshiam.iam.v1.${path}`, body, headers);

const bob = { account: shop, userName: "bob" };
const addShop = () =>
  local("AccountService/CreateAccount", { accountName: "shop", accountId: shop });

test("init, start, and the local socket calls as root", async () => {
  await init();
  await start();
  expect(statSync(join(folder, "api.sock")).mode & 0o777).toBe(0o600);
  expect(await addShop()).toMatchObject({ status: 200 });

  const created = await local("UserService/CreateUser", bob);
  expect(created).toMatchObject({
    status: 200,
    headers: { "x-mesh-iam-revision": created.body.revision },
    body: { user: { userName: "bob", createDate: expect.stringMatching(/^20\d\d-.*Z$/) } },
  });

  expect(await local("UserService/CreateUser", bob)).toMatchObject({
    status: 409,
    body: {
      code: "already_exists",
      details: [
        {
          type: "meshiam.iam.v1.IamError",
          debug: { code: "EntityAlreadyExists", resource: `arn:aws:iam::${shop}:user/bob` },
        },
      ],
    },
  });
});

test("a store without an organization says how to make one", async () => {
  await start();
  const { body } = await local("UserService/ListUsers", { account: shop });
  expect(body).toMatchObject({
    code: "not_found",
    message: expect.stringMatching(/init` makes one$/),
  });
});

test("what was committed is there after a restart", async () => {
  await init();
  await start();
  await addShop();
  const { body } = await local("UserService/CreateUser", bob);
  await running?.drain();
  await start();
  expect((await local("UserService/GetUser", bob)).body.user).toEqual(body.user);
});

test("a token's user is denied by the engine until a policy allows, and a service's token is none", async () => {
  await init();
  const { address } = await start();
  await addShop();
  await local("UserService/CreateUser", bob);
  const issuer = createTokenIssuer(
    "https://login.example.com",
    "mesh-iam:control-plane",
    "k1",
    Date.now,
  );
  const made = await local("IdentityProviderService/CreateOpenIDConnectProvider", {
    name: "login",
    account: shop,
    url: "https://login.example.com",
    tokenKind: "oidc-id",
    audiences: ["mesh"],
    jwks: JSON.parse(issuer.jwks),
    rules: [{ user: { account: shop, name: { claim: "preferred_username" } } }],
  });
  expect(made).toMatchObject({ status: 200 });
  const claims = { sub: "1", preferred_username: "bob" };
  const call = (token: string, path: string, body: object) =>
    post({ address }, `/meshiam.iam.v1.${path}`, body, { authorization: `Bearer ${token}` });
  const token = issuer.issue(claims);
  // The issuer is known when the change has been followed, in this process at once.
  await expect
    .poll(async () => (await call(token, "UserService/GetUser", bob)).body.code)
    .toBe("permission_denied");

  const denied = await call(token, "UserService/CreateUser", { account: shop, userName: "ann" });
  expect(denied).toMatchObject({
    status: 403,
    body: {
      code: "permission_denied",
      details: [{ debug: { code: "AccessDenied", resource: `arn:aws:iam::${shop}:user/ann` } }],
    },
  });
  expect(denied.body.message).toContain(`User: arn:aws:iam::${shop}:user/bob is not authorized`);

  const policyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iam:CreateUser", Resource: "*" }],
  });
  const policy = await local("PolicyService/CreatePolicy", {
    account: shop,
    policyName: "p",
    policyDocument,
  });
  const { arn: policyArn } = policy.body.policy;
  expect(await local("UserService/AttachUserPolicy", { ...bob, policyArn })).toMatchObject({
    status: 200,
  });
  const ann = { account: shop, userName: "ann" };
  expect(await call(token, "UserService/CreateUser", ann)).toMatchObject({ status: 200 });

  const forService = issuer.issue({ ...claims, aud: "mesh" });
  expect(await call(forService, "UserService/GetUser", bob)).toMatchObject({
    status: 401,
    body: { code: "unauthenticated", details: [{ debug: { code: "InvalidClientTokenId" } }] },
  });
});

test("nobody, two tokens and a token of nowhere are 401", async () => {
  await init();
  const { address } = await start();
  const path = "/meshiam.iam.v1.UserService/ListUsers";
  expect(await post({ address }, path, {})).toMatchObject({ status: 401 });
  expect(await post({ address }, path, {}, { authorization: "Bearer a.b.c" })).toMatchObject({
    status: 401,
  });
  const twice = await post({ address }, path, {}, { authorization: ["Bearer a", "Bearer b"] });
  expect(twice.body.message).toContain("credentials-ambiguous");
});

test("TEN-3 of two organizations each call names one, and to a stranger neither is there", async () => {
  await init();
  await init("o-other12345");
  const { address } = await start();
  const of = (id: string) => ({ "x-mesh-iam-organization": id });
  const path = "AccountService/CreateAccount";
  const account = { accountName: "shop", accountId: shop };
  expect(await local(path, account)).toMatchObject({ status: 404 });
  expect(await local(path, account, of(org))).toMatchObject({ status: 200 });
  expect(await local("UserService/CreateUser", bob, of(org))).toMatchObject({ status: 200 });
  expect(await local("UserService/GetUser", bob, of("o-other12345"))).toMatchObject({
    status: 404,
    body: { details: [{ debug: { code: "NoSuchEntity" } }] },
  });
  const stranger = (id: string) =>
    post(
      { address },
      "/meshiam.iam.v1.UserService/ListUsers",
      {},
      {
        ...of(id),
        authorization: "Bearer a.b.c",
      },
    );
  const [known, unknown] = [await stranger(org), await stranger("o-nowhere1234")];
  expect([known.status, unknown.status]).toEqual([401, 401]);
});

test.each([
  { what: "an unknown operation", path: "UserService/FlyUser", body: {}, status: 501 },
  { what: "no JSON", path: "UserService/ListUsers", body: "{", status: 400 },
  { what: "a member twice", path: "UserService/ListUsers", body: '{"a":1,"a":2}', status: 400 },
  { what: "an unknown member", path: "UserService/ListUsers", body: { nme: 1 }, status: 400 },
  { what: "a large body", path: "UserService/ListUsers", body: " ".repeat(2e6), status: 413 },
  { what: "a bad token", path: "UserService/ListUsers", body: { clientToken: " " }, status: 400 },
  { what: "a force that is none", path: "UserService/ListUsers", body: { force: 1 }, status: 400 },
])("$what is refused with $status", async ({ path, body, status }) => {
  await init();
  await start();
  expect(await local(path, body)).toMatchObject({ status, body: { details: [{}] } });
});

test("another method or media type is refused, so no page of a browser posts here", async () => {
  await init();
  await start();
  const plain = { "content-type": "text/plain" };
  expect(await local("UserService/ListUsers", {}, plain)).toMatchObject({ status: 415 });
  const socketPath = join(folder, "api.sock");
  const path = "/meshiam.iam.v1.UserService/ListUsers";
  expect(await post({ socketPath }, path, "", {}, "GET")).toMatchObject({ status: 405 });
});

test("a caller beyond his rate is throttled", async () => {
  await init();
  await start("api.burst=2", "api.ratePerSecond=1");
  const answers = [];
  for (let turn = 0; turn < 3; turn++) answers.push(await local("UserService/ListUsers", {}));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers[2]).toMatchObject({ body: { details: [{ debug: { code: "Throttling" } }] } });
});

test("cleartext elsewhere than on loopback does not start", async () => {
  await init();
  await expect(start("addr=0.0.0.0:0")).rejects.toMatchObject({ code: "config-invalid" });
});

test("a second process of one SQLite store does not start, and harms nothing", async () => {
  await init();
  await start();
  const first = running;
  await expect(start()).rejects.toMatchObject({ code: "state-locked" });
  running = first;
  expect(await local("AccountService/ListAccounts", {})).toMatchObject({ status: 200 });
});

test("init a second time refuses, and touches no key", async () => {
  await init();
  const again = await runCommand([
    "control-plane",
    "init",
    ...["--name", "acme", "--management-account", management, "--organization-id", org],
    ...sets().flatMap((one) => ["--set", one]),
  ]);
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining("store-org-exists") });
});

test("init with an account that is none leaves nothing behind", async () => {
  const at = sets().flatMap((one) => ["--set", one]);
  const args = ["control-plane", "init", "--name", "acme", "--management-account"];
  const bad = await runCommand([...args, "12", ...at]);
  expect(bad).toMatchObject({ code: 3, err: expect.stringContaining("managementAccountId") });
  expect(await runCommand([...args, management, ...at])).toMatchObject({ code: 0 });
  await start();
  expect(await local("AccountService/ListAccounts", {})).toMatchObject({ status: 200 });
});

test("init with documents, a plan that finds nothing, and an apply of what has changed since", async () => {
  const policies = join(folder, "policies");
  cpSync(join(import.meta.dirname, "../../../examples/quickstart"), policies, { recursive: true });
  writeFileSync(join(policies, "jwks.json"), '{"keys":[]}');
  const made = await runCommand([
    ...["control-plane", "init", "--documents", policies],
    ...sets().flatMap((one) => ["--set", one]),
  ]);
  expect(made).toMatchObject({ code: 0, err: "" });
  expect(made.out).toMatch(/organization: o-acme123456, [\s\S]*documents: \d+ operations/);
  await start();
  const at = ["-f", policies, "--socket", join(folder, "api.sock")];
  expect(await runCommand(["plan", ...at])).toEqual({ code: 0, out: "no differences\n", err: "" });

  writeFileSync(
    join(policies, "more.yaml"),
    `apiVersion: mesh-iam.io/v1\nkind: User\nmetadata: { name: zoe, account: "${shop}" }\n`,
  );
  const plan = await runCommand(["plan", ...at]);
  expect(plan.code).toBe(5);
  expect(plan.out).toContain(`+ user ${shop}/zoe\n    iam:CreateUser\n`);
  expect(plan.out).toContain("1 to create, 0 to change, 0 to remove");

  expect(await runCommand(["apply", ...at], "n\n")).toMatchObject({ code: 1 });
  expect((await local("UserService/GetUser", { account: shop, userName: "zoe" })).status).toBe(404);
  const applied = await runCommand(["apply", ...at, "--yes"]);
  expect(applied).toMatchObject({ code: 0, err: "" });
  expect(applied.out).toContain("applied, revision 1.");
  expect(await runCommand(["apply", ...at, "--yes"])).toMatchObject({ code: 0 });

  const zoe = `apiVersion: mesh-iam.io/v1\nkind: User\nmetadata: { name: zoe, account: "${shop}" }\n`;
  writeFileSync(join(policies, "more.yaml"), `${zoe}spec: { state: disabled }\n`);
  const change = await runCommand(["plan", ...at]);
  expect(change.out).toBe(
    `~ user ${shop}/zoe\n    iam:UpdateUser spec.state active → disabled\n` +
      "0 to create, 1 to change, 0 to remove\n",
  );

  rmSync(join(policies, "more.yaml"));
  expect(await runCommand(["plan", ...at])).toMatchObject({ code: 0 });
  expect((await local("UserService/CreateUser", { account: shop, userName: "amy" })).status).toBe(
    200,
  );
  const amy = join(policies, "amy.yaml");
  writeFileSync(amy, zoe.replace("zoe", "amy"));
  expect(await runCommand(["plan", ...at])).toMatchObject({
    code: 1,
    err: expect.stringContaining("belongs to the field manager `api`: take it over"),
  });
  expect(await runCommand(["apply", ...at, "--take-over", "--force", "--yes"])).toMatchObject({
    code: 0,
    out: expect.stringContaining("mesh-iam:TakeOver manager api → mesh-iam-apply"),
  });
  rmSync(amy);

  const pruned = await runCommand(["apply", ...at, "--prune", "--json"], "y\n");
  expect(pruned).toMatchObject({ code: 0 });
  expect((await local("UserService/GetUser", { account: shop, userName: "zoe" })).status).toBe(404);
});

test("apply says where nobody answers, and tells a mistake in documents before it calls", async () => {
  const policies = join(folder, "policies");
  mkdirSync(policies);
  const at = ["-f", policies, "--socket", join(folder, "none.sock")];
  writeFileSync(join(policies, "a.yaml"), "kind: Usr\n");
  const bad = await runCommand(["apply", ...at, "--yes"]);
  expect(bad).toMatchObject({ code: 3, err: expect.stringContaining("a.yaml:1:") });
  const file = await runCommand(["plan", "-f", join(policies, "a.yaml")]);
  expect(file).toMatchObject({ code: 3, err: expect.stringContaining("a.yaml: is a file") });
  const user = `apiVersion: mesh-iam.io/v1\nkind: User\nmetadata: { name: zoe, account: "${shop}" }\n`;
  writeFileSync(join(policies, "a.yaml"), user);
  const away = await runCommand(["apply", ...at, "--yes"]);
  expect(away).toMatchObject({
    code: 1,
    err: expect.stringContaining("control-plane-unreachable"),
  });
  const cleartext = ["--server", "http://iam.example.com"];
  expect(await runCommand(["plan", "-f", policies, ...cleartext])).toMatchObject({ code: 1 });
});
