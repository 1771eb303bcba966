import { afterEach, beforeEach, expect, test } from "vitest";
import { type SqlitePlace, sqlitePlace } from "../../../test/fakes/sqlite-place.ts";
import { commit, org, put, write } from "../../../test/fakes/store-commits.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { meterStore } from "./metered.ts";
import type { StoreEngine } from "./store.ts";
import { StoreUnavailable } from "./unavailable.ts";

const build = { component: "control-plane", version: "0.1.0", commit: "unknown" };

let place: SqlitePlace;
let engine: StoreEngine;
beforeEach(async () => {
  place = await sqlitePlace();
  engine = await place.open();
});
afterEach(() => place.dispose());

test("each call is counted under its name and what became of it, and answers as before", async () => {
  const metrics = createMetrics({ build });
  let nowMs = 0;
  const { store, auditLog, fleet } = meterStore(engine, metrics, {
    monotonicMs: () => {
      nowMs += 3;
      return nowMs;
    },
  });
  await store.createOrg(org);
  expect((await write(store, [commit(put("AIDA1"))])).revision).toBe(1);
  await write(store, [commit(put("AIDA2", { nameKey: "aida1" }))]).catch(() => {});
  await write(store, () => {
    throw new TypeError("a bug");
  }).catch(() => {});
  await write(store, () => {
    throw new StoreUnavailable("away", "unknown");
  }).catch(() => {});
  await auditLog.append(org, "api-1", []);
  expect(await fleet.read(org)).toEqual([]);

  const { body } = await metrics.scrape(undefined);
  const lines = body.split("\n").filter((line) => line.includes("store_operation"));
  const count = (op: string, result: string) => {
    const end = `_count{op="${op}",result="${result}"} `;
    return Number(lines.find((line) => line.includes(end))?.split("} ")[1]);
  };
  expect(count("create-org", "ok")).toBe(1);
  expect(count("transact", "ok")).toBe(1);
  expect(count("transact", "refused")).toBe(1);
  expect(count("transact", "failed")).toBe(1);
  expect(count("transact", "unavailable")).toBe(1);
  expect(count("head", "ok")).toBe(4);
  expect(count("fleet-read", "ok")).toBe(1);
  // Every other one is there at 0, so that a rate has something to rise from.
  expect(count("compact", "unavailable")).toBe(0);
  expect(lines).toContain(
    'mesh_iam_store_operation_duration_seconds_sum{op="create-org",result="ok"} 0.003',
  );
});
