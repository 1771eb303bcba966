import { dirname, join, normalize } from "node:path";
import type { Disk, FileFacts, FolderLock } from "../../src/adapters/distribution/disk.ts";

interface File {
  readonly type: "file";
  readonly inode: number;
  modifiedAtMs: number;
  bytes: Uint8Array;
  /** What survives a power cut; null before the first sync. */
  durable: Uint8Array | null;
}

interface Folder {
  readonly type: "folder";
  readonly inode: number;
  readonly names: Map<string, Entry>;
  /** Names that survive a power cut. */
  durable: Map<string, Entry>;
}

interface Link {
  readonly type: "link";
  readonly target: string;
}

type Entry = File | Folder | Link;

/** Thrown by every call once the machine is down. */
export class PowerCut extends Error {}

/**
 * A disk in memory that forgets like a real one: bytes that were not synced may be cut anywhere, a
 * name that was not synced with its folder may be the old or the new one.
 */
export class FakeDisk implements Disk {
  /** Counts the steps that change something. */
  steps = 0;
  /** The machine goes down at this step, in the middle of it for a write. */
  cutAt = Number.POSITIVE_INFINITY;
  /** How much of the write that is cut reaches the disk. */
  cutBytes = 0;
  /** Returns the error of a step, null for none: `ENOSPC`, `EIO`, `EMFILE`, `EROFS`. */
  failing: (step: string, path: string) => string | null = () => null;
  #nextInode = 2;
  #root: Folder = { type: "folder", inode: 1, names: new Map(), durable: new Map() };
  readonly #locks = new Set<string>();
  readonly #watches = new Set<{ readonly folder: string; readonly changed: () => void }>();

  // What a test does to the disk, at once and durably.

  put(path: string, content: string | Uint8Array): void {
    const folder = this.#make(dirname(path));
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    folder.names.set(nameOf(path), this.#file(bytes, bytes));
    folder.durable = new Map(folder.names);
    this.#notify(dirname(path));
  }

  link(path: string, target: string): void {
    const folder = this.#make(dirname(path));
    folder.names.set(nameOf(path), { type: "link", target });
    folder.durable = new Map(folder.names);
    this.#notify(dirname(path));
  }

  delete(path: string): void {
    const folder = this.#make(dirname(path));
    folder.names.delete(nameOf(path));
    folder.durable = new Map(folder.names);
    this.#notify(dirname(path));
  }

  /** Flips one bit of a file. */
  damage(path: string): void {
    const file = this.#fileAt(path);
    const bytes = Uint8Array.from(file.bytes);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    this.put(path, bytes);
  }

  /** Lets another process take every lock away. */
  loseLocks(): void {
    this.#locks.clear();
  }

  exists(path: string): boolean {
    return this.#folderAt(dirname(path)).names.has(nameOf(path));
  }

  peek(path: string): Uint8Array {
    return this.#fileAt(path).bytes;
  }

  /** Returns the names of a folder, in order. */
  names(folder: string): readonly string[] {
    return [...this.#folderAt(folder).names.keys()].sort();
  }

  get watched(): number {
    return this.#watches.size;
  }

  /** Returns the disk as it is found after a power cut; `choose(n)` picks 0 to n - 1. */
  afterPowerCut(choose: (n: number) => number): FakeDisk {
    const survivors = new Map<Entry, Entry>();
    const survivor = (entry: Entry): Entry => {
      const known = survivors.get(entry);
      if (known !== undefined) return known;
      const made = this.#survivor(entry, choose, survivor);
      survivors.set(entry, made);
      return made;
    };
    const disk = new FakeDisk();
    disk.#root = survivor(this.#root) as Folder;
    disk.#nextInode = this.#nextInode;
    return disk;
  }

  #survivor(entry: Entry, choose: (n: number) => number, survivor: (e: Entry) => Entry): Entry {
    if (entry.type === "link") return entry;
    if (entry.type === "file") {
      const whole = entry.bytes === entry.durable;
      const cut = whole ? entry.bytes : entry.bytes.subarray(0, choose(entry.bytes.length + 1));
      const bytes = !whole && entry.durable !== null && choose(2) === 0 ? entry.durable : cut;
      return { ...entry, bytes, durable: bytes };
    }
    const names = new Map<string, Entry>();
    for (const name of new Set([...entry.names.keys(), ...entry.durable.keys()])) {
      const states = [entry.names.get(name), entry.durable.get(name)];
      const found = states[states[0] === states[1] ? 0 : choose(2)];
      if (found !== undefined) names.set(name, survivor(found));
    }
    return { ...entry, names, durable: new Map(names) };
  }

  // The disk as the code under test sees it.

  async list(folder: string): Promise<readonly string[]> {
    this.#fail("list", folder);
    return [...this.#folderAt(folder).names.keys()];
  }

  async facts(path: string): Promise<FileFacts> {
    this.#fail("facts", path);
    const entry = this.#at(path);
    const bytes = entry.type === "file" ? entry.bytes.length : 0;
    const modifiedAtMs = entry.type === "file" ? entry.modifiedAtMs : 0;
    return { type: entry.type, bytes, modifiedAtMs, inode: entry.inode };
  }

  async realPath(path: string): Promise<string> {
    this.#fail("realPath", path);
    return this.#resolve(path, 0).path;
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    this.#fail("read", path);
    const entry = this.#at(path);
    if (entry.type !== "file") throw systemError("EINVAL");
    if (entry.bytes.length > maxBytes) throw systemError("EFBIG");
    return entry.bytes;
  }

  async makeFolder(folder: string): Promise<void> {
    this.#step("makeFolder", folder);
    this.#make(folder);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const cut = this.steps + 1 === this.cutAt;
    if (cut) this.#folderAt(dirname(path)).names.set(nameOf(path), this.#cutFile(bytes));
    this.#step("write", path);
    this.#folderAt(dirname(path)).names.set(nameOf(path), this.#file(Uint8Array.from(bytes), null));
    this.#notify(dirname(path));
  }

  async sync(path: string): Promise<void> {
    this.#step("sync", path);
    const entry = this.#at(path);
    if (entry.type === "file") entry.durable = entry.bytes;
    else entry.durable = new Map(entry.names);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step("rename", to);
    const source = this.#folderAt(dirname(from));
    const entry = source.names.get(nameOf(from));
    if (entry === undefined) throw systemError("ENOENT");
    source.names.delete(nameOf(from));
    this.#folderAt(dirname(to)).names.set(nameOf(to), entry);
    this.#notify(dirname(to));
  }

  async remove(path: string): Promise<void> {
    this.#step("remove", path);
    this.#folderAt(dirname(path)).names.delete(nameOf(path));
    this.#notify(dirname(path));
  }

  async lock(folder: string): Promise<FolderLock | null> {
    this.#step("lock", folder);
    if (this.#locks.has(folder)) return null;
    this.#locks.add(folder);
    return {
      held: async () => this.#locks.has(folder),
      release: async () => {
        this.#locks.delete(folder);
      },
    };
  }

  watch(folder: string, changed: () => void): { close(): void } {
    this.#fail("watch", folder);
    const watch = { folder: normalize(folder), changed };
    this.#watches.add(watch);
    return { close: () => this.#watches.delete(watch) };
  }

  #step(step: string, path: string): void {
    this.steps++;
    this.#fail(step, path);
  }

  #fail(step: string, path: string): void {
    if (this.steps >= this.cutAt) throw new PowerCut(`${step} ${path}`);
    const code = this.failing(step, path);
    if (code !== null) throw systemError(code);
  }

  #notify(folder: string): void {
    for (const watch of this.#watches) if (watch.folder === normalize(folder)) watch.changed();
  }

  #file(bytes: Uint8Array, durable: Uint8Array | null): File {
    const inode = this.#nextInode++;
    return { type: "file", inode, modifiedAtMs: inode, bytes, durable };
  }

  #cutFile(bytes: Uint8Array): File {
    return this.#file(bytes.subarray(0, this.cutBytes % (bytes.length + 1)), null);
  }

