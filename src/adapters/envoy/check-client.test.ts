import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { type CheckAddress, type CheckClient, createCheckClient } from "./check-client.ts";
import type { ProxiedRequest } from "./check-request.ts";
import type { CheckFunction } from "./listener.ts";
import { createListener } from "./server.ts";

const folder = mkdtempSync(join(tmpdir(), "mi-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const peer = { address: "127.0.0.1", port: 1, principal: "", certificate: null };
const request: ProxiedRequest = {
  id: "1",
  startedAtMs: 0,
  method: "GET",
  path: "/",
  host: "orders",
  scheme: "http",
  protocol: "HTTP/1.1",
  headers: [],
  source: peer,
  destination: peer,
  serverName: "",
};

const allow = Buffer.from("0a001a00", "hex");

let ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

async function listen(address: CheckAddress, check: CheckFunction): Promise<CheckAddress> {
  const listener = createListener({ address, check, limits: { pendingTimeoutMs: 5000 } });
  ends.push(() => listener.close());
  const started = await listener.start();
  if (address.type !== "tcp") return address;
  const port = Number(started.address.split(":").at(-1));
  return { ...address, port };
}

function clientOf(address: CheckAddress, timeoutMs = 2000): CheckClient {
  const client = createCheckClient({ address, timeoutMs });
  ends.push(() => client.close());
  return client;
}

test.each<{ why: string; address: CheckAddress }>([
  { why: "TCP", address: { type: "tcp", host: "127.0.0.1", port: 0 } },
  { why: "a Unix socket", address: { type: "unix", path: join(folder, "authz.sock") } },
])("over $why", async ({ address }) => {
  const client = clientOf(await listen(address, () => allow));
  expect(await client.check(request)).toMatchObject({ type: "ok" });
  expect(await client.check(request)).toMatchObject({ type: "ok" });
});

test("nobody there, no answer, no message: each is an error, never a decision", async () => {
  const nobody = clientOf({ type: "unix", path: join(folder, "nobody.sock") });
  expect(await nobody.check(request)).toEqual({ type: "error", detail: "UNAVAILABLE" });

  const silent = createServer().listen(0, "127.0.0.1");
  ends.push(() => void silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const impatient = clientOf({ type: "tcp", host: "127.0.0.1", port }, 50);
  expect(await impatient.check(request)).toEqual({ type: "error", detail: "DEADLINE_EXCEEDED" });

  const garbled = await listen({ type: "tcp", host: "127.0.0.1", port: 0 }, () =>
    Buffer.from("ffffffff", "hex"),
  );
  expect(await clientOf(garbled).check(request)).toMatchObject({ type: "error" });
});
