import { expect, test } from "vitest";
import { bundleOf, hourMs } from "../../../test/fakes/bundle.ts";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import { nowMs, root, sealedKeySet } from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { FakeDisk } from "../../../test/fakes/fake-disk.ts";
import { FolderCarrier } from "../../../test/fakes/folder-carrier.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { seededChoice } from "../../../test/fakes/seeded-choice.ts";
import type { SignedBundle } from "../../domain/bundle/signed-bundle.ts";
import { formatFloor, parseFloor } from "./cache-floor.ts";
import { createFolderSource } from "./folder-source.ts";

const options = {
  folder: "/bundle",
  rootFingerprints: [root.keyId],
  org: null,
  slice: null,
  cacheFolder: "/state/bundles/main",
};
const cache = options.cacheFolder;
const named = (name: string) => sampleDirectory({ users: [user(name)] });
const floorOf = (disk: FakeDisk) => parseFloor(Buffer.from(disk.peek(`${cache}/floor`)).toString());

async function started(disk: FakeDisk, clock = new ManualClock(nowMs)) {
  const listener = new RecordingListener();
  const source = createFolderSource(options, disk, clock);
  await source.start(listener);
  return { disk, clock, listener, source };
}

/** A sidecar that has activated `names` one after the other and was stopped. */
async function lived(...names: readonly string[]): Promise<FakeDisk> {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
  carrier.publish(named(names[0] ?? ""));
  const { source } = await started(disk, clock);
  for (const name of names.slice(1)) {
    carrier.publish(named(name));
    await clock.advance(1_500);
  }
  await source.close();
  disk.delete("/bundle/head");
  return disk;
}

test("BUN-12 a restart finds what was in force, and every kind of file is where it belongs", async () => {
  const disk = await lived("v1", "v2");
  const { listener, source } = await started(disk);
  expect(listener.users).toEqual(["v2"]);
  expect(listener.bundles[0]).toMatchObject({ source: "cache", revision: 2 });
  expect(disk.names(cache)).toEqual(["floor", "head", "head.previous", "keysets", "objects"]);
  expect(disk.names(`${cache}/keysets`)).toEqual(["1"]);
  await source.close();
});

test("BUN-12 two generations are kept, and what neither needs is removed", async () => {
  const two = await lived("v1", "v2");
  const six = await lived("v1", "v2", "v3", "v4", "v5", "v6");
  expect(six.names(`${cache}/objects`)).toHaveLength(two.names(`${cache}/objects`).length);
});

test.each([
  { why: "the newest head", path: () => `${cache}/head`, left: "v1", code: "bundle-signature" },
  {
    why: "an object that only the newest needs",
    path: (disk: FakeDisk, before: FakeDisk) => {
      const old = new Set(before.names(`${cache}/objects`));
      const name = disk.names(`${cache}/objects`).find((one) => !old.has(one));
      return `${cache}/objects/${name}`;
    },
    left: "v1",
    code: "bundle-digest",
  },
  { why: "the older head", path: () => `${cache}/head.previous`, left: "v2", code: "bundle" },
])("a damaged generation is skipped for the other: $why", async ({ path, left, code }) => {
  const disk = await lived("v1", "v2");
  disk.damage(path(disk, await lived("v1")));
  const { listener, source } = await started(disk);
  expect(listener.users).toEqual([left]);
  expect(listener.refusals[0]?.code).toContain(code);
  expect(listener.refusals[0]?.detail).toContain("cache");
  await source.close();
});

test("a damaged object is fetched again, and the floor did not sink with the older generation", async () => {
  const disk = await lived("v1", "v2");
  disk.damage(`${cache}/head`);
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => nowMs);
  carrier.publish(named("v1"));
  const { listener, source } = await started(disk, clock);
  expect(listener.users).toEqual(["v1"]);
  expect(source.status()).toMatchObject({ fresh: false, pulls: { rollback: 1 } });
  carrier.publish(named("v2"));
  await clock.advance(1_500);
  expect(listener.users).toEqual(["v2"]);
  expect(source.status()).toMatchObject({ fresh: true });
  await source.close();
  disk.delete("/bundle/head");
  const again = await started(disk);
  expect(again.listener.users).toEqual(["v2"]);
  await again.source.close();
});

