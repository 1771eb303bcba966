import { beforeEach, describe, expect, test } from "vitest";
import type { Store, StoreEngine } from "../../src/adapters/store/store.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { commit, failing, org, put, write } from "../fakes/store-commits.ts";
import type { StorePlace } from "../fakes/store-place.ts";

/** Whole organizations, out of one store and into another. */
export function copyConformance(opened: () => { place: StorePlace; engine: StoreEngine }): void {
  let engine: StoreEngine;
  let store: Store;
  beforeEach(() => {
    ({ engine } = opened());
    store = engine.store;
  });

  describe("copies", () => {
    const step = { ...commit(), actor: "arn:aws:iam::111122223333:root" };
    async function* once<T>(...pages: T[]) {
      yield* pages;
    }

    test("an organization that is there already is refused", async () => {
      const { head } = await engine.copy.read(org);
      await expect(engine.copy.write(head, step, once())).rejects.toEqual(
        failing("store-org-exists"),
      );
    });

    test("a copy has the same objects, a new epoch, the next revision, and is frozen", async () => {
      await write(store, [
        commit(
          put("AGPA1", { kind: "group" }),
          put("AIDA1", {}, { rel: "z", to: "AGPA1" }, { rel: "member", to: "AGPA1" }),
        ),
      ]);
      const { head, pages } = await engine.copy.read(org);
      const objects = [];
      for await (const page of pages) objects.push(...page);
      expect(objects.map(({ id, references }) => [id, references])).toEqual([
        ["AGPA1", []],
        [
          "AIDA1",
          [
            { rel: "member", to: "AGPA1" },
            { rel: "z", to: "AGPA1" },
          ],
        ],
      ]);
      // References may point to later pages.
      const reversed = objects.toReversed().map((object) => [object]);
      const copied = await engine.copy.write({ ...head, org: "o-copy" }, step, once(...reversed));
      expect(copied).toMatchObject({ org: "o-copy", epoch: 2, revision: 2, state: "frozen" });
      const again = [];
      for await (const page of (await engine.copy.read("o-copy")).pages) again.push(...page);
      expect(again).toEqual(objects);
      expect(await verifyOrg(engine, "o-copy")).toMatchObject({ revisions: 0, objects: 2 });
      const { records } = await store.changes("o-copy", await store.oldest("o-copy"), 10);
      expect(records).toEqual([]);
    });

    test.each([
      {
        why: "pages that end in an error",
        pages: async function* () {
          yield [];
          throw new RangeError("cut short");
        },
        says: expect.objectContaining({ message: "cut short" }),
      },
      {
        why: "a reference to nothing",
        pages: () => once([{ ...objectOf("AIDA1"), references: [{ rel: "member", to: "AGPA9" }] }]),
        says: failing("store-constraint"),
      },
      {
        why: "an object of a later revision",
        pages: () => once([{ ...objectOf("AIDA1"), modRevision: 9, references: [] }]),
        says: failing("store-limit"),
      },
    ])("$why leave nothing behind", async ({ pages, says }) => {
      const origin = { ...(await store.head(org)), org: "o-copy", revision: 5 };
      await expect(engine.copy.write(origin, step, pages())).rejects.toEqual(says);
      await expect(store.head("o-copy")).rejects.toEqual(failing("store-org-unknown"));
      expect((await write(store, [commit(put("AIDA1"))])).revision).toBe(1);
    });
  });
}

const objectOf = (id: string) => ({
  id,
  kind: "user",
  account: "",
  nameKey: id,
  doc: "{}",
  createRevision: 1,
  modRevision: 1,
});
