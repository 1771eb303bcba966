import { join, sep } from "node:path";
import type { BundleLimits } from "../../domain/bundle/limits.ts";
import { type Disk, errorCodeOf } from "./disk.ts";

/** Names inside a bundle's folder, the same for a carrier and a cache (control-plane 2.4). */
export const headName = "head";
export const objectsName = "objects";
export const keySetsName = "keysets";

/** Returns the path of the object with this digest; `digest` is 64 hex digits of ours, never a name. */
export function objectPath(folder: string, digest: string): string {
  return join(folder, objectsName, digest);
}

/** Returns the path of key set `number`. */
export function keySetPath(folder: string, number: number): string {
  return join(folder, keySetsName, String(number));
}

/** Returns whether `name` can be an object's file. */
export function isObjectName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

/**
 * Returns the key sets above number `above` in `folder`, none when it has no folder for them.
 * Unreadable ones are left out: the gap is then refused. Rejects when the folder cannot be listed.
 */
export async function readKeySets(
  disk: Disk,
  folder: string,
  above: number,
  limits: BundleLimits,
): Promise<Map<number, Uint8Array>> {
  let names: readonly string[] = [];
  try {
    names = await disk.list(join(folder, keySetsName));
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error;
  }
  const numbers = names
    .filter((name) => /^[1-9][0-9]{0,14}$/.test(name))
    .map(Number)
    .filter((number) => number > above)
    .sort((a, b) => a - b)
    .slice(0, limits.maxKeySets);
  const keySets = new Map<number, Uint8Array>();
  for (const number of numbers) {
    const path = keySetPath(folder, number);
    const bytes = await readInside(disk, folder, path, limits.maxKeySetBytes);
    if (bytes !== null) keySets.set(number, bytes);
  }
  return keySets;
}

/**
 * Returns the bytes of a regular file of at most `maxBytes`, null when it is absent, larger, anything
 * else than a regular file, or a link that leads out of `folder`.
 */
export async function readInside(
  disk: Disk,
  folder: string,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  try {
    const [root, real] = await Promise.all([disk.realPath(folder), disk.realPath(path)]);
    return real.startsWith(root + sep) ? await disk.read(real, maxBytes) : null;
  } catch {
    // Whatever the system's reason, the bytes cannot be had; the refusal names the file.
    return null;
  }
}
