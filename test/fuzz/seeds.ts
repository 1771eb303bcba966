import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./target.ts";

/** Seeds and findings, one folder a target. A finding is a file whose name begins with `found-`. */
export const corpusFolder = join(import.meta.dirname, "corpus");

export interface Seed {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Returns the files of a target, by name. A target without files begins with the empty input. */
export function readSeeds({ name }: Pick<Target, "name">): readonly Seed[] {
  const folder = join(corpusFolder, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => ({ name: file, data: new Uint8Array(readFileSync(join(folder, file))) }));
}

/** Returns what mutations start from: the target's files, what it makes itself, and nothing at all. */
export function seedsOf(target: Target): Uint8Array[] {
  const files = readSeeds(target).map(({ data }) => data);
  return [...files, ...(target.seeds?.() ?? []), new Uint8Array()];
}

/** Writes a finding among the target's files and returns its path, relative to the repository. */
export function keepFinding({ name }: Pick<Target, "name">, data: Uint8Array): string {
  const folder = join(corpusFolder, name);
  mkdirSync(folder, { recursive: true });
  const file = `found-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`;
  writeFileSync(join(folder, file), data);
  return `test/fuzz/corpus/${name}/${file}`;
}
