import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { seededChoice } from "../fakes/seeded-choice.ts";
import { type SqlitePlace, sqlitePlace, surroundings } from "../fakes/sqlite-place.ts";
import { commit, org, put, write } from "../fakes/store-commits.ts";

// A power cut leaves any prefix of the write-ahead log, and a bad disk any bit of it.

const seed = Number(process.env.MESH_IAM_SEED ?? 1);
const commits = 6;
// sqlite.org/walformat.html: a header, then frames of a header and a page.
const headerBytes = 32;
const frameBytes = 24 + 4096;

let place: SqlitePlace;
let folder: string;
let wal: Buffer;

beforeEach(async () => {
  place = await sqlitePlace();
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-wal-"));
  const { store } = await place.open();
  await store.createOrg(org);
  await place.damage("PRAGMA wal_checkpoint(TRUNCATE)");
  for (let i = 0; i < commits; i++) {
    await write(store, [commit(put(`AIDA${i}`), put("AIDA"), put(`AGPA${i}`, { kind: "group" }))]);
  }
  wal = readFileSync(`${place.path}-wal`);
  copyFileSync(place.path, join(folder, "base.db"));
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

/** Returns the revision that a store with this log opens at; everything in it must fit together. */
async function revisionWith(log: Uint8Array): Promise<number> {
  const path = join(folder, "copy.db");
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  copyFileSync(join(folder, "base.db"), path);
  writeFileSync(`${path}-wal`, log);
  const engine = await openSqlite({ ...surroundings(), path, role: "visitor" });
  const { head, revisions } = await verifyOrg(engine, org);
  await engine.close();
  expect(revisions).toBe(head.revision);
  return head.revision;
}

test("a log cut at and around each frame opens at a whole commit, the later the cut the later", async () => {
  const frames = (wal.length - headerBytes) / frameBytes;
  expect(Number.isInteger(frames)).toBe(true);
  const seen: number[] = [];
  for (let frame = 0; frame <= frames; frame++) {
    for (const off of [-1, 0, 25]) {
      const end = Math.min(Math.max(headerBytes + frame * frameBytes + off, 0), wal.length);
      seen.push(await revisionWith(wal.subarray(0, end)));
    }
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect([...new Set(seen)]).toEqual(Array.from({ length: commits + 1 }, (_, i) => i));
}, 120_000);

test(`a log with one bit flipped opens at a whole commit (MESH_IAM_SEED=${seed})`, async () => {
  const choose = seededChoice(seed);
  const seen = new Set<number>();
  for (let i = 0; i < 60; i++) {
    const damaged = Buffer.from(wal);
    const at = choose(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << choose(8));
    seen.add(await revisionWith(damaged));
  }
  expect(Math.max(...seen)).toBeLessThanOrEqual(commits);
  expect(seen.size).toBeGreaterThan(2);
}, 120_000);
