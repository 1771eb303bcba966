import { rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { http1Request } from "../fakes/http-client.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import { metricSum, soon, startEnvoyFor, variants, writeDocuments } from "./authorizer.ts";
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
const turns = Array.from({ length: rounds }, () => [0, 1]).flat();

describe.skipIf(binary === "")("restarts behind the real Envoy", () => {
  let upstream: Upstream;
  let runDir: string;
  let running: AuthorizerProcess[] = [];
  let envoy: EnvoyProcess | null = null;

  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(async () => {
    await upstream?.close();
  });
  beforeEach(() => {
    runDir = createRunDir();
    writeDocuments(runDir, world(jwks));
    upstream.forget();
  });
  afterEach(async () => {
    await envoy?.stop();
    envoy = null;
    await Promise.all(running.map((process) => process.end("SIGKILL")));
    running = [];
    rmSync(runDir, { recursive: true, force: true });
  });

  async function start(name: string, addr?: string): Promise<AuthorizerProcess> {
    const process = await startAuthorizerProcess({
      runDir,
      name,
      ...(addr === undefined ? {} : { addr }),
    });
    running.push(process);
    return process;
  }

  async function end(process: AuthorizerProcess, signal: "SIGTERM" | "SIGKILL") {
    running = running.filter((each) => each !== process);
    return process.end(signal);
  }

  test("REL-004: two replicas, each drained and started again under load: no request fails", async () => {
    const unix = await start("a");
    const tcp = await start("b", "grpc://127.0.0.1:0");
    const options = {
      binary,
      shape: strictConfig,
      concurrency: 2,
      // By default Envoy gathers news of health for a second, and these authorizers drain for one.
      cluster: { common_lb_config: { update_merge_window: "0s" } },
    };
    const proxy = await startEnvoyFor(options, runDir, [unix.address, tcp.address], upstream);
    envoy = proxy;
    const healthy = async () =>
      (await proxy.counters("cluster.mesh_iam.membership_healthy")).get(
        "cluster.mesh_iam.membership_healthy",
      );
    await expect.poll(healthy, soon).toBe(2);

    const load = startLoad(proxy.address, (n) => (n % 2 === 0 ? open : shut), 4, 20_000);
    await load.answered(50);
    const replicas = [unix, tcp];
    for (const turn of turns) {
      const replica = replicas[turn] as AuthorizerProcess;
      expect(await end(replica, "SIGTERM")).toBe(0);
      await load.answered(20);
      const next = await start(
        turn === 0 ? "a" : "b",
        turn === 0 ? undefined : `grpc://${replica.address}`,
      );
      expect(next.address).toBe(replica.address);
      replicas[turn] = next;
      await expect.poll(healthy, soon).toBe(2);
      await load.answered(20);
    }
    await load.stop();

    expect([...load.statuses.keys()].sort()).toEqual(["200", "403"]);
    expect(upstream.requests.filter(({ target }) => target === "/blue")).toEqual([]);
    const errors = await proxy.counters("ext_authz.*error");
    expect([...errors.values()].filter((count) => count > 0)).toEqual([]);
  }, 120_000);

  test.each(variants)(
    "REL-004, $name: drained, a connection hears GOAWAY first",
    async (variant) => {
      const process = await start("a", variant.unix ? undefined : "grpc://127.0.0.1:0");
      const options = { binary, shape: variant.shape, cluster: { health_checks: null } };
      envoy = await startEnvoyFor(options, runDir, [process.address], upstream);
      expect((await http1Request(envoy.address, open)).status).toBe(200);
      expect(await end(process, "SIGTERM")).toBe(0);
      const counters = await envoy.counters("cluster.mesh_iam.upstream_cx");
      expect(counters.get("cluster.mesh_iam.upstream_cx_close_notify")).toBe(1);
      expect(counters.get("cluster.mesh_iam.upstream_cx_destroy_with_active_rq")).toBe(0);
    },
    60_000,
  );

  test.each(variants)(
    "REL-005, $name: killed under load, and started on what it left behind",
    async ({ shape, unix }) => {
      let process = await start("a", unix ? undefined : "grpc://127.0.0.1:0");
      const { address } = process;
      const addr = unix ? undefined : `grpc://${address}`;
      envoy = await startEnvoyFor({ binary, shape, timeout: "1s" }, runDir, [address], upstream);
      for (let round = 0; round < rounds; round++) {
        const proxy = envoy.address;
        const load = startLoad(proxy, (n) => (n % 2 === 0 ? open : shut), 4);
        await load.answered(40);
        expect(await end(process, "SIGKILL")).toBe("SIGKILL");
        await load.answered(40);
        await load.stop();
        expect(["200", "403", "503"]).toEqual(expect.arrayContaining([...load.statuses.keys()]));
        expect(load.statuses.get("200")).toBeGreaterThan(0);

        // REL-018: nothing passes while it is gone.
        upstream.forget();
        const gone = startLoad(proxy, () => open, 10, 100);
        await gone.finished();
        expect([...gone.statuses]).toEqual([["503", 100]]);
        expect(upstream.requests).toEqual([]);

        process = await start("a", addr);
        expect(process.address).toBe(address);
        const status = async () => (await http1Request(proxy, open)).status;
        await expect.poll(status, soon).toBe(200);
        expect((await http1Request(proxy, shut)).status).toBe(403);
        expect(upstream.requests.filter(({ target }) => target === "/blue")).toEqual([]);
      }
    },
    120_000,
  );

  test.each(variants)(
    "REL-018, $name: stopped in its tracks: nothing passes, and it takes notice when it goes on",
    async ({ shape, unix }) => {
      const process = await start("a", unix ? undefined : "grpc://127.0.0.1:0");
      const options = { binary, shape, timeout: "0.5s" };
      envoy = await startEnvoyFor(options, runDir, [process.address], upstream);
      const proxy = envoy.address;
      const status = async () => (await http1Request(proxy, open)).status;
      await expect.poll(status, soon).toBe(200);

      upstream.forget();
      process.signal("SIGSTOP");
      const load = startLoad(proxy, () => open, 25, 50);
      await load.finished();
      process.signal("SIGCONT");
      expect([...load.statuses]).toEqual([["503", 50]]);
      expect(upstream.requests).toEqual([]);

      await expect.poll(status, soon).toBe(200);
      const cancelled = async () =>
        metricSum(await process.page("/metrics"), "mesh_iam_checks_cancelled_total");
      await expect.poll(cancelled, soon).toBeGreaterThan(0);
    },
    60_000,
  );
});
