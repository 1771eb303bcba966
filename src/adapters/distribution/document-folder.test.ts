import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readDocumentFolder } from "./document-folder.ts";
import { nodeDisk } from "./node-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-document-folder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the texts that a folder was read from are told, so that nobody reads them again", async () => {
  writeFileSync(join(folder, "b.yaml"), "kind: x");
  writeFileSync(join(folder, "a.yaml"), "");
  const read: string[] = [];
  const disk = {
    ...nodeDisk,
    read: (...args: Parameters<typeof nodeDisk.read>) => {
      read.push(args[0]);
      return nodeDisk.read(...args);
    },
  };
  const { ok, files } = await readDocumentFolder(disk, folder);
  expect(ok).toBe(false);
  expect(files).toEqual([
    { path: "a.yaml", text: "" },
    { path: "b.yaml", text: "kind: x" },
  ]);
  expect(read).toHaveLength(2);
});