  #make(folder: string): Folder {
    let at: Entry = this.#root;
    for (const name of parts(folder)) {
      if (at.type !== "folder") throw systemError("ENOTDIR");
      let next: Entry | undefined = at.names.get(name);
      if (next === undefined) {
        next = {
          type: "folder",
          inode: this.#nextInode++,
          names: new Map(),
          durable: new Map(),
        };
        at.names.set(name, next);
        // A new folder's name is taken as durable: losing it is losing what is in it.
        at.durable.set(name, next);
      }
      if (next.type === "link") next = this.#at(next.target);
      at = next;
    }
    if (at.type !== "folder") throw systemError("ENOTDIR");
    return at;
  }

  #at(path: string): File | Folder {
    return this.#resolve(path, 0).entry;
  }

  #folderAt(path: string): Folder {
    const entry = this.#at(path);
    if (entry.type !== "folder") throw systemError("ENOTDIR");
    return entry;
  }

  #fileAt(path: string): File {
    const entry = this.#at(path);
    if (entry.type !== "file") throw systemError("EISDIR");
    return entry;
  }

  #resolve(path: string, depth: number): { path: string; entry: File | Folder } {
    if (depth > 20) throw systemError("ELOOP");
    let at: { path: string; entry: File | Folder } = { path: "/", entry: this.#root };
    for (const name of parts(path)) {
      if (at.entry.type !== "folder") throw systemError("ENOTDIR");
      const entry: Entry | undefined = at.entry.names.get(name);
      if (entry === undefined) throw systemError("ENOENT");
      at =
        entry.type === "link"
          ? this.#resolve(join(at.path, entry.target), depth + 1)
          : { path: join(at.path, name), entry };
    }
    return at;
  }
}

function parts(path: string): readonly string[] {
  return normalize(path)
    .split("/")
    .filter((part) => part !== "");
}

function nameOf(path: string): string {
  return parts(path).at(-1) ?? "";
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
