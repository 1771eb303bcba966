import { beforeEach, describe, expect, test } from "vitest";
import { firstPosition } from "../../src/adapters/store/chain.ts";
import type { Position, Store, StoreEngine } from "../../src/adapters/store/store.ts";
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

/** What a commit writes, and what the store refuses to write. */
export function commitConformance(opened: () => { place: StorePlace; engine: StoreEngine }): void {
  let place: StorePlace;
  let engine: StoreEngine;
  let store: Store;
  beforeEach(() => {
    ({ place, engine } = opened());
    store = engine.store;
  });

  describe("organizations", () => {
    test("making one is idempotent; one that is not there is told", async () => {
      const first = await store.createOrg(org);
      expect(first).toMatchObject({ org, epoch: 1, revision: 0, state: "active" });
      expect(first).toMatchObject(firstPosition(org));
      await write(store, [commit(put("AIDA1"))]);
      expect(await store.createOrg(org)).toEqual(await store.head(org));
      await expect(store.head("o-other")).rejects.toEqual(failing("store-org-unknown"));
      await expect(store.snapshot("o-other")).rejects.toEqual(failing("store-org-unknown"));
      await expect(store.createOrg("")).rejects.toEqual(failing("store-limit"));
    });

    test("each has revisions of its own, and names no object of another", async () => {
      await store.createOrg("o-second");
      await write(store, [commit(put("AIDA1"))]);
      const other = await store.transact(
        "o-second",
        { since: await newest(store, "o-second"), idempotencyKeys: [], fences: [] },
        () => [commit(put("AIDA1", { doc: '{"of":"second"}' }))],
      );
      expect(other.revision).toBe(1);
      const all = await store.heads();
      expect(all.map((head) => [head.org, head.revision]).toSorted()).toEqual([
        [org, 1],
        ["o-second", 1],
      ]);
      expect((await everything(store)).get("AIDA1")?.doc).toBe("{}");
    });
  });

  describe("commits", () => {
    test("revisions are gap-free, and the log gives back what was written, byte for byte", async () => {
      const doc = '{ "name":"ana\\u0000\\"é", "b" : 1, "a": [1.0, 1e2] , "a":2}';
      const made = commit(put("AIDA1", { doc, nameKey: "ana/ö" }));
      await write(store, [made]);
      const head = await write(store, [
        commit(put("AIDA1", { doc: "{}" })),
        commit(remove("AIDA1")),
      ]);
      expect(head.revision).toBe(3);
      expect(await store.head(org)).toEqual(head);
      const { records } = await store.changes(org, firstPosition(org), 1000);
      expect(records.map(({ revision }) => revision)).toEqual([1, 2, 3]);
      expect(records[0]).toMatchObject({ id: made.id, actor: made.actor, epoch: 1 });
      expect(Buffer.from(records[0]?.audit ?? [])).toEqual(made.audit);
      expect(records[0]?.changes).toEqual([
        {
          id: "AIDA1",
          kind: "user",
          account: "111122223333",
          nameKey: "ana/ö",
          doc,
          createRevision: 1,
          modRevision: 1,
        },
      ]);
      expect(records[1]?.changes[0]).toMatchObject({ createRevision: 1, modRevision: 2 });
      expect(records[2]?.changes).toEqual([{ removed: "AIDA1" }]);
      expect(records.at(-1)?.chain).toEqual(head.chain);
      expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 3, objects: 0 });
    });

    test("work that throws writes nothing, and its number is given again", async () => {
      const broken = write(store, () => {
        throw new TypeError("a bug");
      });
      await expect(broken).rejects.toThrow(TypeError);
      await expect(
        write(store, [commit(put("AIDA1")), commit(put("AIDA2", { nameKey: "aida1" }))]),
      ).rejects.toEqual(failing("store-constraint"));
      expect((await store.head(org)).revision).toBe(0);
      expect((await write(store, [commit(put("AIDA1"))])).revision).toBe(1);
      expect((await write(store, [])).revision).toBe(1);
    });

    test("time never goes back", async () => {
      const first = await write(store, [commit(put("AIDA1"))]);
      await place.damage(`UPDATE mi_org SET at = at + 3600000`);
      const second = await write(store, ({ nowMs }) => {
        expect(nowMs).toBe(first.atMs + 3_600_000);
        return [commit(put("AIDA2"))];
      });
      expect(second.atMs).toBe(first.atMs + 3_600_000);
    });

    test("500 objects in one commit, and more than a page of them in a snapshot", async () => {
      const many = (from: number) =>
        commit(...Array.from({ length: 500 }, (_, i) => put(`AIDA${from + i}`)));
      await write(store, [many(0), many(500), many(1000)]);
      expect((await everything(store)).size).toBe(1500);
      expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 3, objects: 1500 });
    });
  });

  describe("the database refuses", () => {
    beforeEach(async () => {
      await write(store, [
        commit(put("AGPA1", { kind: "group" })),
        commit(put("AIDA1", {}, { rel: "member", to: "AGPA1" })),
      ]);
    });

    test.each([
      { why: "a taken name", changes: [put("AIDA2", { nameKey: "aida1" })] },
      { why: "a dangling reference", changes: [put("AIDA2", {}, { rel: "member", to: "AGPA9" })] },
      { why: "to remove what is referred to", changes: [remove("AGPA1")] },
      { why: "to remove what is not there", changes: [remove("AIDA9")] },
      { why: "an object of another kind", changes: [put("AIDA1", { kind: "role" })] },
      { why: "a doc that is no JSON", changes: [put("AIDA2", { doc: "{" })] },
    ])("$why", async ({ changes }) => {
      const before = await store.head(org);
      await expect(write(store, [commit(...changes)])).rejects.toEqual(failing("store-constraint"));
      expect(await store.head(org)).toEqual(before);
    });

    test("an id that was removed in the same transaction", async () => {
      const again = write(store, [
        commit(put("AIDA2")),
        commit(remove("AIDA2")),
        commit(put("AIDA2")),
      ]);
      await expect(again).rejects.toEqual(failing("store-constraint"));
    });

    test("nothing of what a commit makes right again", async () => {
      await write(store, [commit(remove("AGPA1"), remove("AIDA1"))]);
      const again = [put("AIDA2", { nameKey: "aida1" }, { rel: "member", to: "AGPA2" })];
      await write(store, [commit(...again, put("AGPA2", { kind: "group", nameKey: "agpa1" }))]);
      // Two swap their names; a third moves up into the place of one that goes.
      await write(store, [commit(put("AIDA3"), put("AIDA4"), put("AIDA5"))]);
      await write(store, [
        commit(put("AIDA3", { nameKey: "aida4" }), put("AIDA4", { nameKey: "aida3" })),
      ]);
      await write(store, [commit(remove("AIDA3"), put("AIDA5", { nameKey: "aida4" }))]);
      const objects = await everything(store);
      expect([...objects.values()].map(({ id, nameKey }) => [id, nameKey])).toEqual([
        ["AGPA2", "agpa1"],
        ["AIDA2", "aida1"],
        ["AIDA4", "aida3"],
        ["AIDA5", "aida4"],
      ]);
      await verifyOrg(engine, org);
    });
  });

  describe("bounds", () => {
    const long = "x".repeat(256 * 1024);
    test.each([
      { why: "a doc above 256 KiB", commits: [commit(put("AIDA1", { doc: `"${long}"` }))] },
      {
        why: "501 changes",
        commits: [commit(...Array.from({ length: 501 }, (_, i) => put(`A${i}`)))],
      },
      { why: "65 commits", commits: Array.from({ length: 65 }, (_, i) => commit(put(`A${i}`))) },
      { why: "an object twice", commits: [commit(put("AIDA1"), remove("AIDA1"))] },
      { why: "NUL", commits: [commit(put("AIDA1", { nameKey: "a\0b" }))] },
      { why: "a lone surrogate", commits: [commit(put("AIDA1", { doc: '"\ud800"' }))] },
      { why: "no kind", commits: [commit(put("AIDA1", { kind: "" }))] },
      { why: "an id that is no UUID", commits: [{ ...commit(put("AIDA1")), id: "1" }] },
      {
        why: "4 MiB of audit",
        commits: [{ ...commit(), audit: Buffer.alloc(4 * 1024 * 1024 + 1) }],
      },
    ])("$why is refused", async ({ commits }) => {
      await expect(write(store, commits)).rejects.toEqual(failing("store-limit"));
      expect((await store.head(org)).revision).toBe(0);
    });

    test("a revision that is no safe integer is refused where it enters", async () => {
      const after = { ...firstPosition(org), revision: 2 ** 53 };
      await expect(store.changes(org, after, 1)).rejects.toEqual(failing("store-limit"));
      await expect(store.changes(org, firstPosition(org), 1001)).rejects.toEqual(
        failing("store-limit"),
      );
    });

    test("big revisions come in several pages, in order", async () => {
      const audit = Buffer.alloc(1536 * 1024);
      for (let i = 0; i < 20; i++) await write(store, [{ ...commit(put(`AIDA${i}`)), audit }]);
      let at: Position = firstPosition(org);
      const sizes: number[] = [];
      for (;;) {
        const { records } = await store.changes(org, at, 1000);
        if (records.length === 0) break;
        sizes.push(records.length);
        at = records.at(-1) as Position;
      }
      expect(sizes).toEqual([16, 4]);
      expect((await store.changes(org, firstPosition(org), 3)).records.length).toBe(3);
    });
  });
}
