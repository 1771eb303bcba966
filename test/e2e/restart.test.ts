import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { http1Request } from "../fakes/http-client.ts";
import { metricSum } from "../fakes/metric-sum.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import { soon, startEnvoyFor, startTimeoutMs, variants, writeDocuments } from "./authorizer.ts";
import { type AuthorizerProcess, startAuthorizerProcess } from "./authorizer-process.ts";
import { through, world } from "./doors.ts";
import { createRunDir, type EnvoyProcess, envoyForTests } from "./envoy.ts";
import { strictConfig } from "./envoy-config.ts";
import { startLoad } from "./load.ts";
import { issueTokens } from "./shop.ts";

/*
 * The authorizer as a process of its own, ended and started under a running Envoy. Drained, it costs no
 * request; killed or stopped, it costs some, and never lets one through that the policies deny.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const open = through("/red", tokens.ana);
const shut = through("/blue", tokens.ana);

/** Each restart costs seconds, most of them a new process's; a release runs more: REL-004 and REL-005. */
const rounds = Number(process.env.MESH_IAM_E2E_RESTARTS ?? "1");
const turns = Array.from({ length: rounds }, () => [0, 1] as const).flat();

describe.skipIf(binary === "")("restarts behind the real Envoy", () => {
  let upstream: Upstream;
  let runDir: string;
  let running: AuthorizerProcess[] = [];
  let proxy: EnvoyProcess | null = null;

  async function prepare(): Promise<void> {
    upstream = await startUpstream();
    runDir = createRunDir();
    writeDocuments(runDir, world(jwks));
  }

  async function endAll(): Promise<void> {
    await proxy?.stop();
    proxy = null;
    await Promise.all(running.map((process) => process.end("SIGKILL")));
    running = [];
    await upstream?.close();
    rmSync(runDir, { recursive: true, force: true });
  }

  async function start(name: string, addr?: string): Promise<AuthorizerProcess> {
    const options = { runDir, name, ...(addr === undefined ? {} : { addr }) };
    const process = await startAuthorizerProcess(options);
    running.push(process);
    return process;
  }

  function end(process: AuthorizerProcess, signal: "SIGTERM" | "SIGKILL") {
    running = running.filter((each) => each !== process);
    return process.end(signal);
  }

  const passedThroughShut = () => upstream.requests.filter(({ target }) => target === "/blue");

  describe("two replicas", () => {
    beforeAll(prepare);
    afterAll(endAll);

    test("REL-004: each drained and started again under load: no request fails", async () => {
      const replicas = await Promise.all([start("a"), start("b", "grpc://127.0.0.1:0")]);
      const options = {
        binary,
        shape: strictConfig,
        concurrency: 2,
        // By default Envoy gathers news of health for a second, and these authorizers drain for one.
        cluster: { common_lb_config: { update_merge_window: "0s" } },
      };
      const addresses = replicas.map(({ address }) => address);
      const envoy = await startEnvoyFor(options, runDir, addresses, upstream);
      proxy = envoy;
      const gauge = "cluster.mesh_iam.membership_healthy";
      const healthy = async () => (await envoy.counters(gauge)).get(gauge);
      await expect.poll(healthy, soon).toBe(2);

      const load = startLoad(envoy.address, (n) => (n % 2 === 0 ? open : shut), 4, 50_000);
      await load.answered(50);
      for (const turn of turns) {
        const replica = replicas[turn] as AuthorizerProcess;
        expect(await end(replica, "SIGTERM")).toBe(0);
        await load.answered(20);
        const next = await start(...livesOf[turn](replica));
        expect(next.address).toBe(replica.address);
        replicas[turn] = next;
        await expect.poll(healthy, soon).toBe(2);
        await load.answered(20);
      }
      await load.stop();

      expect([...load.statuses.keys()].sort()).toEqual(["200", "403"]);
      expect(passedThroughShut()).toEqual([]);
      const errors = await envoy.counters("ext_authz.*error");
      expect([...errors.values()].filter((count) => count > 0)).toEqual([]);
    }, 120_000);
  });

  // One authorizer, its lives one after the other; nothing but the requests tells Envoy how it is.
  describe.each(variants)("$name", ({ shape, unix }) => {
    let envoy: EnvoyProcess;
    let process: AuthorizerProcess;

    beforeAll(async () => {
      await prepare();
      process = await start("a", unix ? undefined : "grpc://127.0.0.1:0");
      const options = { binary, shape, timeout: "0.5s", cluster: { health_checks: null } };
      envoy = await startEnvoyFor(options, runDir, [process.address], upstream);
      proxy = envoy;
    }, startTimeoutMs);
    afterAll(endAll);

    const status = async () => (await http1Request(envoy.address, open)).status;

    test("REL-018: stopped in its tracks: nothing passes, and it takes notice when it goes on", async () => {
      await expect.poll(status, soon).toBe(200);
      upstream.forget();
      process.signal("SIGSTOP");
      const load = startLoad(envoy.address, () => open, 25, 50);
      await load.finished();
      process.signal("SIGCONT");
      expect([...load.statuses]).toEqual([["503", 50]]);
      expect(upstream.requests).toEqual([]);

      await expect.poll(status, soon).toBe(200);
      const cancelled = async () =>
        metricSum(await process.page("/metrics"), "mesh_iam_checks_cancelled_total");
      await expect.poll(cancelled, soon).toBeGreaterThan(0);
    }, 60_000);

    test("REL-005: killed under load, and started on what it left behind", async () => {
      for (let round = 0; round < rounds; round++) {
        await expect.poll(status, soon).toBe(200);
        const { address } = process;
        const load = startLoad(envoy.address, (n) => (n % 2 === 0 ? open : shut), 4);
        await load.answered(40);
        expect(await end(process, "SIGKILL")).toBe("SIGKILL");
        await load.answered(40);
        await load.stop();
        expect(["200", "403", "503"]).toEqual(expect.arrayContaining([...load.statuses.keys()]));
        expect(load.statuses.get("200")).toBeGreaterThan(0);

        // REL-018: nothing passes while it is gone.
        upstream.forget();
        const gone = startLoad(envoy.address, () => open, 10, 100);
        await gone.finished();
        expect([...gone.statuses]).toEqual([["503", 100]]);
        expect(upstream.requests).toEqual([]);

        process = await start("a", unix ? undefined : `grpc://${address}`);
        expect(process.address).toBe(address);
        await expect.poll(status, soon).toBe(200);
        await expect
          .poll(async () => (await http1Request(envoy.address, shut)).status, soon)
          .toBe(403);
        expect(passedThroughShut()).toEqual([]);
      }
    }, 120_000);

    test("REL-004: drained, a connection hears GOAWAY first", async () => {
      await expect.poll(status, soon).toBe(200);
      const count = async (name: string) =>
        (await envoy.counters(`cluster.mesh_iam.${name}`)).get(`cluster.mesh_iam.${name}`) ?? 0;
      const told = await count("upstream_cx_close_notify");
      const cut = await count("upstream_cx_destroy_with_active_rq");
      expect(await end(process, "SIGTERM")).toBe(0);
      await expect.poll(() => count("upstream_cx_close_notify"), soon).toBe(told + 1);
      expect(await count("upstream_cx_destroy_with_active_rq")).toBe(cut);
    }, 60_000);
  });
});

/** Name and address of a replica's next life. */
const livesOf: readonly [NextLife, NextLife] = [
  () => ["a"],
  ({ address }) => ["b", `grpc://${address}`],
];
type NextLife = (replica: AuthorizerProcess) => [name: string, addr?: string];
