import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { BundleCache } from "./bundle-cache.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { BundleFollower } from "./follower.ts";
import { requireFingerprints } from "./root-fingerprints.ts";
import type { BundleListener } from "./source.ts";

/** What every source whose carrier is far away has to be told. */
export interface RemoteOptions {
  /** For statuses. */
  readonly address: string;
  readonly org: string;
  /** The slice expected; null: the one that the carrier assigns, where it may (BUN-32). */
  readonly slice: string | null;
  readonly rootFingerprints: readonly string[];
  /** `bootstrap.acceptStale`, default false. */
  readonly acceptStale?: boolean;
  /** Where the last good state is kept; null: nowhere, and no floor outlives the process. */
  readonly cacheFolder: string | null;
  readonly limits?: BundleLimits;
}

/** Returns the follower of a remote source; `source` is its word in statuses. */
export function createRemoteFollower(
  options: RemoteOptions,
  source: "http" | "controlPlane",
  clock: Clock,
): BundleFollower {
  const { org, slice, rootFingerprints, acceptStale = false, address } = options;
  const limits = options.limits ?? defaultBundleLimits;
  const anchors = { rootFingerprints, org };
  return new BundleFollower({ anchors, slice, acceptStale, limits, source, address }, clock);
}

/** Starts `follower` from the cache. Throws `config-invalid` without root fingerprints, and what the cache throws. */
export async function startFromCache(
  follower: BundleFollower,
  { cacheFolder, rootFingerprints, limits = defaultBundleLimits }: RemoteOptions,
  disk: Disk,
  listener: BundleListener,
): Promise<void> {
  requireFingerprints(rootFingerprints);
  const cache = cacheFolder === null ? null : await BundleCache.open(disk, cacheFolder, limits);
  await follower.start(listener, cache);
}
