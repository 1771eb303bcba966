import { afterEach, beforeEach, expect, test } from "vitest";
import { sampleDirectory } from "../../../../test/fakes/bundle-directory.ts";
import { runCommand } from "../../../../test/fakes/command-line.ts";
import { type SqlitePlace, sqlitePlace } from "../../../../test/fakes/sqlite-place.ts";
import { commit, org, put, write } from "../../../../test/fakes/store-commits.ts";
import { asStored, entitiesOfDirectory } from "../../../../test/property/stored-directory.ts";
import type { Store } from "../../../adapters/store/store.ts";
import { writeRow } from "../../../domain/directory/state/stored-form.ts";

let place: SqlitePlace;
let store: Store;

beforeEach(async () => {
  place = await sqlitePlace();
  ({ store } = await place.open());
  await store.createOrg(org);
  let rows = entitiesOfDirectory(asStored(sampleDirectory())).map(writeRow);
  // The sample names a few objects that it does not have; whoever refers to them stays away.
  for (let before = 0; before !== rows.length; ) {
    before = rows.length;
    const ids = new Set(rows.map(({ id }) => id));
    rows = rows.filter(({ references }) => references.every(({ to }) => ids.has(to)));
  }
  expect(rows.some(({ references }) => references.length > 0)).toBe(true);
  const changes = rows.map(({ references, ...object }) => put(object.id, object, ...references));
  await write(store, [commit(...changes)]);
});
afterEach(() => place.dispose());

const verify = () => runCommand(["store", "verify", "--store", place.path, "--json"]);

test("STO-71 the references of an organization are those of its docs", async () => {
  const { code, out } = await verify();
  expect(JSON.parse(out)).toMatchObject({ verified: true, organizations: [{ unreadable: 0 }] });
  expect(code).toBe(0);
});

test.each([
  {
    why: "one is missing",
    sql: "DELETE FROM mi_ref WHERE rowid = (SELECT min(rowid) FROM mi_ref)",
  },
  {
    why: "one is of another kind",
    sql: "UPDATE mi_ref SET rel = 'other' WHERE rowid = (SELECT min(rowid) FROM mi_ref)",
  },
  {
    why: "one is too many",
    sql: "INSERT INTO mi_ref SELECT org, to_id, 'extra', from_id FROM mi_ref LIMIT 1",
  },
])("STO-71 $why: found", async ({ sql }) => {
  await place.damage(sql);
  const { code, err } = await verify();
  expect(err).toMatch(/references of `[^`]+` are not its doc's \(store-corrupt\)/);
  expect(code).toBe(1);
});

test("a doc that this binary cannot read is counted, and no damage of the store", async () => {
  await write(store, [
    commit(put("x-1", { kind: "keySet" }), put("AIDAX", { doc: '{"of":"a newer release"}' })),
  ]);
  const { code, out } = await verify();
  expect(JSON.parse(out).organizations[0].unreadable).toBeGreaterThan(0);
  expect(code).toBe(0);
});
