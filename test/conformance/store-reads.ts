import { beforeEach, describe, expect, test } from "vitest";
import type { Store, StoreEngine } from "../../src/adapters/store/store.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { seededChoice } from "../fakes/seeded-choice.ts";
import {
  commit,
  everything,
  failing,
  org,
  put,
  remove,
  replayed,
  write,
} from "../fakes/store-commits.ts";
import type { StorePlace } from "../fakes/store-place.ts";

// A release runs 10,000: MESH_IAM_HEADS=10000.
const heads = Number(process.env.MESH_IAM_HEADS ?? 100);
const seed = Number(process.env.MESH_IAM_SEED ?? 1);

/** What is read is one revision, and the newest. */
export function readConformance(opened: () => { place: StorePlace; engine: StoreEngine }): void {
  let place: StorePlace;
  let engine: StoreEngine;
  let store: Store;
  beforeEach(() => {
    ({ place, engine } = opened());
    store = engine.store;
  });

  describe("reads", () => {
    test("a snapshot shows one revision, whatever is written meanwhile", async () => {
      const ids = Array.from({ length: 500 }, (_, i) => `AIDA${i}`);
      for (const part of ["a", "b", "c"]) {
        await write(store, [commit(...ids.map((id) => put(`${id}${part}`)))]);
      }
      const { head, pages } = await store.snapshot(org);
      let seen = 0;
      for await (const page of pages) {
        await write(store, [commit(...page.slice(0, 500).map(({ id }) => put(id, { doc: "[]" })))]);
        expect(page.filter(({ doc }) => doc !== "{}")).toEqual([]);
        seen += page.length;
      }
      expect([head.revision, seen]).toEqual([3, 1500]);
      expect((await store.head(org)).revision).toBeGreaterThan(4);
    });

    test("a snapshot that is left early gives its connection back", async () => {
      await write(store, [commit(put("AIDA1"))]);
      for (let i = 0; i < 30; i++) {
        for await (const _ of (await store.snapshot(org)).pages) break;
      }
      expect((await everything(store)).size).toBe(1);
    });

    test(
      `the head is linearizable: ${heads} times written here, read there`,
      async () => {
        const beside = await place.openBeside();
        for (let i = 0; i < heads; i++) {
          const [to, from] = i % 2 === 0 ? [store, beside.store] : [beside.store, store];
          const { revision } = await write(to, [commit(put("AIDA1"))]);
          expect((await from.head(org)).revision).toBe(revision);
        }
      },
      20_000 + 100 * heads,
    );

    test(`a replica of changes equals one of a snapshot (MESH_IAM_SEED=${seed})`, async () => {
      const choose = seededChoice(seed);
      const model = new Set<string>();
      let made = 0;
      for (let i = 0; i < 40; i++) {
        const commits = Array.from({ length: 1 + choose(3) }, () => {
          const before = new Set(model);
          const changes = Array.from({ length: 1 + choose(4) }, () => {
            const old = [...model];
            const id = old[choose(old.length + 2)] ?? `AIDA${made++}`;
            if (before.delete(id) && choose(3) === 0) {
              model.delete(id);
              return remove(id);
            }
            model.add(id);
            return put(id, { doc: `{"i":${i}}`, nameKey: `${id}/${choose(3)}` });
          });
          const last = new Map(changes.map((change) => [idOf(change), change]));
          return commit(...last.values());
        });
        await write(store, commits);
      }
      const snapshot = await everything(store);
      expect(await replayed(store)).toEqual(snapshot);
      expect([...snapshot.keys()].toSorted()).toEqual([...model].toSorted());
      await verifyOrg(engine, org);
    });

    test("whoever listens is told of a move, until it leaves", async () => {
      const told: string[] = [];
      const leave = store.onHeadMoved((name) => told.push(name));
      await write(store, [commit(put("AIDA1"))]);
      await write(store, []);
      leave();
      await write(store, [commit(put("AIDA2"))]);
      expect(told).toEqual([org]);
    });
  });

  describe("audit", () => {
    const event = (n: number) => ({ atMs: n, record: Buffer.from(`event ${n}`) });

    test("events of a stream are chained, in order, apart from other streams", async () => {
      await engine.auditLog.append(org, "api-1", [event(1), event(2)]);
      await engine.auditLog.append(org, "api-2", [event(9)]);
      await engine.auditLog.append(org, "api-1", []);
      await engine.auditLog.append(org, "api-1", [event(3)]);
      const read = await engine.auditLog.read(org, "api-1", 1, 10);
      expect(
        read.map(({ seq, atMs, record }) => [seq, atMs, Buffer.from(record).toString()]),
      ).toEqual([
        [2, 2, "event 2"],
        [3, 3, "event 3"],
      ]);
      expect((await engine.auditLog.streams(org)).map(({ stream, seq }) => [stream, seq])).toEqual([
        ["api-1", 3],
        ["api-2", 1],
      ]);
      expect(await verifyOrg(engine, org)).toMatchObject({ auditEvents: 4 });
    });

    test.each([
      "UPDATE mi_audit SET at = 7 WHERE seq = 2",
      "UPDATE mi_audit SET record = chain WHERE seq = 2",
      "DELETE FROM mi_audit WHERE seq = 2",
    ])("a hand in it is found: %s", async (sql) => {
      await engine.auditLog.append(org, "api-1", [event(1), event(2), event(3)]);
      await place.damage(sql);
      await expect(verifyOrg(engine, org)).rejects.toEqual(failing("store-corrupt"));
    });
  });

  test("the fleet: a report replaces the one before, reporters do not touch one another", async () => {
    const row = (slice: string, sidecars: number) => ({
      slice,
      revision: 4,
      sidecars,
      nacks: "[]",
    });
    await engine.fleet.upsert(org, "cp-1", [row("svc=a", 3), row("svc=b", 4)]);
    await engine.fleet.upsert(org, "cp-2", [row("svc=a", 5)]);
    await engine.fleet.upsert(org, "cp-1", [row("svc=a", 6)]);
    expect(await engine.fleet.read(org)).toEqual([
      { reporter: "cp-1", ...row("svc=a", 6) },
      { reporter: "cp-2", ...row("svc=a", 5) },
    ]);
    expect(await engine.fleet.read("o-other")).toEqual([]);
  });
}

const idOf = (change: ReturnType<typeof put>) =>
  change.type === "put" ? change.object.id : change.id;
