import { join } from "node:path";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { BundleCache } from "./bundle-cache.ts";
import { headName, keySetsName, objectPath, readInside, readKeySets } from "./bundle-folder.ts";
import type { Clock } from "./clock.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import {
  defaultFolderWatchOptions,
  FolderWatch,
  type FolderWatchOptions,
  type Sight,
} from "./folder-watch.ts";
import { BundleFollower } from "./follower.ts";
import { requireFingerprints } from "./root-fingerprints.ts";
import type { BundleListener, BundleSource, SourceStatus } from "./source.ts";

export interface FolderSourceOptions {
  /** The folder of `mesh-iam bundle build`: `head`, `objects/<sha256>`, `keysets/<n>`. */
  readonly folder: string;
  /** `bundle.rootFingerprints`: `sha256:` and hex; at least one. */
  readonly rootFingerprints: readonly string[];
  /** The organization expected; null: the one of key set 1. */
  readonly org: string | null;
  /** The slice expected; null: as it is (BUN-32). */
  readonly slice: string | null;
  /** `bootstrap.acceptStale`, default false. */
  readonly acceptStale?: boolean;
  /** Where the last good state is kept; null: nowhere, and no floor outlives the process. */
  readonly cacheFolder: string | null;
  readonly limits?: BundleLimits;
  readonly watch?: Partial<FolderWatchOptions>;
}

/**
 * Returns the source that follows a folder with a built bundle (`folder: PATH`, control-plane 2.4, 3).
 *
 * The folder is a carrier like any other: untrusted, and verified up to the installed roots. A new
 * head, or a new key set, is live well under a second after its rename; what is refused is tried
 * again when anything changes and every few seconds. Starts from the cache when that is newer.
 */
export function createFolderSource(
  options: FolderSourceOptions,
  disk: Disk,
  clock: Clock,
): BundleSource {
  return new FolderSource(options, disk, clock);
}

class FolderSource implements BundleSource {
  readonly #options: FolderSourceOptions;
  readonly #limits: BundleLimits;
  readonly #disk: Disk;
  readonly #watch: FolderWatch;
  readonly #follower: BundleFollower;

  constructor(options: FolderSourceOptions, disk: Disk, clock: Clock) {
    this.#options = options;
    this.#limits = options.limits ?? defaultBundleLimits;
    this.#disk = disk;
    this.#follower = new BundleFollower(
      {
        anchors: { rootFingerprints: options.rootFingerprints, org: options.org },
        slice: options.slice,
        acceptStale: options.acceptStale ?? false,
        limits: this.#limits,
        source: "folder",
        address: options.folder,
      },
      clock,
    );
    this.#watch = new FolderWatch(
      disk,
      clock,
      { ...defaultFolderWatchOptions, ...options.watch },
      () => this.#look(),
      () => this.#pull(),
    );
  }

  async start(listener: BundleListener): Promise<void> {
    const { cacheFolder, rootFingerprints } = this.#options;
    requireFingerprints(rootFingerprints);
    const cache =
      cacheFolder === null ? null : await BundleCache.open(this.#disk, cacheFolder, this.#limits);
    await this.#follower.start(listener, cache);
    await this.#watch.start(null);
  }

  status(): SourceStatus {
    return { ...this.#follower.status(), connected: null, findings: [] };
  }

  async close(): Promise<void> {
    await this.#watch.close();
    await this.#follower.close();
  }

  async #look(): Promise<Sight> {
    const { folder } = this.#options;
    const folders = [await this.#disk.realPath(folder)];
    // Absent is a state like any other, and its end is waited for.
    const head = await this.#disk.facts(join(folder, headName)).catch(errorCodeOf);
    let keySets: readonly string[] = [];
    try {
      keySets = await this.#disk.list(join(folder, keySetsName));
      folders.push(await this.#disk.realPath(join(folder, keySetsName)));
    } catch {
      // A bundle without key sets is refused by whoever verifies it.
    }
    return { fingerprint: JSON.stringify([head, [...keySets].sort()]), folders };
  }

  async #pull(): Promise<boolean> {
    const { folder } = this.#options;
    const inside = (path: string, maxBytes: number) =>
      readInside(this.#disk, folder, path, maxBytes);
    const head = await inside(join(folder, headName), this.#limits.maxHeadBytes);
    if (head === null)
      return this.#unreadable("head: absent, too large, or no file of this folder");
    let keySets: ReadonlyMap<number, Uint8Array>;
    try {
      const held = this.#follower.keySetNumber();
      keySets = await readKeySets(this.#disk, folder, held, this.#limits);
    } catch (error) {
      return this.#unreadable(`key sets: cannot be listed: ${errorCodeOf(error)}`);
    }
    const result = await this.#follower.offer({
      head,
      keySets,
      object: ({ digest, maxFrameBytes }) => inside(objectPath(folder, digest), maxFrameBytes),
    });
    return result === "applied" || result === "unchanged";
  }

  #unreadable(detail: string): boolean {
    this.#follower.refuse("bundle-unreadable", "network", detail);
    return false;
  }
}
