import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { type SqlitePlace, sqlitePlace, surroundings } from "../../../test/fakes/sqlite-place.ts";
import { openSqlite } from "./sqlite.ts";
import type { StoreEngine } from "./store.ts";

let place: SqlitePlace;
let clock: ManualClock;
let engine: StoreEngine;

beforeEach(async () => {
  place = await sqlitePlace();
  await (await place.open()).close();
  clock = new ManualClock(0);
  engine = await openSqlite({ ...surroundings(), clock, path: place.path, role: "visitor" });
});
afterEach(async () => {
  await engine.close();
  await place.dispose();
});

const expiry = () => place.read("SELECT expires_at FROM mi_lease WHERE name = 'job'");

test("a lease is renewed at each third of its time, and stays", async () => {
  const lease = await engine.store.lease("job", { ttlMs: 15_000 });
  for (let third = 0; third < 9; third++) {
    await place.damage("UPDATE mi_lease SET expires_at = expires_at - 5000 WHERE name = 'job'");
    const before = await expiry();
    await clock.advance(5000);
    expect(await expiry()).toBeGreaterThan(Number(before));
    expect(lease?.signal.aborted).toBe(false);
  }
  await lease?.release();
  expect(lease?.signal.aborted).toBe(true);
  expect(clock.pending).toBe(0);
});

test("one that went to somebody else ends at the next renewal", async () => {
  const lease = await engine.store.lease("job", { ttlMs: 15_000 });
  await place.damage("UPDATE mi_lease SET token = token + 1 WHERE name = 'job'");
  await clock.advance(4999);
  expect(lease?.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(lease?.signal.aborted).toBe(true);
});

test("one that cannot be renewed ends at two thirds of its time", async () => {
  const lease = await engine.store.lease("job", { ttlMs: 15_000 });
  await place.damage("ALTER TABLE mi_lease RENAME TO away");
  await clock.advance(9999);
  expect(lease?.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(lease?.signal.aborted).toBe(true);
});

test("a process that slept through its lease stops as it wakes", async () => {
  const lease = await engine.store.lease("job", { ttlMs: 15_000 });
  // Time passed before the timer of the renewal ran.
  const late = clock.advance(60_000);
  expect(lease?.signal.aborted).toBe(false);
  await place.damage("UPDATE mi_lease SET expires_at = 1 WHERE name = 'job'");
  await late;
  expect(lease?.signal.aborted).toBe(true);
});
