import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test } from "vitest";
import { checkRequest, type Written } from "../../../test/fakes/check-request.ts";
import {
  allow,
  audience,
  type Document,
  formatDocuments,
  issuer,
  organization,
  route,
  service,
  user,
} from "../../../test/fakes/documents.ts";
import { openSession, rawCall } from "../../../test/fakes/grpc-client.ts";
import { LogLines } from "../../../test/fakes/log-lines.ts";
import { metricSum } from "../../../test/fakes/metric-sum.ts";
import { loadConfig } from "../../adapters/config/load.ts";
import { createDecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createLog } from "../../adapters/telemetry/log.ts";
import { CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { MeshIamError } from "../../iam/error.ts";
import { createTokenIssuer } from "../cli/quickstart/tokens.ts";
import { type Authorizer, listenerLimits, startAuthorizer } from "./start.ts";

/** The whole sidecar in this process: documents on disk, sockets, real time. */

const login = createTokenIssuer(issuer, audience, "key-1", Date.now);
const authorization = `Bearer ${login.issue({ sub: "ana", preferred_username: "ana" })}`;
const asked: Written = { path: "/orders/1", headers: { authorization } };
const world = (...actions: string[]): readonly Document[] => [
  ...organization(login.jwks),
  user("ana", [allow(actions)]),
  service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")]),
];

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-start-"));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts a new file in place of the old, as an editor does. */
function write(folder: string, documents: readonly Document[] | string): void {
  const text = typeof documents === "string" ? documents : formatDocuments(documents);
  mkdirSync(join(folder, "documents"), { recursive: true });
  writeFileSync(join(folder, "new.yaml"), text);
  renameSync(join(folder, "new.yaml"), join(folder, "documents", "all.yaml"));
}

type Settings = Readonly<Record<string, string>>;

interface Started {
  readonly authorizer: Authorizer;
  readonly log: LogLines;
  check(written?: Written): Promise<{ readonly code: number; readonly reason: string }>;
  page(path: string): Promise<{ readonly status: number; readonly body: string }>;
}

async function start(folder: string, settings: Settings = {}): Promise<Started> {
  const all: Settings = {
    addr: `unix://${join(folder, "authz.sock")}`,
    diagnosticAddr: "127.0.0.1:0",
    documents: join(folder, "documents"),
    drainSeconds: "0",
    ...settings,
  };
  const loaded = loadConfig({ sets: Object.entries(all).map(([key, text]) => `${key}=${text}`) });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const config = loaded.value;
  const log = new LogLines();
  const version = "0.0.0-test";
  const authorizer = await startAuthorizer(config, {
    log: createLog({ writer: log, nowMs: Date.now, component: "authorizer", version }),
    decisionLog: createDecisionLog({
      ...config.decisionLogs,
      sinks: [],
      labels: { instance: "test", version },
      salt: new Uint8Array(16),
    }),
    build: { version, commit: "test" },
  });
  opened.push(() => authorizer.close());
  const session = await openSession(authorizer.address);
  opened.push(() => session.destroy());
  return {
    authorizer,
    log,
    async check(written = asked) {
      const { messages } = await rawCall(session, { message: checkRequest(written) });
      const { status, dynamicMetadata } = fromBinary(
        CheckResponseSchema,
        messages[0] as Uint8Array,
      );
      const reason = dynamicMetadata?.reason;
      return { code: status?.code ?? 0, reason: typeof reason === "string" ? reason : "" };
    },
    page: (path) => readPage(authorizer.diagnostics, path),
  };
}

function readPage({ host, port }: Authorizer["diagnostics"], path: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  get({ host, port, path, agent: false }, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
    });
    response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
  }).once("error", reject);
  return promise;
}

