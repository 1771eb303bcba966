import { join } from "node:path";
import type { BundleLimits } from "../../domain/bundle/limits.ts";
import { MeshIamError } from "../../iam/error.ts";
import {
  headName,
  isObjectName,
  keySetPath,
  keySetsName,
  objectPath,
  objectsName,
  readKeySets,
} from "./bundle-folder.ts";
import { formatFloor, parseFloor, type StoredFloor } from "./cache-floor.ts";
import { type Disk, errorCodeOf, type FolderLock } from "./disk.ts";
import { replaceFile, replaceFileDurably } from "./durable-file.ts";

const previousName = "head.previous";
const floorName = "floor";
const mode = 0o600;

/** What a cache holds at a start, none of it verified. */
export interface CachedState {
  readonly keySets: ReadonlyMap<number, Uint8Array>;
  /** Null: none yet, or damaged (`floorDamaged`). */
  readonly floor: StoredFloor | null;
  readonly floorDamaged: boolean;
  /** Heads, the newest generation first; at most two. */
  readonly heads: readonly Uint8Array[];
}

/** An activated bundle to be kept. */
export interface Generation {
  /** `Signed` over the head. */
  readonly head: Uint8Array;
  /** Digests of the manifest and all parts. */
  readonly digests: ReadonlySet<string>;
  readonly floor: StoredFloor;
}

/** Whether what is accepted also gets kept. */
export interface CacheStatus {
  readonly state: "writing" | "failing";
  /** Why not, else empty. */
  readonly detail: string;
}

/**
 * The last good bundles of one source on disk: objects named by digest, key sets, two heads and the
 * floor (BUN-12). One writer a folder; a second one is refused.
 *
 * INVARIANT: whatever moment a process dies at, the head on disk finds all its objects, and the floor
 * is never ahead of the heads. Objects are written before the head that needs them, the floor after
 * it, and what neither head needs is removed last.
 *
 * A disk that fails does not stop anybody: what is not kept yet is tried again with the next save.
 */
export class BundleCache {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #limits: BundleLimits;
  readonly #lock: FolderLock | null;
  #failure: string;
  /** Digests known to be on disk. */
  readonly #stored = new Set<string>();
  /** Frames that a failing disk did not take yet. */
  readonly #unsaved = new Map<string, Uint8Array>();
  /** What the file `head` holds, null when it is not certain to be good. */
  #newest: Generation | null = null;
  /** What the file `head.previous` holds, null when that is not known. */
  #older: Generation | null = null;

  private constructor(
    disk: Disk,
    folder: string,
    limits: BundleLimits,
    lock: FolderLock | null,
    failure: string,
  ) {
    this.#disk = disk;
    this.#folder = folder;
    this.#limits = limits;
    this.#lock = lock;
    this.#failure = failure;
  }

  /**
   * Returns the cache in `folder`, which is made if it is absent, locked for this process. Throws
   * `state-locked` while another one holds it (DSK-007). On a disk that cannot be written it reads
   * all the same, and its status says so (DSK-006).
   */
  static async open(disk: Disk, folder: string, limits: BundleLimits): Promise<BundleCache> {
    try {
      for (const name of [objectsName, keySetsName])
        await disk.makeFolder(join(folder, name), 0o700);
      const lock = await disk.lock(folder);
      if (lock !== null) return new BundleCache(disk, folder, limits, lock, "");
    } catch (error) {
      const failure = `${folder} cannot be written: ${errorCodeOf(error)}`;
      return new BundleCache(disk, folder, limits, null, failure);
    }
    throw new MeshIamError("state-locked", `another process writes ${folder}`);
  }

