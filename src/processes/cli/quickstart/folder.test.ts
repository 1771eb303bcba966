import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimFolder, releaseFolder } from "./folder.ts";

let scratch = "";
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "mesh-iam-folder-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test("a new folder is made, its parents too, for its owner alone", () => {
  const folder = join(scratch, "a/b");
  claimFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("an empty folder that everybody could read is its owner's alone from then on", () => {
  const folder = join(scratch, "a");
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  claimFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("an empty folder and a former quickstart's are taken, their content is gone", () => {
  const folder = join(scratch, "a");
  mkdirSync(folder);
  claimFolder(folder);
  writeFileSync(join(folder, "decisions.jsonl"), "old");
  releaseFolder(folder);
  claimFolder(folder);
  expect(existsSync(join(folder, "decisions.jsonl"))).toBe(false);
});

test("what a dead process left is taken", () => {
  claimFolder(scratch);
  writeFileSync(join(scratch, ".quickstart"), "4194304999");
  claimFolder(scratch);
  expect(readFileSync(join(scratch, ".quickstart"), "utf8")).toBe(String(process.pid));
});

test.each([
  {
    why: "somebody's files",
    prepare: () => writeFileSync(join(scratch, "thesis.txt"), "years"),
    says: "holds something else",
  },
  {
    why: "another quickstart",
    prepare: () => writeFileSync(join(scratch, ".quickstart"), String(process.ppid)),
    says: `process ${process.ppid} runs a quickstart`,
  },
])("$why: refused, nothing is touched", ({ prepare, says }) => {
  prepare();
  const before = readdirSync(scratch);
  expect(() => claimFolder(scratch)).toThrow(says);
  expect(readdirSync(scratch)).toEqual(before);
});

test("a place that cannot be written is named, with the way out", () => {
  writeFileSync(join(scratch, "file"), "");
  const folder = join(scratch, "file/quickstart");
  expect(() => claimFolder(folder)).toThrow(
    `cannot write \`${folder}\`: a part of the path is a file, expected a folder; another place: --folder`,
  );
});

test("a folder that was removed meanwhile needs no release", () => {
  releaseFolder(join(scratch, "gone"));
  expect(existsSync(join(scratch, "gone"))).toBe(false);
});
