import { expect, test } from "vitest";
import { metricSum } from "../../../test/fakes/metric-sum.ts";
import { as, documents, one } from "../../../test/fakes/orders.ts";
import { directoryOf, startPipeline } from "../../../test/fakes/pipeline.ts";
import { loadConfig } from "../../adapters/config/load.ts";
import { warmUp } from "./warm-up.ts";

test("a warm-up goes all the way: to a policy, to a refusal, to a token", async () => {
  const pipeline = await startPipeline({ documents });
  const { sync, tokens } = pipeline;
  const config = loadConfig({ sets: ["documents=documents", "region=eu-west-1"] });
  if (!config.ok || sync.snapshot === null) throw new Error("not ready");
  const reasons = warmUp(sync.snapshot, directoryOf(documents), {
    config: config.value,
    issuers: tokens.issuers,
    nowMs: () => pipeline.clock.nowMs(),
    monotonicMs: () => pipeline.clock.monotonicMs(),
  });
  expect([...new Set(reasons)].sort()).toEqual([
    "authentication-not-required",
    "explicit-deny",
    "rcp",
    "resource-policy",
    "token-issuer",
    "unauthenticated",
  ]);
});

test("a process that becomes ready has counted, logged and remembered nothing", async () => {
  const pipeline = await startPipeline({ documents });
  const metrics = await pipeline.metrics();
  for (const name of ["checks_total", "decision_cache_requests_total", "authentications_total"]) {
    expect(metricSum(metrics, `mesh_iam_${name}`, {})).toBe(0);
  }
  await pipeline.settled();
  expect(pipeline.decisions.records()).toEqual([]);
  expect(pipeline.log.records().filter(({ level }) => level !== "info")).toEqual([]);
  expect(pipeline.sync.snapshot?.decisions?.entries).toBe(0);
  expect(pipeline.ask({ ...one, ...as("ana") }).cache).toBe("miss");
});
