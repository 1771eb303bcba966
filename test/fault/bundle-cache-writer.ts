import { BundleCache } from "../../src/adapters/distribution/bundle-cache.ts";
import { BundleFollower } from "../../src/adapters/distribution/follower.ts";
import { nodeDisk } from "../../src/adapters/distribution/node-disk.ts";
import { systemClock } from "../../src/adapters/distribution/system-clock.ts";
import { defaultBundleLimits } from "../../src/domain/bundle/limits.ts";
import { bundleOf } from "../fakes/bundle.ts";
import { sampleDirectory, user } from "../fakes/bundle-directory.ts";
import { root } from "../fakes/bundle-keys.ts";

// The process that is killed: activates one revision after the other and says which of them are kept.
// `loaded n`: what the cache held at the start, 0 for nothing. `kept n`: acknowledged.

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: bundle-cache-writer FOLDER");
const say = (line: string) => process.stdout.write(`${line}\n`);

const follower = new BundleFollower(
  {
    anchors: { rootFingerprints: [root.keyId], org: null },
    slice: null,
    acceptStale: true,
    limits: defaultBundleLimits,
    source: "folder",
    address: folder,
  },
  systemClock,
);
await follower.start(
  {
    activated: () => {},
    refreshed: () => {},
    refused: ({ code, detail }) => say(`refused ${code} ${detail}`),
  },
  await BundleCache.open(nodeDisk, folder, defaultBundleLimits),
);
const loaded = follower.status().active;
const name = loaded === null ? 0 : loaded.revision;
say(`loaded ${name}`);

for (let revision = name + 1; ; revision++) {
  const directory = sampleDirectory({ users: [user(`v${revision}`)] });
  const bundle = bundleOf(directory, { revision });
  await follower.offer({
    head: bundle.head,
    keySets: bundle.keySets,
    object: async ({ digest }) => bundle.objects.get(digest) ?? null,
  });
  if (follower.status().cache?.state === "writing") say(`kept ${revision}`);
}
