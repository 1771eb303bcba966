import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readInside } from "./bundle-folder.ts";
import { replaceFileDurably } from "./durable-file.ts";
import { lockFolder } from "./folder-lock.ts";
import { nodeDisk } from "./node-disk.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-disk-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

test("a file is read whole up to its limit, and not a byte above it", async () => {
  writeFileSync(at("file"), "12345");
  expect(Buffer.from(await nodeDisk.read(at("file"), 5)).toString()).toBe("12345");
  await expect(nodeDisk.read(at("file"), 4)).rejects.toMatchObject({ code: "EFBIG" });
  writeFileSync(at("empty"), "");
  expect(await nodeDisk.read(at("empty"), 0)).toHaveLength(0);
});

test("BND-009 a pipe, a folder and a device are no files, and none of them is waited for", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  mkdirSync(at("folder"));
  for (const path of [at("pipe"), at("folder"), "/dev/zero"]) {
    await expect(nodeDisk.read(path, 10)).rejects.toMatchObject({
      code: expect.stringMatching(/^EINVAL|EISDIR$/),
    });
  }
});

test("BND-009 only files inside the folder are read, links resolved", async () => {
  writeFileSync(at("inside"), "in");
  mkdirSync(at("bundle"));
  writeFileSync(at("bundle/file"), "in");
  symlinkSync("file", at("bundle/link"));
  symlinkSync("../inside", at("bundle/out"));
  symlinkSync("/etc/hostname", at("bundle/absolute"));
  symlinkSync("loop", at("bundle/loop"));
  const read = (name: string) => readInside(nodeDisk, at("bundle"), at(`bundle/${name}`), 100);
  expect(await read("file")).not.toBeNull();
  expect(await read("link")).not.toBeNull();
  for (const name of ["out", "absolute", "loop", "nothing", ".."]) {
    expect(await read(name)).toBeNull();
  }
});

test("a replacement has its mode from the start and leaves no temporary file", async () => {
  await replaceFileDurably(nodeDisk, at("key"), Buffer.from("a"), 0o600);
  await replaceFileDurably(nodeDisk, at("key"), Buffer.from("b"), 0o600);
  expect(statSync(at("key")).mode & 0o777).toBe(0o600);
  expect(await nodeDisk.list(folder)).toEqual(["key"]);
  await nodeDisk.remove(at("key"));
  await nodeDisk.remove(at("key"));
  expect(await nodeDisk.list(folder)).toEqual([]);
});

test("facts change with every write and follow links", async () => {
  writeFileSync(at("file"), "1");
  symlinkSync("file", at("link"));
  const before = await nodeDisk.facts(at("link"));
  expect(before).toMatchObject({ type: "file", bytes: 1 });
  await replaceFileDurably(nodeDisk, at("file"), Buffer.from("2"), 0o600);
  expect(await nodeDisk.facts(at("link"))).not.toEqual(before);
  expect(await nodeDisk.facts(folder)).toMatchObject({ type: "folder" });
  expect(await nodeDisk.facts("/dev/null")).toMatchObject({ type: "other" });
});

test("a watch tells of a rename into the folder, and of nothing after its end", async () => {
  let told = 0;
  const watch = nodeDisk.watch(folder, () => told++);
  await replaceFileDurably(nodeDisk, at("file"), Buffer.from("x"), 0o600);
  await vi.waitFor(() => expect(told).toBeGreaterThan(0), 5_000);
  watch.close();
  const before = told;
  await replaceFileDurably(nodeDisk, at("file"), Buffer.from("y"), 0o600);
  await nodeDisk.list(folder);
  expect(told).toBe(before);
});

test("DSK-007 a lock has one holder, and is free again after its release", async () => {
  const first = await lockFolder(folder);
  expect(await lockFolder(folder)).toBeNull();
  expect(await first?.held()).toBe(true);
  await first?.release();
  expect(await nodeDisk.list(folder)).toEqual([]);
  const second = await lockFolder(folder);
  expect(await second?.held()).toBe(true);
  await second?.release();
});

test("a lock works in a folder whose path is longer than a socket's address", async () => {
  const deep = at(join("a".repeat(60), "b".repeat(60)));
  mkdirSync(deep, { recursive: true });
  const lock = await lockFolder(deep);
  expect(await lockFolder(deep)).toBeNull();
  await lock?.release();
});

test("a holder whose lock was taken away knows it", async () => {
  const lock = await lockFolder(folder);
  rmSync(at("lock"));
  expect(await lock?.held()).toBe(false);
  const other = await lockFolder(folder);
  await lock?.release();
  expect(await other?.held()).toBe(true);
  await other?.release();
});

test("DSK-007 another process's lock holds, and ends with kill -9 of that process", async () => {
  const holder = `
    import { lockFolder } from ${JSON.stringify(join(import.meta.dirname, "folder-lock.ts"))};
    const lock = await lockFolder(${JSON.stringify(folder)});
    process.stdout.write(lock === null ? "refused" : "locked");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", holder]);
  const [said] = await new Promise<Buffer[]>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve([data]));
    child.stderr.once("data", (data: Buffer) => reject(new Error(String(data))));
  });
  expect(String(said)).toBe("locked");
  expect(await lockFolder(folder)).toBeNull();
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await closed;
  const lock = await lockFolder(folder);
  expect(await lock?.held()).toBe(true);
  await lock?.release();
});
