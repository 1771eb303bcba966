import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { allow, organization, user } from "../../../test/fakes/documents.ts";
import { metricSum } from "../../../test/fakes/metric-sum.ts";
import {
  as,
  bearer,
  documents,
  login,
  one,
  orders,
  stranger,
  withSpec,
} from "../../../test/fakes/orders.ts";
import { directoryOf, startPipeline } from "../../../test/fakes/pipeline.ts";
import type { RefusedBundle } from "../../adapters/distribution/source.ts";
import { MeshIamError } from "../../iam/error.ts";

const refusal: RefusedBundle = {
  code: "document-invalid",
  result: "parse",
  detail: "documents.yaml:1:1: expected a document",
  partId: null,
  cause: null,
  atMs: 0,
  repeated: false,
};

describe("a bundle that cannot be made ready", () => {
  const sets = ["services=111122223333/orders"];
  const without = documents.filter(({ kind }) => kind !== "Service");

  test("is refused with what is wrong, and the last good one decides on", async () => {
    const pipeline = await startPipeline({ documents, sets });
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.type).toBe("allow");
    const failure = await pipeline.load(without).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MeshIamError);
    expect(failure).toMatchObject({
      code: "config-invalid",
      message: "services: no service `111122223333/orders` in this slice, which has none",
    });
    expect(pipeline.ask({ ...one, ...as("ana") })).toMatchObject({
      answer: { type: "allow" },
      revision: 1,
      cache: "hit",
    });
  });

  test("names the services that the slice has", async () => {
    const wrong = ["services=111122223333/billing"];
    await expect(startPipeline({ documents, sets: wrong })).rejects.toThrow(
      "services: no service `111122223333/billing` in this slice, which has `111122223333/orders`",
    );
  });
});

test("only the services that are to be fronted are", async () => {
  const second = withSpec(
    { ...orders, metadata: { name: "stock", account: "111122223333" } },
    { hosts: ["stock.example.com"], resourcePolicy: undefined, contextKeys: {} },
  );
  const sets = ["services=111122223333/stock"];
  const pipeline = await startPipeline({ documents: [...documents, second], sets });
  expect(pipeline.ask({ ...one, host: "orders.example.com" }).action).toBe("stock:GetOrder");
  const named = { ...one, contextExtensions: { "mesh-iam-service": "orders" } };
  expect(pipeline.ask(named).answer.reason).toBe("route-not-found");
});

describe("a refusal", () => {
  test("is counted each time and logged once while it is repeated", async () => {
    const pipeline = await startPipeline({ documents });
    pipeline.sync.refused(refusal);
    pipeline.sync.refused({ ...refusal, repeated: true });
    pipeline.sync.refused({ ...refusal, repeated: true });
    pipeline.sync.refused({ ...refusal, detail: "another" });
    const lines = pipeline.log.records().filter(({ event }) => event === "bundle-refused");
    expect(lines.map(({ detail }) => detail)).toEqual([refusal.detail, "another"]);
    expect(lines[0]).toMatchObject({ level: "error", code: "document-invalid", result: "parse" });
    const labels = { result: "parse" };
    expect(metricSum(await pipeline.metrics(), "mesh_iam_bundle_pulls_total", labels)).toBe(4);
  });

  test("says what decides meanwhile: the last good bundle, or at first none", async () => {
    const pipeline = await startPipeline();
    pipeline.sync.refused(refusal);
    expect(pipeline.ask(one).answer.reason).toBe("bundle-missing");
    await pipeline.load(documents);
    pipeline.sync.refused(refusal);
    const lines = pipeline.log.records().filter(({ event }) => event === "bundle-refused");
    expect(lines.map(({ msg }) => msg)).toEqual([
      "a bundle was refused; none is in force yet, so every request is denied",
      "a bundle was refused; the last good one stays in force",
    ]);
  });

  test("of an activation that threw is logged with what it threw", async () => {
    const pipeline = await startPipeline({ documents });
    const cause = new MeshIamError("config-invalid", "no service");
    pipeline.sync.refused({ ...refusal, cause });
    expect(pipeline.log.records().at(-1)).toMatchObject({
      err: { code: "config-invalid", message: "no service" },
    });
  });
});

