import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLineWriter } from "./line-writer.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-lines-"));
  path = join(folder, "log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("lines are written whole and in order, and each is settled once", async () => {
  const fd = openSync(path, "a");
  const writer = createLineWriter(fd);
  const settled: (Error | null)[] = [];
  const want = Array.from({ length: 500 }, (_, at) => `${at} ${"x".repeat(at)}\n`);
  for (const line of want) writer.write(line, (failure) => settled.push(failure));
  await writer.flush();
  closeSync(fd);
  expect(readFileSync(path, "utf8")).toBe(want.join(""));
  expect(settled).toEqual(want.map(() => null));
});

test("a full writer drops and says so, and takes lines again when there is room", async () => {
  const fd = openSync(path, "a");
  const writer = createLineWriter(fd, { maxBufferedBytes: 10 });
  const failures: (string | null)[] = [];
  const settle = (failure: Error | null) => failures.push(failure?.message ?? null);
  writer.write("123456\n", settle);
  writer.write("789012\n", settle);
  await writer.flush();
  writer.write("345678\n", settle);
  await writer.flush();
  closeSync(fd);
  expect(failures).toEqual(["the writer is full", null, null]);
  expect(writer.droppedWrites).toBe(1);
  expect(readFileSync(path, "utf8")).toBe("123456\n345678\n");
});

test("a descriptor that cannot be written fails the lines, not the process", async () => {
  const fd = openSync("/dev/full", "w");
  const writer = createLineWriter(fd);
  const failures: unknown[] = [];
  writer.write("a\n", (failure) => failures.push(failure));
  writer.write("b\n", (failure) => failures.push(failure));
  await writer.flush();
  closeSync(fd);
  expect(failures).toMatchObject([{ code: "ENOSPC" }, { code: "ENOSPC" }]);
});

test("what waits is written at once by flushSync, nothing twice", async () => {
  const fd = openSync(path, "a");
  const writer = createLineWriter(fd);
  for (let at = 0; at < 20; at++) writer.write(`${at}\n`);
  writer.flushSync();
  await writer.flush();
  closeSync(fd);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").map(Number);
  expect(lines.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

test("a reader that does not read never blocks the event loop", async () => {
  // A pipe nobody reads holds 64 KiB; the child writes 1 MiB, and its timer must still fire.
  const script = `
    import { createLineWriter } from ${JSON.stringify(import.meta.resolve("./line-writer.ts"))};
    const writer = createLineWriter(1, { maxBufferedBytes: 4_194_304 });
    for (let at = 0; at < 64; at++) writer.write("x".repeat(16_383) + "\\n");
    setTimeout(() => { process.stderr.write("alive"); process.kill(process.pid, "SIGKILL"); }, 50);
  `;
  const pipe = join(folder, "pipe");
  await promisify(execFile)("mkfifo", [pipe]);
  const reader = openSync(pipe, "r+");
  const { stderr } = await promisify(execFile)(
    "/bin/sh",
    ["-c", '"$0" --input-type=module -e "$1" > "$2" || true', process.execPath, script, pipe],
    { encoding: "utf8" },
  );
  writeSync(reader, "");
  closeSync(reader);
  expect(stderr).toContain("alive");
});
