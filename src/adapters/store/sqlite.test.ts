import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SqlitePlace, sqlitePlace, surroundings } from "../../../test/fakes/sqlite-place.ts";
import { commit, failing, org, put, write } from "../../../test/fakes/store-commits.ts";
import { openSqlite } from "./sqlite.ts";
import { checkSqliteVersion } from "./sqlite-file.ts";

let place: SqlitePlace;
beforeEach(async () => {
  place = await sqlitePlace();
});
afterEach(() => place.dispose());

const openWith = (more: Partial<Parameters<typeof openSqlite>[0]> = {}) =>
  openSqlite({ ...surroundings(), path: place.path, role: "writer", ...more });

test.each([
  { why: "NFS", type: 0x6969 },
  { why: "SMB", type: 0x517b },
  { why: "CIFS", type: 0xff534d42 },
  { why: "9p", type: 0x01021997 },
  { why: "Ceph", type: 0x00c36400 },
])("STO-23 a file on $why is refused, and what would do is said", async ({ why, type }) => {
  const opening = openWith({ statFs: async () => ({ type }) });
  await expect(opening).rejects.toEqual(failing("store-unusable"));
  await expect(opening).rejects.toThrow(new RegExp(`${why}.*local disk, or PostgreSQL`));
});

test("STO-23 FUSE is a warning, a local disk none", async () => {
  const engine = await openWith({ statFs: async () => ({ type: 0x65735546 }) });
  expect(engine.warnings).toEqual([expect.stringContaining("FUSE")]);
  await engine.close();
  const local = await openWith({ statFs: async () => ({ type: 0xef53 }) });
  expect(local.warnings).toEqual([]);
  await local.close();
});

test.each([
  ["3.51.2", false],
  ["3.7.17", false],
  ["3.51.3", true],
  ["3.53.4", true],
  ["4.0.0", true],
])("STO-20 SQLite %s is accepted: %s", (version, isAccepted) => {
  const check = () => checkSqliteVersion(version);
  if (isAccepted) check();
  else expect(check).toThrow(expect.objectContaining({ code: "store-unusable" }));
});

test("STO-26 folder and file are their owner's alone", async () => {
  await place.open();
  expect(statSync(place.path).mode & 0o777).toBe(0o600);
  expect(statSync(`${place.path}-wal`).mode & 0o777).toBe(0o600);
  expect(statSync(place.path.replace(/\/[^/]*$/, "")).mode & 0o777).toBe(0o700);
});

test("DSK-008 the file is in WAL mode, and synced at each commit", async () => {
  await place.open();
  expect(await place.read("PRAGMA journal_mode")).toBe("wal");
  expect(await place.read("PRAGMA application_id")).toBe(0x4d49414d);
});

test.each([
  {
    why: "another program's database",
    make: (path: string) => {
      const db = new DatabaseSync(path);
      db.exec("CREATE TABLE theirs (a)");
      db.close();
    },
    code: "store-unusable",
    says: /database of another program/,
  },
  {
    why: "one with another application_id",
    make: (path: string) => {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA application_id = 7");
      db.close();
    },
    code: "store-unusable",
    says: /application_id 7/,
  },
  {
    why: "what is no database",
    make: (path: string) => writeFileSync(path, randomBytes(8192)),
    code: "store-corrupt",
    says: /damaged.*store restore/,
  },
])("STO-26 $why is refused and left as it is", async ({ make, code, says }) => {
  await (await place.open()).close();
  const path = `${place.path}.other`;
  make(path);
  const before = readFileSync(path);
  const opening = openSqlite({ ...surroundings(), path, role: "writer" });
  await expect(opening).rejects.toEqual(failing(code));
  await expect(opening).rejects.toThrow(says);
  expect(readFileSync(path)).toEqual(before);
});

test("STO-25 a damaged file is refused at start, with the way out, and left as it is", async () => {
  const engine = await place.open();
  await engine.store.createOrg(org);
  const many = Array.from({ length: 500 }, (_, i) =>
    put(`AIDA${i}`, { doc: `"${"x".repeat(99)}"` }),
  );
  await write(engine.store, [commit(...many)]);
  await engine.close();
  const bytes = readFileSync(place.path);
  // A page in the middle: neither the header nor the schema.
  randomBytes(4096).copy(bytes, Math.floor(bytes.length / 8192) * 4096);
  writeFileSync(place.path, bytes);
  const opening = place.open();
  await expect(opening).rejects.toEqual(failing("store-corrupt"));
  await expect(opening).rejects.toThrow(/keep the file.*store restore/);
  expect(readFileSync(place.path)).toEqual(bytes);
});

test("STO-25 a head that is not its last revision is refused at start", async () => {
  const engine = await place.open();
  await engine.store.createOrg(org);
  await write(engine.store, [commit(put("AIDA1"))]);
  await engine.close();
  await place.damage("DELETE FROM mi_rev");
  await expect(place.open()).rejects.toEqual(failing("store-corrupt"));
});

test("a visitor makes no file, and migrates none", async () => {
  await expect(place.openBeside()).rejects.toEqual(failing("store-unusable"));
  await expect(place.openBeside()).rejects.toThrow(/no store is at .*ENOENT/);
  await (await place.open()).close();
  await place.damage("DELETE FROM mi_schema");
  await expect(place.openBeside()).rejects.toEqual(failing("store-schema-too-old"));
  await expect(place.openBeside()).rejects.toThrow(/store migrate/);
});

test("STO-22 a second writer is refused while the first renews; a visitor is not", async () => {
  const first = await openWith({ writerTtlMs: 300 });
  await expect(openWith({ writerTtlMs: 300 })).rejects.toEqual(failing("state-locked"));
  const visitor = await place.openBeside();
  expect(await visitor.store.heads()).toEqual([]);
  await first.close();
  const second = await openWith();
  await second.close();
});

test("STO-22 a writer whose file was taken over writes nothing more", async () => {
  const first = await place.open();
  await first.store.createOrg(org);
  await place.damage("UPDATE mi_lease SET expires_at = 1");
  const second = await place.open();
  await expect(write(first.store, [commit(put("AIDA1"))])).rejects.toEqual(failing("state-locked"));
  expect((await write(second.store, [commit(put("AIDA1"))])).revision).toBe(1);
  expect((await first.store.head(org)).revision).toBe(1);
});

test("STO-22 a lease that only ran out takes nothing from the writer", async () => {
  const engine = await place.open();
  await engine.store.createOrg(org);
  await place.damage("UPDATE mi_lease SET expires_at = 1");
  expect((await write(engine.store, [commit(put("AIDA1"))])).revision).toBe(1);
});

test("writers that follow one another at once leave turns to timers, or no lease would be renewed", async () => {
  const { store } = await place.open();
  await store.createOrg(org);
  let hasFired = false;
  setTimeout(() => {
    hasFired = true;
  });
  for (let i = 0; i < 500 && !hasFired; i++) await write(store, []);
  expect(hasFired).toBe(true);
});
