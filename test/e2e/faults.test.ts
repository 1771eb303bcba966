import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Memory } from "../../src/processes/authorizer/memory.ts";
import { headerValues, http1Request } from "../fakes/http-client.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import { bearerOf } from "./answers.ts";
import {
  askGrpc,
  type Mesh,
  startEnvoyFor,
  startMesh,
  startTimeoutMs,
  variants,
} from "./authorizer.ts";
import {
  answerAllow,
  type BrokenAuthorizer,
  faults,
  refuse,
  startBrokenAuthorizer,
} from "./broken-authorizer.ts";
import { createRunDir, type EnvoyProcess, envoyForTests } from "./envoy.ts";
import { strictConfig } from "./envoy-config.ts";
import { startLoad } from "./load.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * REL-018: an authorizer that is not there, hangs, or talks nonsense lets nothing through, and neither
 * does one in which something throws.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const requests = 60;

async function counts(envoy: EnvoyProcess): Promise<Readonly<Record<string, number>>> {
  const all = await envoy.counters("ext_authz");
  const found: Record<string, number> = {};
  for (const [name, value] of all) {
    if (name.startsWith("http.")) found[name.slice(name.lastIndexOf(".") + 1)] = value;
  }
  return found;
}

describe.skipIf(binary === "")("a broken authorizer behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape }) => {
    let upstream: Upstream;
    let broken: BrokenAuthorizer;
    let envoy: EnvoyProcess;

    beforeAll(async () => {
      upstream = await startUpstream();
      broken = await startBrokenAuthorizer();
      const options = {
        binary,
        shape,
        // What is broken is left in the pool, and is given up soon.
        cluster: { health_checks: null },
        timeout: "0.25s",
      };
      envoy = await startEnvoyFor(options, createRunDir(), [broken.address], upstream);
    }, startTimeoutMs);
    afterAll(async () => {
      await envoy?.stop();
      await broken?.close();
      await upstream?.close();
    });

    test.each(faults)("REL-018, $why: 503, and nothing passes", async (fault) => {
      broken.behave(fault);
      upstream.forget();
      const before = await counts(envoy);
      const load = startLoad(envoy.address, () => ({ target: "/v1/orders" }), 20, requests);
      await load.finished();
      expect([...load.statuses]).toEqual([["503", requests]]);
      expect(upstream.requests).toEqual([]);
      expect(broken.met).toBeGreaterThan(0);
      const after = await counts(envoy);
      expect(after.error).toBe((before.error ?? 0) + requests);
      expect([after.ok, after.denied]).toEqual([0, 0]);
    });
  });

  test(
    "one Check that is refused is asked again, and in time: no request fails",
    async () => {
      const upstream = await startUpstream();
      const broken = await startBrokenAuthorizer();
      let asked = 0;
      broken.behave({
        why: "it refuses every other Check",
        check: (stream) => (asked++ % 2 === 0 ? refuse(stream) : answerAllow(stream)),
      });
      const options = { binary, shape: strictConfig, cluster: { health_checks: null } };
      const envoy = await startEnvoyFor(
        // As our samples have it: a second try that came later would be none.
        { ...options, timeout: "0.25s" },
        createRunDir(),
        [broken.address],
        upstream,
      );
      try {
        for (let n = 0; n < 20; n++) await http1Request(envoy.address);
        expect(upstream.requests).toHaveLength(20);
        expect(asked).toBe(40);
      } finally {
        await envoy.stop();
        await broken.close();
        await upstream.close();
      }
    },
    startTimeoutMs,
  );

  describe.each(variants)("$name: something throws", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({
        binary,
        shape,
        unix,
        documents: shopDocuments(jwks),
        // The most careless filter there is.
        filter: { failure_mode_allow: true, failure_mode_allow_header_add: true },
      });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const request = {
      target: "/v1/orders",
      host: "orders.example.com",
      headers: [bearerOf(tokens.ana)],
    };

    test("HDR-010: denied with 503 even where Envoy fails open, and it goes on afterwards", async () => {
      const broken = vi.spyOn(Memory.prototype, "recall").mockImplementation(() => {
        throw new Error("boom");
      });
      const before = await counts(mesh.envoy);
      const { reply, seen } = await mesh.ask(request);
      expect([reply.status, seen]).toEqual([503, null]);
      expect(JSON.parse(reply.body)).toMatchObject({ __type: "ServiceUnavailable" });
      const grpc = await askGrpc(mesh, "/shop.orders.v1.Orders/Get", {
        ":authority": "orders.example.com",
      });
      expect([grpc.reply.grpcStatus, grpc.seen]).toEqual(["14", null]);
      const after = await counts(mesh.envoy);
      expect(after.denied).toBe((before.denied ?? 0) + 2);
      expect([after.error, after.failure_mode_allowed]).toEqual([0, 0]);
      const record = mesh.authorizer.log.records().findLast(({ level }) => level === "error");
      expect(JSON.stringify(record)).toContain("boom");
      broken.mockRestore();
      expect((await mesh.ask(request)).reply.status).toBe(200);
    });

    test("an authorizer that is gone lets pass where Envoy fails open, and Envoy says so", async () => {
      await mesh.authorizer.close();
      const reply = await http1Request(mesh.envoy.address, { ...request, headers: [] });
      expect(reply.status).toBe(200);
      const seen = mesh.upstream.requests.at(-1) ?? { headers: [] };
      expect(headerValues(seen, "x-envoy-auth-failure-mode-allowed")).toEqual(["true"]);
    });
  });
});
