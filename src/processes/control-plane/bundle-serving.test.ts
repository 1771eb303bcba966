import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { post } from "../../../test/fakes/api-client.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { management, shop, silentLog } from "../../../test/fakes/control-plane.ts";
import { loadControlPlaneConfig } from "../../adapters/config/control-plane.ts";
import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { createHttpSource } from "../../adapters/distribution/http-source.ts";
import { createHttpsCarrier } from "../../adapters/distribution/https-carrier.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import type { BundleSource } from "../../adapters/distribution/source.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { createTokenIssuer } from "../cli/quickstart/tokens.ts";
import { initControlPlane } from "./init.ts";
import { type ControlPlane, startControlPlane } from "./start.ts";

const org = "o-acme123456";
const orders = "spiffe://cluster.local/ns/shop/sa/orders";
const issuer = createTokenIssuer("spire", "mesh-iam:control-plane", "k1", Date.now);
const svid = (sub: string) => issuer.issue({ sub });

let folder: string;
let config: ControlPlaneConfig;
let running: ControlPlane;
let rootFingerprint: string;
const sources: BundleSource[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-cp-"));
  const loaded = loadControlPlaneConfig({
    sets: [
      `store.sqlite=${join(folder, "store.db")}`,
      `socket=${join(folder, "api.sock")}`,
      `bundle.keys=${join(folder, "keys")}`,
      "addr=127.0.0.1:0",
      "drainSeconds=0",
    ],
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  config = loaded.value;
  const made = await initControlPlane(
    config,
    { name: "acme", managementAccountId: management, id: org, rootId: null, keysValidForMs: 1e9 },
    silentLog,
  );
  ({ rootFingerprint } = made.keys);
  running = await startControlPlane(config, silentLog);
  await call("AccountService/CreateAccount", { accountName: "shop", accountId: shop });
  const { keys } = JSON.parse(issuer.jwks) as { keys: object[] };
  await call("IdentityProviderService/PutTrustDomain", {
    name: "cluster.local",
    accounts: [{ account: shop }],
    audiences: ["mesh"],
    bundle: { keys: keys.map((key) => ({ ...key, use: "jwt-svid" })) },
  });
  await call("ServiceDefinitionService/PutServiceDefinition", {
    account: shop,
    serviceName: "orders",
    workloads: [orders],
  });
  // Issuers and scopes are followed behind the answer.
  await expect.poll(() => statusOf(`${shop}.orders`, svid(orders))).toBe(200);
});

/** What a head is answered with. */
async function statusOf(slice: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const path = `/v1/heads/${org}/${slice}`;
  return (await post({ address: running.address }, path, "", headers, "GET")).status;
}
afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
  await running.drain();
  rmSync(folder, { recursive: true, force: true });
});

async function call(path: string, body: object): Promise<void> {
  const socketPath = join(folder, "api.sock");
  const answer = await post({ socketPath }, `/meshiam.iam.v1.${path}`, body);
  if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
}

/** A sidecar that polls, with the token of `identity`. */
async function follow(identity: string, slice: string) {
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, svid(identity));
  const url = `http://${running.address}`;
  const files = { tokenFile, caFile: null, certFile: null, keyFile: null };
  const carrier = createHttpsCarrier({ url, files }, nodeDisk, systemClock);
  const source = createHttpSource(
    {
      address: url,
      org,
      slice,
      rootFingerprints: [rootFingerprint],
      cacheFolder: null,
      minPollMs: 20,
      maxPollMs: 30,
    },
    carrier,
    nodeDisk,
    systemClock,
    Math.random,
  );
  sources.push(source);
  const listener = new RecordingListener();
  await source.start(listener);
  return listener;
}

const user = (userName: string) => call("UserService/CreateUser", { account: shop, userName });

test("a sidecar gets its slice, verified from the root, and every change of it", async () => {
  await user("ann");
  const listener = await follow(orders, `${shop}.orders`);
  await expect.poll(() => listener.users).toEqual(["ann"]);
  await user("bob");
  await expect.poll(() => [...listener.users].sort()).toEqual(["ann", "bob"]);
  expect(listener.bundles.at(-1)?.directory.services.map(({ name }) => name)).toEqual(["orders"]);
  expect(listener.refusals).toEqual([]);
});

test("a change elsewhere renews the head over the same content: it is covered", async () => {
  const listener = await follow(orders, `${shop}.orders`);
  await expect.poll(() => listener.bundles.length).toBe(1);
  const before = listener.bundles[0];
  await call("UserService/CreateUser", { account: management, userName: "far-away" });
  await expect
    .poll(() => listener.heads.at(-1)?.coveredRevision ?? 0)
    .toBeGreaterThan(before?.coveredRevision ?? 0);
  expect(listener.bundles).toHaveLength(1);
  expect(listener.heads.at(-1)?.revision).toBe(before?.revision);
  expect(listener.heads.at(-1)?.chain).toMatch(/^[0-9a-f]{32}$/);
});

test("BUN-37 an identity that serves nothing, another slice and a stranger get nothing", async () => {
  const slice = `${shop}.orders`;
  expect(await statusOf(slice, svid(orders))).toBe(200);
  expect(await statusOf(slice, svid("spiffe://cluster.local/ns/shop/sa/other"))).toBe(401);
  expect(await statusOf(slice, issuer.issue({ sub: orders, aud: "mesh" }))).toBe(401);
  expect(await statusOf(slice, "a.b.c")).toBe(401);
  expect(await statusOf(`${shop}.other`, svid(orders))).toBe(404);
});
