import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test } from "vitest";
import { bundleKey, root, sealedKeySet, windowOf } from "../../../test/fakes/bundle-keys.ts";
import { checkRequest, type Written } from "../../../test/fakes/check-request.ts";
import {
  allow,
  audience,
  formatDocuments,
  issuer,
  organization,
  route,
  service,
  user,
} from "../../../test/fakes/documents.ts";
import { openSession, rawCall } from "../../../test/fakes/grpc-client.ts";
import { LogLines } from "../../../test/fakes/log-lines.ts";
import { readPage } from "../../../test/fakes/page.ts";
import { createTlsFiles, type TlsFiles } from "../../../test/fakes/tls-files.ts";
import { loadConfig } from "../../adapters/config/load.ts";
import { buildDocuments } from "../../adapters/distribution/build-documents.ts";
import { BundleServer } from "../../adapters/distribution/bundle-server.ts";
import type { InstanceReport } from "../../adapters/distribution/fleet.ts";
import { serveBundles } from "../../adapters/distribution/serve-bundles.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { createDecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createLog } from "../../adapters/telemetry/log.ts";
import { sealHeadOf } from "../../domain/bundle/build.ts";
import { readDocuments } from "../../domain/directory/documents.ts";
import { CheckResponseSchema } from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { createTokenIssuer } from "../cli/quickstart/tokens.ts";
import { startAuthorizer } from "./start.ts";

/** Documents, a serving process in front, and whole sidecars that follow it: real sockets, real time. */

const login = createTokenIssuer(issuer, audience, "key-1", Date.now);
const authorization = `Bearer ${login.issue({ sub: "ana", preferred_username: "ana" })}`;
const asked: Written = { path: "/orders/1", headers: { authorization } };
const workload = "spiffe://shop.example/ns/shop/sa/orders";
const org = "o-acme123456";
const slice = "111122223333.orders";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** What the control-plane process will be, as far as bundles go. */
class ControlPlane {
  readonly reports: InstanceReport[] = [];
  readonly #tls: TlsFiles;
  readonly #sessions = new Set<ServerHttp2Session>();
  #revision = 0;
  #core: BundleServer | null = null;
  #listener: Http2SecureServer | null = null;
  port = 0;

  constructor(tls: TlsFiles) {
    this.#tls = tls;
  }

  async start(action: string): Promise<void> {
    this.#core = new BundleServer({
      clock: systemClock,
      random: Math.random,
      scopeOf: (identity) => (identity === workload ? { org, slice } : null),
      seal: (head) => sealHeadOf(head, bundleKey),
      fleet: { reported: (report) => this.reports.push(report) },
      onError: (failure) => {
        throw failure;
      },
    });
    const year = 365 * 86_400_000;
    const bundleKeys = [windowOf(bundleKey, Date.now() - year, Date.now() + year)];
    const times = { issuedAtMs: Date.now() - 1_000, expiresAtMs: Date.now() + year };
    this.#core.publishKeySet(org, 1, sealedKeySet({ org, bundleKeys, ...times }));
    this.publish(action);
    const handler = serveBundles(this.#core, {
      authenticate({ socket }) {
        const { subjectaltname = "" } = (socket as TLSSocket).getPeerCertificate();
        return { identity: subjectaltname.replace("URI:", ""), instance: null };
      },
      onError: (failure) => {
        throw failure;
      },
      clock: systemClock,
    });
    const { server, authority } = this.#tls;
    this.#listener = createSecureServer(
      {
        cert: server.certificate,
        key: server.privateKey,
        ca: authority.certificate,
        requestCert: true,
        allowHTTP1: true,
      },
      handler,
    );
    this.#listener.on("session", (session) => this.#sessions.add(session));
    const { port } = this;
    await new Promise<void>((resolve) => this.#listener?.listen(port, "127.0.0.1", resolve));
    this.port = (this.#listener.address() as AddressInfo).port;
  }

  /** Builds and serves documents in which ana may do `action`, and nothing else. */
  publish(action: string): void {
    const documents = [
      ...organization(login.jwks),
      user("ana", [allow(action)]),
      service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")]),
    ];
    const read = readDocuments([{ path: "all.yaml", text: formatDocuments(documents) }]);
    if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("; "));
    const built = buildDocuments(read.value, ["111122223333/orders"], "services", {
      revision: ++this.#revision,
      issuedAtMs: Date.now(),
      validForMs: 3_600_000,
      signer: bundleKey,
    });
    if (!built.ok) throw new Error(built.message);
    this.#core?.publish(built.value);
  }

  /** Dies: no stream is told. */
  async kill(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#core?.close();
    await new Promise<void>((resolve) => {
      this.#listener?.close(() => resolve());
      if (this.#listener === null) resolve();
    });
    this.#listener = null;
  }
}

