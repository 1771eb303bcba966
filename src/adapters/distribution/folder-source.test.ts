import {
  describeBundleSource,
  type SourceUnderTest,
} from "../../../test/conformance/bundle-source.ts";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import { nowMs, root } from "../../../test/fakes/bundle-keys.ts";
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
