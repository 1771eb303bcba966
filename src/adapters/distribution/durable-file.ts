import { dirname } from "node:path";
import type { Disk } from "./disk.ts";

/**
 * Replaces `path` so that a reader sees the old bytes or the new ones and nothing else, also after a
 * crash at any moment: temporary file beside it, fsync, rename. The new name is durable only after
 * `disk.sync(folder)`, which the caller does once for many files (BUN-12). One writer a folder.
 */
export async function replaceFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  const temporary = `${path}.tmp`;
  await disk.write(temporary, bytes, mode);
  await disk.sync(temporary);
  await disk.rename(temporary, path);
}

/** Replaces `path` and makes its name durable, too. */
export async function replaceFileDurably(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  await replaceFile(disk, path, bytes, mode);
  await disk.sync(dirname(path));
}