test("the older generation survives the replacement of a damaged newest one", async () => {
  const disk = await lived("v1", "v2");
  disk.damage(`${cache}/head`);
  const clock = new ManualClock(nowMs);
  new FolderCarrier(disk, "/bundle", () => nowMs).publish(named("v3"), { revision: 3 });
  const first = await started(disk, clock);
  expect(first.listener.users).toEqual(["v3"]);
  await first.source.close();
  disk.delete("/bundle/head");
  disk.damage(`${cache}/head`);
  const { listener, source } = await started(disk);
  expect(listener.users).toEqual(["v1"]);
  await source.close();
});

test("a damaged floor is told and taken from the heads that verify", async () => {
  const disk = await lived("v1", "v2");
  disk.damage(`${cache}/floor`);
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => nowMs);
  carrier.publish(named("v1"));
  const { listener, source } = await started(disk, clock);
  expect(listener.refusals[0]).toMatchObject({ detail: "cache: the floor is damaged" });
  expect(listener.users).toEqual(["v2"]);
  expect(source.status().pulls.rollback).toBe(1);
  await source.close();
});

test("a renewed head is written at most once a minute, and the floor with it", async () => {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
  carrier.publish(named("v1"));
  const { listener, source } = await started(disk, clock);
  const steps: number[] = [];
  for (let i = 1; i <= 4; i++) {
    await clock.advance(30_000);
    carrier.renew({ coveredRevision: 1 + i });
    await clock.advance(1_500);
    steps.push(disk.steps);
  }
  expect(listener.heads).toHaveLength(4);
  const written = steps.filter((count, i) => i > 0 && count > (steps[i - 1] ?? 0));
  expect(written.length).toBeLessThanOrEqual(2);
  await clock.advance(60_000);
  carrier.renew({ coveredRevision: 9 });
  await clock.advance(1_500);
  expect(floorOf(disk)).toMatchObject({ coveredRevision: 9 });
  await source.close();
});

test("DSK-007 a second sidecar on the same cache does not start", async () => {
  const disk = await lived("v1");
  const first = await started(disk);
  await expect(started(disk)).rejects.toMatchObject({ code: "state-locked" });
  await first.source.close();
  const { source } = await started(disk);
  await source.close();
});

test.each(["ENOSPC", "EIO", "EROFS", "EMFILE"])(
  "DSK-006 a disk that answers %s does not stop an activation, and is made up for later",
  async (code) => {
    const disk = new FakeDisk();
    const clock = new ManualClock(nowMs);
    const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
    carrier.publish(named("v1"));
    const { listener, source } = await started(disk, clock);
    const writes = new Set(["write", "sync", "rename", "remove"]);
    disk.failing = (step, path) => (writes.has(step) && path.startsWith("/state") ? code : null);
    carrier.publish(named("v2"));
    await clock.advance(1_500);
    expect(listener.users).toEqual(["v2"]);
    expect(source.status().cache).toMatchObject({
      state: "failing",
      detail: expect.stringContaining(code),
    });
    disk.failing = () => null;
    await clock.advance(90_000);
    carrier.renew();
    await clock.advance(1_500);
    expect(source.status().cache).toMatchObject({ state: "writing" });
    await source.close();
    disk.delete("/bundle/head");
    const again = await started(disk);
    expect(again.listener.users).toEqual(["v2"]);
    await again.source.close();
  },
);

test("DSK-006 a read-only state folder is read, and the status says that nothing is kept", async () => {
  const disk = await lived("v1");
  disk.failing = (step) => (step === "makeFolder" || step === "lock" ? "EROFS" : null);
  const { listener, source } = await started(disk);
  expect(listener.users).toEqual(["v1"]);
  expect(source.status().cache).toMatchObject({ state: "failing" });
  await source.close();
});

test("a sidecar that lost its lock stops writing", async () => {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
  carrier.publish(named("v1"));
  const { listener, source } = await started(disk, clock);
  const head = disk.peek(`${cache}/head`);
  disk.loseLocks();
  carrier.publish(named("v2"));
  await clock.advance(1_500);
  expect(listener.users).toEqual(["v2"]);
  expect(disk.peek(`${cache}/head`)).toBe(head);
  expect(source.status().cache).toMatchObject({ state: "failing" });
  await source.close();
});