  status(): CacheStatus {
    return { state: this.#failure === "" ? "writing" : "failing", detail: this.#failure };
  }

  /** Returns what is there to start from. Never rejects: what cannot be read is absent. */
  async load(): Promise<CachedState> {
    const { maxHeadBytes } = this.#limits;
    const keySets = await readKeySets(this.#disk, this.#folder, 0, this.#limits).catch(
      () => new Map<number, Uint8Array>(),
    );
    const heads: Uint8Array[] = [];
    for (const name of [headName, previousName]) {
      const head = await this.#read(join(this.#folder, name), maxHeadBytes);
      if (head !== null) heads.push(head);
    }
    const floor = await this.#read(join(this.#folder, floorName), maxHeadBytes);
    const parsed = floor && parseFloor(Buffer.from(floor).toString("utf8"));
    return { keySets, heads, floor: parsed, floorDamaged: floor !== null && parsed === null };
  }

  /** Returns the frame stored under a digest, unverified; null when it cannot be had. */
  readObject(digest: string, maxBytes: number): Promise<Uint8Array | null> {
    return this.#read(objectPath(this.#folder, digest), maxBytes);
  }

  /** Tells which of the heads that `load` returned is in force, all its objects having verified. */
  loaded(generation: Generation, isNewest: boolean): void {
    for (const digest of generation.digests) this.#stored.add(digest);
    if (isNewest) this.#newest = generation;
    else this.#older = generation;
  }

  /** Keeps key sets that verified, whatever becomes of the head they came with. Never rejects. */
  async saveKeySets(keySets: ReadonlyMap<number, Uint8Array>): Promise<void> {
    await this.#write(async () => {
      for (const [number, bytes] of keySets) {
        await replaceFile(this.#disk, keySetPath(this.#folder, number), bytes, mode);
      }
      await this.#disk.sync(join(this.#folder, keySetsName));
    });
  }

  /**
   * Keeps an activated bundle and moves the floor. `frames` are those of its objects that may not be
   * on disk yet. Never rejects; resolves to true when all of it is durable.
   */
  async save(generation: Generation, frames: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
    for (const [digest, frame] of frames) {
      if (!this.#stored.has(digest)) this.#unsaved.set(digest, frame);
    }
    for (const digest of this.#unsaved.keys()) {
      if (!generation.digests.has(digest)) this.#unsaved.delete(digest);
    }
    return this.#write(async () => {
      await this.#saveObjects();
      if (this.#newest !== null) {
        await this.#replace(previousName, this.#newest.head);
        this.#older = this.#newest;
      }
      // Until it is certain which head the file holds, it is none to keep as the older one.
      this.#newest = null;
      await this.#replace(headName, generation.head);
      this.#newest = generation;
      await this.#replace(floorName, Buffer.from(formatFloor(generation.floor)));
      await this.#removeUnneeded();
    });
  }

  /** Keeps a renewed head over the manifest already kept. As `save`. */
  async saveHead(generation: Generation): Promise<boolean> {
    return this.#write(async () => {
      // After a save that failed there are objects to make up for.
      await this.#saveObjects();
      await this.#replace(headName, generation.head);
      this.#newest = generation;
      await this.#replace(floorName, Buffer.from(formatFloor(generation.floor)));
    });
  }

  async close(): Promise<void> {
    await this.#lock?.release().catch(() => {});
  }

  async #saveObjects(): Promise<void> {
    if (this.#unsaved.size === 0) return;
    for (const [digest, frame] of this.#unsaved) {
      await replaceFile(this.#disk, objectPath(this.#folder, digest), frame, mode);
    }
    await this.#disk.sync(join(this.#folder, objectsName));
    for (const digest of this.#unsaved.keys()) this.#stored.add(digest);
    this.#unsaved.clear();
  }

  #replace(name: string, bytes: Uint8Array): Promise<void> {
    return replaceFileDurably(this.#disk, join(this.#folder, name), bytes, mode);
  }

  // Left over files of a crash go, too: they are no objects' names.
  async #removeUnneeded(): Promise<void> {
    const needed = [this.#newest?.digests, this.#older?.digests];
    for (const name of await this.#disk.list(join(this.#folder, objectsName))) {
      if (isObjectName(name) && needed.some((digests) => digests?.has(name))) continue;
      await this.#disk.remove(join(this.#folder, objectsName, name));
      this.#stored.delete(name);
    }
  }

  async #write(steps: () => Promise<void>): Promise<boolean> {
    if (this.#lock === null) return false;
    try {
      if (!(await this.#lock.held())) throw Object.assign(new Error("lock"), { code: "ELOCK" });
      await steps();
      this.#failure = "";
      return true;
    } catch (error) {
      // Serving goes on from memory (DSK-006); the status and the next save tell.
      this.#failure = `${this.#folder} cannot be written: ${errorCodeOf(error)}`;
      return false;
    }
  }

  async #read(path: string, maxBytes: number): Promise<Uint8Array | null> {
    try {
      return await this.#disk.read(path, maxBytes);
    } catch {
      // Absent or unreadable: either way there is nothing to start from here.
      return null;
    }
  }
}
