import { MeshIamError } from "../../iam/error.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { StoreOperation, StoreResult } from "../telemetry/store-operations.ts";
import type { StoreEngine } from "./store.ts";
import type { StoreClock } from "./time.ts";

/** Returns the same engine, whose calls are timed and counted by what became of them. */
export function meterStore(
  engine: StoreEngine,
  metrics: Pick<Metrics, "storeOperation">,
  clock: Pick<StoreClock, "monotonicMs">,
): StoreEngine {
  const { store, auditLog, fleet } = engine;
  const timed =
    <A extends readonly unknown[], T>(op: StoreOperation, call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const startedMs = clock.monotonicMs();
      let result: StoreResult = "ok";
      try {
        return await call(...args);
      } catch (reason) {
        result = resultOf(reason);
        throw reason;
      } finally {
        metrics.storeOperation(op, result, (clock.monotonicMs() - startedMs) * 1e6);
      }
    };
  return {
    ...engine,
    store: {
      createOrg: timed("create-org", store.createOrg),
      heads: timed("heads", store.heads),
      head: timed("head", store.head),
      snapshot: timed("snapshot", store.snapshot),
      oldest: timed("oldest", store.oldest),
      changes: timed("changes", store.changes),
      transact: timed("transact", store.transact),
      onHeadMoved: store.onHeadMoved,
      lease: timed("lease", store.lease),
      compact: timed("compact", store.compact),
      expire: timed("expire", store.expire),
      setState: timed("set-state", store.setState),
      newEpoch: timed("new-epoch", store.newEpoch),
      close: store.close,
    },
    auditLog: {
      append: timed("audit-append", auditLog.append),
      streams: timed("audit-streams", auditLog.streams),
      read: timed("audit-read", auditLog.read),
    },
    fleet: {
      upsert: timed("fleet-upsert", fleet.upsert),
      read: timed("fleet-read", fleet.read),
    },
  };
}

function resultOf(reason: unknown): StoreResult {
  if (!(reason instanceof MeshIamError)) return "failed";
  return reason.code === "store-unavailable" ? "unavailable" : "refused";
}
