import { beforeEach, describe, expect, test } from "vitest";
import { firstPosition } from "../../src/adapters/store/chain.ts";
import type { Commit, Position, Store, StoreEngine } from "../../src/adapters/store/store.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import {
  commit,
  everything,
  failing,
  newest,
  org,
  put,
  remove,
  write,
} from "../fakes/store-commits.ts";
import type { StorePlace } from "../fakes/store-place.ts";

/** Who may write, in which order, and what it sees. */
export function lockConformance(opened: () => { place: StorePlace; engine: StoreEngine }): void {
  let place: StorePlace;
  let engine: StoreEngine;
  let store: Store;
  beforeEach(() => {
    ({ place, engine } = opened());
    store = engine.store;
  });

  describe("the lock", () => {
    // DeleteUser and AttachUserPolicy on one user: the phantom of 3.4, in both orders.
    const attach = put("AIDA1", { doc: '{"attached":1}' }, { rel: "attached", to: "ANPA1" });
    const start = () =>
      write(store, [commit(put("AIDA1"), put("ANPA1", { kind: "managedPolicy" }))]);

    test("who attaches after a delete sees the delete", async () => {
      const since = await start();
      await write(store, [commit(remove("AIDA1"))]);
      await write(
        store,
        ({ behind, head }) => {
          expect(behind.map(({ changes }) => changes)).toEqual([[{ removed: "AIDA1" }]]);
          expect(head.revision).toBe(2);
          return [];
        },
        since,
      );
    });

    test("who deletes after an attach sees the attachment", async () => {
      const since = await start();
      await write(store, [commit(attach)]);
      await write(
        store,
        ({ behind }) => {
          expect(behind[0]?.changes).toMatchObject([{ id: "AIDA1", doc: '{"attached":1}' }]);
          return [commit(remove("AIDA1"))];
        },
        since,
      );
      await verifyOrg(engine, org);
    });

    test("a replica too far behind is told to catch up first", async () => {
      const since = await store.head(org);
      for (let i = 0; i < 16; i++) {
        await write(
          store,
          Array.from({ length: 63 }, (_, j) => commit(put(`AIDA${i}-${j}`))),
        );
      }
      await expect(write(store, [commit()], since)).rejects.toEqual(failing("store-behind"));
      const page = await store.changes(org, since, 1000);
      expect(page.records.length).toBe(1000);
      const rest = await store.changes(org, page.records.at(-1) as Position, 1000);
      expect(rest.records.map(({ revision }) => revision)).toEqual(
        Array.from({ length: 8 }, (_, i) => 1001 + i),
      );
    });

    test("answers of before are found by their key", async () => {
      const request = {
        since: await newest(store),
        idempotencyKeys: ["k1", "k2"],
        fences: [],
      };
      const idempotency = {
        key: "k1",
        requestDigest: Buffer.from("digest"),
        response: Buffer.from("answer"),
      };
      const once = ({ done }: { done: ReadonlyMap<string, unknown> }): readonly Commit[] =>
        done.has("k1") ? [] : [{ ...commit(put("AIDA1")), idempotency }];
      await store.transact(org, request, once);
      const head = await store.transact(org, request, (locked) => {
        expect([...locked.done.keys()]).toEqual(["k1"]);
        const { response, revision } = locked.done.get("k1") ?? {};
        expect(Buffer.from(response ?? []).toString()).toBe("answer");
        expect(revision).toBe(1);
        return once(locked);
      });
      expect(head.revision).toBe(1);
    });
  });

  describe("frozen", () => {
    test("no commit is accepted, reads go on, an applied one is still recognised", async () => {
      const since = await store.head(org);
      const made = commit(put("AIDA1"));
      await write(store, [made]);
      await store.setState(org, "frozen");
      await expect(write(store, [commit(put("AIDA2"))])).rejects.toEqual(failing("store-frozen"));
      expect((await store.head(org)).state).toBe("frozen");
      expect((await everything(store)).size).toBe(1);
      await write(
        store,
        ({ behind }) => {
          expect(behind.map(({ id }) => id)).toEqual([made.id]);
          return [];
        },
        since,
      );
      await store.setState(org, "active");
      expect((await write(store, [commit(put("AIDA2"))])).revision).toBe(2);
    });
  });

  describe("leases", () => {
    test("one holder at a time; released it is free, under a greater token", async () => {
      const beside = await place.openBeside();
      const first = await store.lease("job", { ttlMs: 15_000 });
      expect(await beside.store.lease("job", { ttlMs: 15_000 })).toBeUndefined();
      expect(await store.lease("job")).toBeUndefined();
      await first?.release();
      expect(first?.signal.aborted).toBe(true);
      const second = await beside.store.lease("job", { ttlMs: 15_000 });
      expect(second?.fence.token).toBe((first?.fence.token ?? 0) + 1);
      const request = { since: await newest(store), idempotencyKeys: [] };
      const lost: string[][] = [];
      for (const lease of [first, second]) {
        const fences = lease === undefined ? [] : [lease.fence];
        await store.transact(org, { ...request, fences }, ({ lostFences }) => {
          lost.push([...lostFences]);
          return [];
        });
      }
      expect(lost).toEqual([["job"], []]);
      await second?.release();
    });

    test("one whose time is over goes to whoever asks", async () => {
      const beside = await place.openBeside();
      const first = await store.lease("job");
      await place.damage("UPDATE mi_lease SET expires_at = 1 WHERE name = 'job'");
      const second = await beside.store.lease("job");
      expect(second?.fence).toEqual({ name: "job", token: (first?.fence.token ?? 0) + 1 });
      // The late one's release takes nothing from the new holder.
      await first?.release();
      expect(await store.lease("job")).toBeUndefined();
      await second?.release();
    });
  });

  test("two instances with six writers each: no gap, no lost update, each commit at its place", async () => {
    const beside = await place.openBeside();
    const start = await write(store, [commit(put("COUNTER", { doc: "0" }))]);
    const acknowledged = new Map<number, string>();
    const writer = async (own: Store) => {
      let at: Position = start;
      let count = 0;
      for (let i = 0; i < 8; i++) {
        let made: Commit | undefined;
        const since = at;
        let next = count;
        const head = await own.transact(
          org,
          { since, idempotencyKeys: [], fences: [] },
          ({ behind }) => {
            next = count;
            for (const { changes } of behind) {
              for (const change of changes) if ("doc" in change) next = Number(change.doc);
            }
            next++;
            made = commit(put("COUNTER", { doc: String(next) }));
            return [made];
          },
        );
        count = next;
        at = head;
        acknowledged.set(head.revision, made?.id ?? "");
      }
    };
    const owners = [store, beside.store].flatMap((own) => Array.from({ length: 6 }, () => own));
    await Promise.all(owners.map(writer));
    expect((await everything(store)).get("COUNTER")?.doc).toBe("96");
    const { records } = await store.changes(org, firstPosition(org), 1000);
    const log = new Map(records.map(({ revision, id }) => [revision, id]));
    expect([...log.keys()]).toEqual(Array.from({ length: 97 }, (_, i) => i + 1));
    expect(acknowledged.size).toBe(96);
    for (const [revision, id] of acknowledged) expect(log.get(revision)).toBe(id);
    await verifyOrg(engine, org);
  });
}