// Built once: the cuts differ, the bundles do not. A change is noticed by its watch, not by looking.
const [v1, v2, v3, v8] = [1, 2, 3, 8].map((revision) =>
  bundleOf(
    sampleDirectory({ users: [user(`v${revision}`)], oidcProviders: [], trustDomains: [] }),
    { revision },
  ),
) as [SignedBundle, SignedBundle, SignedBundle, SignedBundle];
// More of them with MESH_IAM_ROUNDS=20.
const rounds = Number(process.env.MESH_IAM_ROUNDS ?? 1);
const patient = { ...options, watch: { pollMs: 10 * hourMs } };

/** Two changes, a new key set and a renewal on a disk that is cut at step `cutAt`. */
async function liveUntil(cutAt: number, cutBytes: number) {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
  carrier.put(v1);
  disk.cutAt = cutAt;
  disk.cutBytes = cutBytes;
  const listener = new RecordingListener();
  const source = createFolderSource(patient, disk, clock);
  let acknowledged = 0;
  const look = () => {
    const { pulls, cache: state } = source.status();
    if (state?.state === "writing" && disk.steps < disk.cutAt) acknowledged = pulls.applied;
  };
  await source.start(listener).catch(() => {});
  look();
  for (const bundle of [v2, v3]) {
    carrier.put(bundle);
    await clock.advance(100);
    look();
  }
  await clock.advance(90_000);
  disk.put("/bundle/keysets/2", sealedKeySet({ number: 2 }));
  carrier.renew({ coveredRevision: 7 });
  await clock.advance(100);
  const renewed = disk.steps < disk.cutAt;
  await source.close().catch(() => {});
  return { disk, acknowledged, renewed, steps: disk.steps };
}

test("BND-003 DSK-004 a power cut between any two steps, and in the middle of any write", async () => {
  const { steps } = await liveUntil(Number.POSITIVE_INFINITY, 0);
  expect(steps).toBeGreaterThan(60);
  const choose = seededChoice(20261124);
  const found = new Set<number>();
  for (let cutAt = 1; cutAt <= steps + 1; cutAt++) {
    for (let round = 0; round < rounds; round++) {
      const { disk: before, acknowledged, renewed } = await liveUntil(cutAt, choose(1 << 16));
      const disk = before.afterPowerCut(choose);
      disk.delete("/bundle/head");

      // The cache alone: what was acknowledged is there, and nothing is half there.
      const clock = new ManualClock(nowMs + hourMs / 2);
      const listener = new RecordingListener();
      const source = createFolderSource(patient, disk, clock);
      await source.start(listener);
      const revision = source.status().active?.revision ?? 0;
      found.add(revision);
      const where = `cut at ${cutAt}`;
      expect(revision, where).toBeGreaterThanOrEqual(acknowledged);
      expect(listener.users, where).toEqual(revision === 0 ? [] : [`v${revision}`]);

      // The floor is never ahead of what verified.
      const floor = disk.exists(`${cache}/floor`) ? floorOf(disk) : null;
      const covered = source.status().active?.coveredRevision ?? 0;
      expect(floor?.coveredRevision ?? 0, where).toBeLessThanOrEqual(covered);
      if (renewed) expect(source.status().keySet, where).toMatchObject({ number: 2 });

      // An older head is ignored, a newer one heals, without anybody's help.
      const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
      carrier.put(v1);
      await clock.advance(100);
      expect(listener.users, where).toEqual([`v${Math.max(revision, 1)}`]);
      carrier.put(v8);
      await clock.advance(100);
      expect(listener.users, where).toEqual(["v8"]);
      expect(source.status().cache, where).toMatchObject({ state: "writing" });
      await source.close();
    }
  }
  expect([...found].sort()).toEqual([0, 1, 2, 3]);
});

test("the floor's file shows every flipped bit", () => {
  const text = formatFloor({ org: "o-1", epoch: 1, coveredRevision: 2 ** 53 - 1, keySet: 3 });
  expect(parseFloor(text)).toEqual({
    org: "o-1",
    epoch: 1,
    coveredRevision: 2 ** 53 - 1,
    keySet: 3,
  });
  const bytes = Buffer.from(text);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(parseFloor(flipped.toString("utf8"))).toBeNull();
  }
  expect(parseFloor("")).toBeNull();
  expect(parseFloor(text.slice(0, -1))).toBeNull();
});
