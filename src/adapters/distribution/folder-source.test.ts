import { expect, test } from "vitest";
import {
  describeBundleSource,
  type SourceUnderTest,
} from "../../../test/conformance/bundle-source.ts";
import { hourMs } from "../../../test/fakes/bundle.ts";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import { nowMs, root } from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { FakeDisk } from "../../../test/fakes/fake-disk.ts";
import { FolderCarrier } from "../../../test/fakes/folder-carrier.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { createFolderSource, type FolderSourceOptions } from "./folder-source.ts";

const options: FolderSourceOptions = {
  folder: "/bundle",
  rootFingerprints: [root.keyId],
  org: null,
  slice: null,
  cacheFolder: "/state",
};

async function create(): Promise<SourceUnderTest> {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const carrier = new FolderCarrier(disk, "/bundle", () => clock.nowMs());
  const publish = async (name: string) => {
    carrier.publish(sampleDirectory({ users: [user(name)] }));
  };
  return {
    source: createFolderSource(options, disk, clock),
    clock,
    name: "folder",
    publish,
    renew: async () => {
      await clock.advance(30_000);
      carrier.renew();
    },
    spoil: async () => {
      carrier.spoil();
      return "bundle-signature";
    },
    rollBack: async () => carrier.replay(0),
    watches: () => disk.watched,
  };
}

describeBundleSource("a folder with a built bundle", create);

test.each([
  { why: "none", rootFingerprints: [] },
  { why: "one that is none", rootFingerprints: [root.keyId, "sha256:ABC"] },
])("root fingerprints are needed: $why", async ({ rootFingerprints }) => {
  const disk = new FakeDisk();
  const source = createFolderSource({ ...options, rootFingerprints }, disk, new ManualClock(nowMs));
  await expect(source.start(new RecordingListener())).rejects.toMatchObject({
    code: "config-invalid",
  });
  expect(disk.steps).toBe(0);
});

test("a head issued ahead of the clock at a first boot is no accepted stale one", async () => {
  const disk = new FakeDisk();
  const carrier = new FolderCarrier(disk, "/bundle", () => nowMs + hourMs);
  carrier.publish(sampleDirectory());
  const source = createFolderSource(options, disk, new ManualClock(nowMs));
  await source.start(new RecordingListener());
  expect(source.status()).toMatchObject({ fresh: false, acceptedStale: false });
  expect(source.status().active).not.toBeNull();
  await source.close();
});

test("after a start from the cache the folder confirms what is in force, once", async () => {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  new FolderCarrier(disk, "/bundle", () => nowMs).publish(sampleDirectory());
  const first = createFolderSource(options, disk, clock);
  await first.start(new RecordingListener());
  await first.close();
  const listener = new RecordingListener();
  const source = createFolderSource(options, disk, clock);
  await source.start(listener);
  expect(listener.calls).toEqual(["activated", "refreshed"]);
  expect(listener.bundles[0]).toMatchObject({ source: "cache" });
  expect(source.status()).toMatchObject({ activeSource: "folder", fresh: true });
  await clock.advance(10_000);
  expect(listener.calls).toHaveLength(2);
  await source.close();
});