describe("metrics of the bundle", () => {
  test("follow activation and renewal", async () => {
    const pipeline = await startPipeline();
    const value = async (name: string) => metricSum(await pipeline.metrics(), `mesh_iam_${name}`);
    expect(await value("bundle_ready")).toBe(0);
    await pipeline.load(documents);
    await pipeline.load(documents);
    expect(await value("bundle_ready")).toBe(1);
    expect(await value("bundle_revision")).toBe(2);
    const issued = await value("bundle_created_timestamp_seconds");
    await pipeline.clock.advance(10_000);
    const { clock } = pipeline;
    pipeline.sync.refreshed({
      org: "local",
      slice: "default",
      epoch: 1,
      revision: 2,
      coveredRevision: 2,
      chain: "",
      manifestDigest: "00",
      issuedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 60_000,
      ageAtReceiptMs: 0,
      receivedAtMonotonicMs: clock.monotonicMs(),
      fresh: true,
    });
    expect(await value("bundle_created_timestamp_seconds")).toBe(issued + 10);
    expect(metricSum(await pipeline.metrics(), "mesh_iam_bundle_pulls_total")).toBe(3);
  });

  test.each([
    ["true", 1],
    ["false", 0],
  ])("say that stale bundles are accepted at a first boot: %s", async (value, want) => {
    const sets = [`bootstrap.acceptStale=${value}`];
    const pipeline = await startPipeline({ documents, sets });
    expect(metricSum(await pipeline.metrics(), "mesh_iam_bundle_accept_stale")).toBe(want);
  });
});

describe("keys and rules change with the snapshot, and no Check meets one without the other", () => {
  const ana = { sub: "ana", preferred_username: "ana" };
  const withKeys = (jwks: string) => [
    ...organization(jwks),
    user("ana", [allow("orders:*")]),
    orders,
  ];
  const at = "https://keys.example.com/jwks";
  const fetched = withKeys(login.jwks).map((each) =>
    each.kind === "OidcProvider" ? withSpec(each, { jwks: { uri: at } }) : each,
  );

  test("while new keys are fetched the new policies decide, and tokens of theirs are denied", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const keySets = new Map([[at, promise]]);
    const pipeline = await startPipeline({ documents: withKeys(login.jwks), keySets });
    const old = () => pipeline.ask({ ...one, ...bearer(login.issue(ana)) });
    expect(old()).toMatchObject({ answer: { type: "allow" }, revision: 1 });
    await pipeline.load(fetched);
    expect(old()).toMatchObject({ answer: { reason: "token-key" }, revision: 2 });
    expect(pipeline.ask({ path: "/catalogue" })).toMatchObject({
      answer: { type: "allow" },
      revision: 2,
    });
    resolve(stranger.jwks);
    await pipeline.keyCache.idle();
    expect(old()).toMatchObject({ answer: { reason: "token-key" }, revision: 2 });
    const { answer } = pipeline.ask({ ...one, ...bearer(stranger.issue(ana)) });
    expect(answer.type).toBe("allow");
  });

  test("keys that cannot be had deny their tokens and hold up nothing else", async () => {
    const pipeline = await startPipeline({ documents: withKeys(login.jwks) });
    await pipeline.load(fetched);
    await pipeline.keyCache.idle();
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.reason).toBe("token-key");
    expect(pipeline.ask({ path: "/catalogue" }).answer.type).toBe("allow");
    const lines = pipeline.log.records().filter(({ event }) => event === "jwks-refresh-failed");
    expect(lines).toMatchObject([{ code: "jwks-unavailable", result: expect.any(String) }]);
  });

  test("a token known before a swap is not verified again where nothing about it changed", async () => {
    const pipeline = await startPipeline({ documents });
    const { keysOf } = pipeline.keyCache;
    pipeline.ask({ ...one, ...as("ana") });
    const { issuers } = pipeline.tokens;
    await pipeline.load([...documents, user("new", [])]);
    // Its identity stamps every entry of the token cache.
    expect(pipeline.tokens.issuers).toBe(issuers);
    expect(pipeline.keyCache.keysOf).toBe(keysOf);
    pipeline.ask({ ...one, ...as("ana") });
    const metrics = await pipeline.metrics();
    expect(metrics).toContain('token_cache_requests_total{result="miss"} 1');
    expect(metrics).toContain('token_cache_requests_total{result="hit"} 1');
  });
});

test("a snapshot that is not in force any more holds no memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const pipeline = await startPipeline({ documents });
  const loadAnother = async () => {
    const directory = directoryOf([...documents, user("new", [])]);
    await pipeline.activate(directory);
    pipeline.ask({ ...one, ...as("ana") });
    return [new WeakRef(directory), new WeakRef(pipeline.sync.snapshot as object)];
  };
  const held = await loadAnother();
  // Providers and trust domains stay as they are, so the issuers do; their directory may go all the same.
  await pipeline.load(documents);
  pipeline.ask({ ...one, ...as("ana") });
  await pipeline.settled();
  collect();
  expect(held.map((each) => each.deref())).toEqual([undefined, undefined]);
});
