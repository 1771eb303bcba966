/** What a file is, links followed; equal facts mean that nothing was written in between. */
export interface FileFacts {
  readonly type: "file" | "folder" | "other";
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly inode: number;
}

/** The exclusive right to write a folder, which ends with the process at the latest. */
export interface FolderLock {
  /** Whether the right is still ours; false once another process has taken the lock away. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * The file system as bundle sources see it. Every step that a crash can fall between is a call of its
 * own, so that a fake can crash there. Methods reject with the system's error, whose `code` says why.
 */
export interface Disk {
  /** Returns the names in a folder, in no order. */
  list(folder: string): Promise<readonly string[]>;
  facts(path: string): Promise<FileFacts>;
  /** Returns `path` with every link resolved. */
  realPath(path: string): Promise<string>;
  /**
   * Returns the bytes of a regular file. Rejects with `EFBIG` above `maxBytes`, with `EINVAL` for
   * anything but a regular file; never waits for a pipe.
   */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /** Makes a folder and those above it with this mode; no effect if it exists. */
  makeFolder(folder: string, mode: number): Promise<void>;
  /** Creates or replaces a file. Not durable before `sync`. */
  write(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Makes the content of a file, or the names of a folder, durable. */
  sync(path: string): Promise<void>;
  /** Replaces `to` by `from` at once. Not durable before the folder is synced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; no effect if it is absent. */
  remove(path: string): Promise<void>;
  /** Returns a lock on a folder, null while another process holds it. */
  lock(folder: string): Promise<FolderLock | null>;
  /** Calls `changed` soon after names or files in a folder change; may miss changes. */
  watch(folder: string, changed: () => void): { close(): void };
}

/** Returns the system's code of a rejection (`ENOENT`), `unknown` when it has none. */
export function errorCodeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "unknown";
  return String(error.code);
}
