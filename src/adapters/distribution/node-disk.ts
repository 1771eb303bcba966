import { constants, watch } from "node:fs";
import { mkdir, open, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { Disk, FileFacts } from "./disk.ts";
import { lockFolder } from "./folder-lock.ts";

/** The file system of this machine. */
export const nodeDisk: Disk = Object.freeze({
  list: (folder: string) => readdir(folder),
  facts,
  realPath: (path: string) => realpath(path),
  read,
  makeFolder: async (folder: string, mode: number) => {
    await mkdir(folder, { recursive: true, mode });
  },
  write: (path: string, bytes: Uint8Array, mode: number) => writeFile(path, bytes, { mode }),
  sync,
  rename: (from: string, to: string) => rename(from, to),
  remove: (path: string) => rm(path, { force: true }),
  lock: lockFolder,
  watch: watchFolder,
});

async function facts(path: string): Promise<FileFacts> {
  const found = await stat(path);
  return {
    type: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other",
    bytes: found.size,
    modifiedAtMs: found.mtimeMs,
    inode: found.ino,
  };
}

async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  // O_NONBLOCK: to open a pipe that nobody writes would wait for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat().then((found) => {
      if (!found.isFile()) throw systemError("EINVAL", path);
      return found;
    });
    if (size > maxBytes) throw systemError("EFBIG", path);
    // One byte more than the size shows a file that grew in between.
    const buffer = Buffer.alloc(size + 1);
    const length = await fill(buffer, (at) => file.read(buffer, at, buffer.length - at, null));
    if (length > size) throw systemError("EFBIG", path);
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

async function fill(
  buffer: Uint8Array,
  readAt: (at: number) => Promise<{ readonly bytesRead: number }>,
): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await readAt(length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function watchFolder(folder: string, changed: () => void): { close(): void } {
  const watcher = watch(folder, { persistent: false }, changed);
  // A folder that goes away ends its watch; whoever polls finds out.
  watcher.on("error", () => watcher.close());
  return { close: () => watcher.close() };
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
