import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { post } from "../../../test/fakes/api-client.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { management, shop, silentLog } from "../../../test/fakes/control-plane.ts";
import { createTlsFiles, type TlsFiles } from "../../../test/fakes/tls-files.ts";
import { loadControlPlaneConfig } from "../../adapters/config/control-plane.ts";
import { createConnectDialer } from "../../adapters/distribution/connect-dialer.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { createWatchSource } from "../../adapters/distribution/watch-source.ts";
import { initControlPlane } from "./init.ts";
import { type ControlPlane, startControlPlane } from "./start.ts";

const org = "o-acme123456";
const orders = "spiffe://cluster.local/ns/shop/sa/orders";
let folder: string;
let tls: TlsFiles;
let running: ControlPlane;
let rootFingerprint: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-cp-"));
  tls = await createTlsFiles(orders);
  writeFileSync(join(folder, "server.pem"), tls.server.certificate);
  writeFileSync(join(folder, "server.key"), tls.server.privateKey);
  const loaded = loadControlPlaneConfig({
    sets: [
      `store.sqlite=${join(folder, "store.db")}`,
      `socket=${join(folder, "api.sock")}`,
      `bundle.keys=${join(folder, "keys")}`,
      `tls.certFile=${join(folder, "server.pem")}`,
      `tls.keyFile=${join(folder, "server.key")}`,
      `tls.clientCaFile=${tls.files.caFile}`,
      "addr=127.0.0.1:0",
      "drainSeconds=0",
    ],
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const made = await initControlPlane(
    loaded.value,
    { name: "acme", managementAccountId: management, id: org, rootId: null, keysValidForMs: 1e9 },
    silentLog,
  );
  ({ rootFingerprint } = made.keys);
  running = await startControlPlane(loaded.value, silentLog);
  await local("AccountService/CreateAccount", { accountName: "shop", accountId: shop });
  const domain = { name: "cluster.local", accounts: [{ account: shop }] };
  await local("IdentityProviderService/PutTrustDomain", domain);
  const service = { account: shop, serviceName: "orders", workloads: [orders] };
  await local("ServiceDefinitionService/PutServiceDefinition", service);
});
afterEach(async () => {
  await running.drain();
  tls.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function local(path: string, body: object): Promise<void> {
  const socketPath = join(folder, "api.sock");
  const answer = await post({ socketPath }, `/meshiam.iam.v1.${path}`, body);
  if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
}

const material = () => ({
  ca: tls.authority.certificate,
  cert: readFileSync(String(tls.files.certFile)),
  key: readFileSync(String(tls.files.keyFile)),
});
const listUsers = "/meshiam.iam.v1.UserService/ListUsers";
const json = { "content-type": "application/json" };

async function overHttp1(): Promise<string> {
  const [host, port] = running.address.split(":");
  const options = { host, port, path: listUsers, method: "POST", headers: json, agent: false };
  return await new Promise((resolve, reject) => {
    const outgoing = request({ ...options, ...material() }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    outgoing.on("error", reject);
    outgoing.end("{}");
  });
}

async function overHttp2(): Promise<string> {
  const session = connect(`https://${running.address}`, material());
  try {
    return await new Promise((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":method": "POST", ":path": listUsers, ...json });
      let text = "";
      stream.on("data", (chunk) => {
        text += chunk;
      });
      stream.on("end", () => resolve(text));
      stream.on("error", reject);
      stream.end("{}");
    });
  } finally {
    session.close();
  }
}

test.each([
  { protocol: "HTTP/1.1", call: overHttp1 },
  { protocol: "HTTP/2", call: overHttp2 },
])(
  "a workload calls over $protocol by its certificate, and the engine decides",
  async ({ call }) => {
    await expect.poll(async () => JSON.parse(await call()).code).toBe("permission_denied");
    await local("WorkloadService/CreateWorkload", {
      account: shop,
      spiffeId: orders,
      name: "orders",
    });
    await local("WorkloadService/PutWorkloadPolicy", {
      account: shop,
      spiffeId: orders,
      policyName: "list",
      policyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "iam:ListUsers",
            Resource: "*",
            Condition: { Bool: { "aws:SecureTransport": "true" } },
          },
        ],
      }),
    });
    expect(JSON.parse(await call())).toMatchObject({ users: [] });
  },
);

test("a sidecar watches, and has a change while it is connected", async () => {
  await expect.poll(async () => JSON.parse(await overHttp2()).code).toBe("permission_denied");
  const url = `https://${running.address}`;
  const files = { ...tls.files, tokenFile: null };
  const source = createWatchSource(
    {
      address: url,
      org,
      slice: null,
      instance: "pod-1",
      rootFingerprints: [rootFingerprint],
      cacheFolder: null,
    },
    createConnectDialer({ url, files }, nodeDisk, systemClock),
    nodeDisk,
    systemClock,
    Math.random,
  );
  const listener = new RecordingListener();
  await source.start(listener);
  try {
    await expect.poll(() => listener.bundles.length).toBe(1);
    await local("UserService/CreateUser", { account: shop, userName: "ann" });
    await expect.poll(() => listener.users).toEqual(["ann"]);
    expect(listener.refusals).toEqual([]);
  } finally {
    await source.close();
  }
});