async function startSidecar(tls: TlsFiles, settings: Readonly<Record<string, string>>) {
  const { caFile, certFile, keyFile } = tls.files;
  const all = {
    addr: `unix://${join(tls.folder, `authz-${opened.length}.sock`)}`,
    diagnosticAddr: "127.0.0.1:0",
    drainSeconds: "0",
    "bundle.organization": org,
    "bundle.rootFingerprints": root.keyId,
    "bundle.stateDir": join(tls.folder, "state"),
    "bundle.tls.caFile": caFile ?? "",
    "bundle.tls.certFile": certFile ?? "",
    "bundle.tls.keyFile": keyFile ?? "",
    ...settings,
  };
  const loaded = loadConfig({ sets: Object.entries(all).map(([key, text]) => `${key}=${text}`) });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const config = loaded.value;
  const version = "0.0.0-test";
  const authorizer = await startAuthorizer(config, {
    log: createLog({ writer: new LogLines(), nowMs: Date.now, component: "authorizer", version }),
    decisionLog: createDecisionLog({
      ...config.decisionLogs,
      sinks: [],
      labels: { instance: "test", version },
      salt: new Uint8Array(16),
    }),
    build: { version, commit: "test" },
    instance: "pod-1",
  });
  opened.push(() => authorizer.close());
  const session = await openSession(authorizer.address);
  opened.push(() => session.destroy());
  const { host, port } = authorizer.diagnostics;
  return {
    close: () => authorizer.close(),
    status: async () => JSON.parse(await readPage(`http://${host}:${port}/status`)).bundle,
    metrics: () => readPage(`http://${host}:${port}/metrics`),
    async check(): Promise<number> {
      const { messages } = await rawCall(session, { message: checkRequest(asked) });
      const { status } = fromBinary(CheckResponseSchema, messages[0] as Uint8Array);
      return status?.code ?? 0;
    },
  };
}

const allowed = 0;
const denied = 7;
const soon = { timeout: 20_000, interval: 20 };

describe.each([
  { how: "controlPlane", settings: {} },
  {
    how: "http",
    settings: {
      "bundle.slice": slice,
      "bundle.polling.minDelaySeconds": "1",
      "bundle.polling.maxDelaySeconds": "1",
    },
  },
])("a sidecar that follows $how", ({ how, settings }) => {
  test("enforces a change, decides on without its server, and starts without it", async () => {
    const tls = await createTlsFiles(workload);
    opened.push(tls.remove);
    const controlPlane = new ControlPlane(tls);
    await controlPlane.start("orders:GetOrder");
    opened.push(() => controlPlane.kill());
    const address = `https://localhost:${controlPlane.port}`;
    const first = await startSidecar(tls, { [how]: address, ...settings });
    expect(await first.check()).toBe(allowed);
    expect(await first.metrics()).toContain("mesh_iam_control_plane_connected 1");

    controlPlane.publish("orders:Other");
    await expect.poll(first.check, soon).toBe(denied);
    expect(await first.status()).toMatchObject({
      source: { type: how, address, active: how, connected: true },
      revision: 2,
      fresh: true,
    });

    await controlPlane.kill();
    await expect.poll(async () => (await first.status()).source.connected, soon).toBe(false);
    expect(await first.check()).toBe(denied);
    expect(await first.metrics()).toContain("mesh_iam_control_plane_connected 0");

    // A restart with nobody there: the state on disk is enough.
    await first.close();
    const second = await startSidecar(tls, { [how]: address, ...settings });
    expect(await second.check()).toBe(denied);
    expect(await second.status()).toMatchObject({
      source: { active: "cache", connected: false },
      revision: 2,
      lastRefusal: { code: "bundle-unreadable", result: "network" },
    });

    // It comes back with something newer.
    await controlPlane.start("orders:GetOrder");
    await expect.poll(second.check, soon).toBe(allowed);
    expect((await second.status()).source).toMatchObject({ active: how, connected: true });
  }, 60_000);
});