/** Asks until the answer is as wanted; a busy machine may take its time. */
async function until<T>(ask: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (wanted(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const statusOf = async ({ page }: Started) => JSON.parse((await page("/status")).body);

describe("what is wrong at start ends it, and leaves nothing open", () => {
  const failure = async (folder: string, settings: Settings = {}): Promise<MeshIamError> => {
    const reason = await start(folder, settings).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(MeshIamError);
    return reason as MeshIamError;
  };

  test("documents that are not accepted: each with file, line and what was expected", async () => {
    const folder = createFolder();
    write(folder, formatDocuments([...world("orders:*"), user("eve", [], { grops: [] })]));
    const { code, message } = await failure(folder);
    expect(code).toBe("document-invalid");
    expect(message).toMatch(/all\.yaml:\d+:\d+ .*User\/eve.*`grops`.*`groups`/);
    write(folder, world("orders:*"));
    expect(await (await start(folder)).check()).toMatchObject({ code: 0 });
  });

  test("a folder that is not there", async () => {
    expect(await failure(createFolder())).toMatchObject({ code: "document-unreadable" });
  });

  test("a finding about a document is one text, that a person reads too", async () => {
    const folder = createFolder();
    const open = route("GET /probe", "Probe", "probe", { authType: "NONE" });
    write(folder, [
      ...world("orders:*").filter(({ kind }) => kind !== "Service"),
      service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}"), open]),
    ]);
    const { log } = await start(folder);
    expect(log.records().filter(({ event }) => event === "document-finding")).toMatchObject([
      {
        severity: "SECURITY_WARNING",
        code: "AUTHENTICATION_DISABLED",
        detail: expect.stringMatching(/^all\.yaml:\d+:\d+ Service\/orders spec\.routes/),
      },
    ]);
  });

  test("a service that the slice does not have", async () => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const { code, message } = await failure(folder, { services: "111122223333/billing" });
    expect(code).toBe("config-invalid");
    expect(message).toMatch(/^services: .*`111122223333\/billing`/);
    expect(message).toContain("`111122223333/orders`");
    await start(folder);
  });

  test.each([
    ["addr", (port: number) => `grpc://127.0.0.1:${port}`],
    ["diagnosticAddr", (port: number) => `127.0.0.1:${port}`],
  ])("another process on %s", async (setting, addressOf) => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    opened.push(() => other.close());
    const { port } = other.address() as { port: number };
    expect(await failure(folder, { [setting]: addressOf(port) })).toMatchObject({
      code: "address-in-use",
    });
    // The socket that had been bound before is free again.
    expect(await (await start(folder)).check()).toMatchObject({ code: 0 });
  });
});

describe("documents that change while it runs", () => {
  test("change the next answer, and the last good ones stay where the new are not accepted", async () => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const started = await start(folder);
    expect(await started.check()).toEqual({ code: 0, reason: "identity-policy" });
    const { revision } = (await statusOf(started)).bundle;

    write(folder, world("orders:Other"));
    const denied = await until(started.check, ({ code }) => code !== 0);
    expect(denied).toEqual({ code: 7, reason: "implicit-deny" });
    expect((await statusOf(started)).bundle.revision).toBeGreaterThan(revision);

    write(folder, "kind: Service\n  metadata: [");
    const refused = await until(
      () => statusOf(started),
      ({ bundle }) => bundle.lastRefusal !== null,
    );
    expect(refused).toMatchObject({
      ready: true,
      bundle: { lastRefusal: { code: "document-invalid" } },
    });
    expect(await started.check()).toEqual({ code: 7, reason: "implicit-deny" });

    write(folder, world("orders:*"));
    expect(await until(started.check, ({ code }) => code === 0)).toMatchObject({ code: 0 });
    const events = started.log.records().map(({ event }) => event);
    expect(events.filter((event) => event === "bundle-activated")).toHaveLength(3);
    expect(events.filter((event) => event === "bundle-refused")).toHaveLength(1);
  });

  test("that take a fronted service away are refused, and it serves on", async () => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const started = await start(folder, { services: "111122223333/orders" });
    write(
      folder,
      world("orders:*").filter(({ kind }) => kind !== "Service"),
    );
    const { bundle } = await until(
      () => statusOf(started),
      (status) => status.bundle.lastRefusal !== null,
    );
    expect(bundle.lastRefusal.detail).toContain("`111122223333/orders`");
    expect(await started.check()).toMatchObject({ code: 0 });
  });
});

