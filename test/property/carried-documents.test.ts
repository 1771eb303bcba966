import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { verifyBundle } from "../../src/domain/bundle/verify.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import { formatDocuments } from "../../src/domain/directory/format.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { bundleOf, expecting } from "../fakes/bundle.ts";
import { root } from "../fakes/bundle-keys.ts";

/**
 * MET-11: documents, a bundle of them, and documents again say the same, and the second time are the same bytes.
 * What decides is in the documents, so every decision is the same as well.
 */
const anchors = { rootFingerprints: [root.keyId], org: null };

function carried(directory: Directory): Directory {
  const verified = verifyBundle(bundleOf(directory), anchors, null, expecting());
  if (!verified.ok) throw new Error(`${verified.code}: ${verified.detail}`);
  return verified.directory;
}

function read(text: string): Directory | null {
  const loaded = readDocuments([{ path: "a.yaml", text }]);
  return loaded.ok ? loaded.value : null;
}

/** Texts and lists as they are, members in the order of their names: a bundle keeps maps in that. */
function bytesOf(directory: Directory): string {
  return formatDocuments(directory)
    .split("---\n")
    .map((text) => JSON.stringify(sorted(parse(text))))
    .sort()
    .join("\n");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sameBytes(directory: Directory): void {
  const once = carried(directory);
  expect(bytesOf(once)).toBe(bytesOf(directory));
  // and from the second time on to the letter
  const again = read(formatDocuments(once));
  if (again === null) throw new Error("carried documents cannot be read");
  expect(formatDocuments(carried(again))).toBe(formatDocuments(once));
}

const everyKind = join(import.meta.dirname, "../../src/domain/directory/every-kind.yaml");
const documents = readFileSync(everyKind, "utf8").split("---\n");

test("MET-11 a document of every kind comes out of a bundle as it went in", () => {
  const directory = read(documents.join("---\n"));
  if (directory === null) throw new Error("the sample cannot be read");
  sameBytes(directory);
});

test("MET-11 and so do any of them together that can be read", () => {
  let seen = 0;
  fc.assert(
    fc.property(fc.shuffledSubarray(documents, { minLength: 1 }), (some) => {
      const directory = read(some.join("---\n"));
      if (directory === null) return;
      seen++;
      sameBytes(directory);
    }),
    { numRuns: 200, seed: 1 },
  );
  expect(seen).toBeGreaterThan(5);
});
