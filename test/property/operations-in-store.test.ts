import fc from "fast-check";
import { expect, test } from "vitest";
import { directoryOf } from "../../src/domain/directory/state/directory-of.ts";
import { Replica } from "../../src/domain/directory/state/organization-state.ts";
import { storedChange } from "../../src/domain/directory/state/stored-change.ts";
import { createReader, readRow } from "../../src/domain/directory/state/stored-form.ts";
import { sqlitePlace } from "../fakes/sqlite-place.ts";
import { commit, everything, org, replayed, write } from "../fakes/store-commits.ts";
import { played, sequence, started } from "./operation-calls.ts";
import { caseCount, seed } from "./settings.ts";

/**
 * STO-78: the operations refuse what the database would, so its keys never have to; and what it then
 * holds, read as a snapshot or from its log, is the replica that made it.
 */
test("the database takes whatever operations accept, and gives the same organization back", async () => {
  await fc.assert(
    fc.asyncProperty(sequence, async (all) => {
      const made = started();
      played(made, all);
      const place = await sqlitePlace();
      try {
        const { store } = await place.open();
        await store.createOrg(org);
        for (const changes of made.commits)
          await write(store, [commit(...changes.map(storedChange))]);
        for (const rows of [await everything(store), await replayed(store)]) {
          const replica = new Replica();
          const reader = createReader();
          for (const row of rows.values()) {
            replica.apply([{ type: "put", object: readRow(row, reader) }], made.replica.revision);
          }
          expect(replica.size).toBe(made.replica.size);
          expect([...replica.unreadable()]).toEqual([]);
          expect(directoryOf(replica)).toEqual(directoryOf(made.replica));
          for (const id of rows.keys()) expect(replica.get(id)).toEqual(made.replica.get(id));
        }
      } finally {
        await place.dispose();
      }
    }),
    { seed, numRuns: caseCount(8) },
  );
});