test.each([
  ["full", 1],
  ["standard", 0],
])("metrics.level %s: RPCs are counted with go-grpc-prometheus' names", async (level, times) => {
  const folder = createFolder();
  write(folder, world("orders:*"));
  const started = await start(folder, { "metrics.level": level });
  await started.check();
  const { body } = await started.page("/metrics");
  const labels = {
    grpc_type: "unary",
    grpc_service: "envoy.service.auth.v3.Authorization",
    grpc_method: "Check",
  };
  const handled = { ...labels, grpc_code: "OK" };
  expect(metricSum(body, "grpc_server_handled_total", handled)).toBe(times);
  expect(metricSum(body, "grpc_server_handling_seconds_count", labels)).toBe(times);
});

test("what /status shows", async () => {
  const folder = createFolder();
  write(folder, world("orders:*"));
  const started = await start(folder, { dryRun: "true", "selfCheck.sampleRate": "1" });
  await started.check();
  await started.check();
  const status = await until(
    () => statusOf(started),
    ({ selfCheck }) => selfCheck.samples === 2,
  );
  expect(status).toMatchObject({
    version: "0.0.0-test",
    ready: true,
    dryRun: true,
    bundle: {
      source: { type: "documents", address: join(folder, "documents"), active: "documents" },
      epoch: 1,
      fresh: true,
      acceptedStale: false,
      unusablePolicies: [],
      poisoned: [],
      lastRefusal: null,
    },
    services: [
      {
        name: "orders",
        account: "111122223333",
        mode: "shadow",
        hosts: ["orders.example.com"],
        routes: 1,
      },
    ],
    keySets: [{ alias: "login", keys: 1, lastFailure: null }],
    tokenCache: { entries: 1, maxEntries: 10_000 },
    decisionCache: { enabled: true, entries: 1, maxEntries: 100_000 },
    selfCheck: { sampleRate: 1, samples: 2, mismatches: 0 },
  });
  expect(JSON.stringify(status)).not.toContain("Statement");
});

describe("health and the end", () => {
  const health = { path: "/grpc.health.v1.Health/Check", message: new Uint8Array() };
  const serving = Buffer.from([8, 1]);
  const notServing = Buffer.from([8, 2]);

  test("it serves from the first bundle on, and no more once it drains", async () => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const { authorizer, check, page } = await start(folder, { drainSeconds: "1" });
    const session = await openSession(authorizer.address);
    opened.push(() => session.destroy());
    const ask = async () => (await rawCall(session, health)).messages[0];
    expect(await ask()).toEqual(serving);
    expect((await page("/health/ready")).status).toBe(200);

    const drained = authorizer.drain();
    expect(await ask()).toEqual(notServing);
    expect((await page("/health/ready")).status).toBe(503);
    expect((await page("/health/live")).status).toBe(200);
    // Envoy has not noticed yet.
    expect(await check()).toMatchObject({ code: 0 });
    await drained;
    await expect(openSession(authorizer.address)).rejects.toThrow();
    await expect(page("/health/live")).rejects.toThrow();
    // Nothing is bound any more.
    expect(await (await start(folder)).check()).toMatchObject({ code: 0 });
  });

  test("closing in the middle of a drain ends it at once", async () => {
    const folder = createFolder();
    write(folder, world("orders:*"));
    const { authorizer } = await start(folder, { drainSeconds: "3600" });
    const drained = authorizer.drain();
    await authorizer.close();
    await drained;
    await expect(openSession(authorizer.address)).rejects.toThrow();
  });
});

test("settings bound the Check listener", () => {
  const loaded = loadConfig({
    flags: { documents: "documents" },
    sets: [
      "limits.checkTimeoutMs=150",
      "limits.maxConcurrentStreams=2000",
      "grpcMaxRecvMsgSize=300000",
    ],
  });
  if (!loaded.ok) throw new Error("settings");
  expect(listenerLimits(loaded.value)).toEqual({
    pendingTimeoutMs: 150,
    maxConcurrentStreams: 2000,
    maxMessageBytes: 300_000,
  });
});
