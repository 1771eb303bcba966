import { hexDigest } from "../../domain/bundle/digest.ts";

/** What a sidecar never goes behind, as it is kept on disk (BUN-10). */
export interface StoredFloor {
  readonly org: string;
  readonly epoch: number;
  readonly coveredRevision: number;
  /** Number of the newest accepted key set. */
  readonly keySet: number;
}

/** Returns the file's text: one line of JSON, and its digest, which shows a flipped digit. */
export function formatFloor(floor: StoredFloor): string {
  const { org, epoch, coveredRevision, keySet } = floor;
  const line = JSON.stringify({ org, epoch, coveredRevision, keySet });
  return `${line}\n${hexDigest(line)}\n`;
}

/** Returns the floor that `text` says, null when it is damaged. */
export function parseFloor(text: string): StoredFloor | null {
  const [line = "", digest = "", end] = text.split("\n");
  if (end !== "" || hexDigest(line) !== digest) return null;
  // Ours, byte for byte, by its digest, so it parses.
  const { org, epoch, coveredRevision, keySet } = JSON.parse(line) as StoredFloor;
  const positions = [epoch, coveredRevision, keySet];
  if (typeof org !== "string" || !positions.every(Number.isSafeInteger)) return null;
  return { org, epoch, coveredRevision, keySet };
}
