import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { expectKept } from "../fakes/killed-writer.ts";
import { type SqlitePlace, sqlitePlace, surroundings } from "../fakes/sqlite-place.ts";
import { commit, failing, org, put, write } from "../fakes/store-commits.ts";

const ttlMs = 2000;

let place: SqlitePlace;
beforeEach(async () => {
  place = await sqlitePlace();
});
afterEach(() => place.dispose());

/** A server in a process of its own, from when it writes on. */
async function startServer() {
  const script = join(import.meta.dirname, "store-writer.ts");
  const child = spawn(process.execPath, [script, place.path, String(ttlMs)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const ended = new Promise<string>((resolve) => child.once("close", () => resolve(errors)));
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
      if (output.includes("kept")) resolve();
    });
  });
  return { child, ended, said: () => output.slice(0, output.lastIndexOf("\n") + 1).split("\n") };
}

const openWriter = () =>
  openSqlite({ ...surroundings(), path: place.path, role: "writer", writerTtlMs: ttlMs });

test("DSK-007 a second server on a file refuses to start, a tool reads beside it; killed, its place is taken", async () => {
  const { child, ended, said } = await startServer();
  await expect(openWriter()).rejects.toEqual(failing("state-locked"));
  const tool = await place.openBeside();
  const before = await tool.store.head(org);
  let seen = before;
  while (seen.revision === before.revision) seen = await tool.store.head(org);
  const { head, pages } = await tool.store.snapshot(org);
  let objects = 0;
  for await (const page of pages) objects += page.length;
  expect(objects).toBe(head.revision);
  // A tool's short write beside a running server.
  await tool.store.createOrg("o-second");
  child.kill("SIGKILL");
  await ended;
  const next = await openWriter();
  await expectKept(next, said());
  await next.close();
}, 60_000);

test("STO-22 a server that slept through its lease writes nothing after another took its place", async () => {
  const script = join(import.meta.dirname, "store-stopped.ts");
  const child = spawn(process.execPath, [script, place.path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
      if (output.includes("opened")) resolve();
    });
  });
  const next = await openWriter();
  expect((await write(next.store, [commit(put("AIDA1"))])).revision).toBe(1);
  child.kill("SIGCONT");
  await ended;
  expect(output).toBe("opened\nstate-locked\n");
  expect(await verifyOrg(next, org)).toMatchObject({ revisions: 1, objects: 1 });
  await next.close();
}, 60_000);
