import { beforeEach, describe, expect, test } from "vitest";
import { firstPosition } from "../../src/adapters/store/chain.ts";
import type { Position, Store, StoreEngine } from "../../src/adapters/store/store.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { commit, everything, failing, org, put, write } from "../fakes/store-commits.ts";
import type { StorePlace } from "../fakes/store-place.ts";

/** One history, without gaps, for as long as it is kept. */
export function historyConformance(opened: () => { place: StorePlace; engine: StoreEngine }): void {
  let place: StorePlace;
  let engine: StoreEngine;
  let store: Store;
  beforeEach(() => {
    ({ place, engine } = opened());
    store = engine.store;
  });

  describe("histories", () => {
    test("another one at the same revision, one ahead, one of a later epoch are told", async () => {
      const head = await write(store, [commit(put("AIDA1")), commit(put("AIDA2"))]);
      const { records } = await store.changes(org, firstPosition(org), 10);
      const first = records[0] as Position;
      const chain = Buffer.alloc(32, 7);
      for (const since of [
        { ...head, chain },
        { ...first, chain },
        { ...firstPosition(org), chain },
        { ...head, revision: 3 },
        { ...head, epoch: 2 },
      ]) {
        await expect(store.changes(org, since, 1)).rejects.toEqual(
          failing("store-history-diverged"),
        );
        await expect(write(store, [commit()], since)).rejects.toEqual(
          failing("store-history-diverged"),
        );
      }
      expect((await store.changes(org, head, 1)).records).toEqual([]);
    });

    test("a new epoch only grows, goes on from the same chain, and stands in later revisions", async () => {
      const before = await write(store, [commit(put("AIDA1"))]);
      await store.newEpoch(org, 3);
      await expect(store.newEpoch(org, 3)).rejects.toEqual(failing("store-limit"));
      expect(await store.head(org)).toEqual({ ...before, epoch: 3 });
      await write(store, [commit(put("AIDA2"))], before);
      const { records } = await store.changes(org, firstPosition(org), 10);
      expect(records.map(({ epoch }) => epoch)).toEqual([1, 3]);
      await verifyOrg(engine, org);
    });

    test.each([
      { why: "a doc", sql: `UPDATE mi_change SET doc = '{"evil":1}' WHERE rev = 1` },
      { why: "an object", sql: `UPDATE mi_object SET doc = '{"evil":1}'` },
      { why: "an audit record", sql: "UPDATE mi_rev SET audit = '' WHERE rev = 1" },
      { why: "an actor", sql: "UPDATE mi_rev SET actor = 'nobody' WHERE rev = 1" },
      { why: "a revision that is gone", sql: "DELETE FROM mi_rev WHERE rev = 1" },
      { why: "a change that is gone", sql: "DELETE FROM mi_change WHERE rev = 1" },
      {
        why: "an object that nobody wrote",
        sql: "INSERT INTO mi_object (org, id, kind, account, name_key, doc, create_rev, mod_rev) SELECT org, 'X', kind, account, 'x', doc, 1, 2 FROM mi_object",
      },
    ])("$why in the database that was changed by hand is found", async ({ sql }) => {
      await write(store, [commit(put("AIDA1"))]);
      await write(store, [commit(put("AIDA1", { doc: '{"v":2}' }))]);
      await verifyOrg(engine, org);
      await place.damage(sql.replace("audit = ''", "audit = changes_digest"));
      await expect(verifyOrg(engine, org)).rejects.toEqual(failing("store-corrupt"));
    });
  });

  describe("retention", () => {
    test("compaction takes the log and nothing else, and needs its lease", async () => {
      for (let i = 0; i < 5; i++) await write(store, [commit(put(`AIDA${i % 2}`))]);
      const start = await store.changes(org, firstPosition(org), 10);
      const lease = await store.lease("compaction");
      const fence = lease?.fence ?? { name: "", token: 0 };
      const stale = { ...fence, token: fence.token - 1 };
      await expect(store.compact(org, 3, stale)).rejects.toEqual(failing("store-fence-lost"));
      await store.compact(org, 3, fence);
      await store.compact(org, 3, fence);
      await expect(store.compact(org, 6, fence)).rejects.toEqual(failing("store-limit"));
      await expect(store.changes(org, firstPosition(org), 1)).rejects.toEqual(
        failing("store-compacted"),
      );
      await expect(write(store, [commit()], firstPosition(org))).rejects.toEqual(
        failing("store-compacted"),
      );
      const [, , third] = start.records;
      expect(await store.oldest(org)).toMatchObject({ revision: 3, chain: third?.chain });
      const rest = await store.changes(org, await store.oldest(org), 10);
      expect(rest.records).toEqual(start.records.slice(3));
      expect((await everything(store)).size).toBe(2);
      expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 2, objects: 2 });
      expect((await write(store, [commit(put("AIDA9"))])).revision).toBe(6);
      await lease?.release();
    });

    test("more rows than one batch are removed", async () => {
      const many = (from: number) =>
        commit(...Array.from({ length: 500 }, (_, i) => put(`AIDA${from + i}`)));
      for (let i = 0; i < 5; i++) await write(store, [many(0)]);
      const lease = await store.lease("compaction");
      await store.compact(org, 5, lease?.fence ?? { name: "", token: 0 });
      await place.damage("UPDATE mi_org SET compacted_rev = 0");
      const { records } = await store.changes(org, firstPosition(org), 10);
      expect(records.map(({ changes }) => changes.length)).toEqual([0, 0, 0, 0, 0]);
      await place.damage("UPDATE mi_org SET compacted_rev = 5");
      expect((await everything(store)).size).toBe(500);
      expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 0 });
      await lease?.release();
    });

    test("what has had its time goes; what chains go on from stays", async () => {
      for (let i = 0; i < 4; i++) await write(store, [commit(put(`AIDA${i}`))]);
      const event = { atMs: 1, record: Buffer.from("e") };
      await engine.auditLog.append(org, "api-1", [event, event, event]);
      const lease = await store.lease("retention");
      const fence = lease?.fence ?? { name: "", token: 0 };
      await store.compact(org, 2, fence);
      await store.expire(org, { revisionsMs: 0, auditMs: 0, idempotencyMs: 0 }, fence);
      await store.expire(org, {}, fence);
      expect((await engine.auditLog.read(org, "api-1", 0, 10)).map(({ seq }) => seq)).toEqual([3]);
      expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 2, auditEvents: 1 });
      await engine.auditLog.append(org, "api-1", [event]);
      expect(await verifyOrg(engine, org)).toMatchObject({ auditEvents: 2 });
      await lease?.release();
    });
  });

  test("a schema that needs a newer binary is not opened", async () => {
    await engine.close();
    await place.damage("UPDATE mi_schema SET version = 9, min_binary = 9");
    await expect(place.open()).rejects.toEqual(failing("store-schema-too-new"));
    await expect(place.openBeside()).rejects.toEqual(failing("store-schema-too-new"));
    // A newer schema that older binaries work with is.
    await place.damage("UPDATE mi_schema SET version = 2, min_binary = 1");
    const opened = await place.open();
    expect((await opened.store.head(org)).revision).toBe(0);
  });
}
