import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCommand } from "../../../../test/fakes/command-line.ts";
import { type SqlitePlace, sqlitePlace } from "../../../../test/fakes/sqlite-place.ts";
import { commit, everything, org, put, write } from "../../../../test/fakes/store-commits.ts";
import type { StoreEngine } from "../../../adapters/store/store.ts";
import { progress } from "./open.ts";

let place: SqlitePlace;
let engine: StoreEngine;
let folder: string;
let on: readonly string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-store-cli-"));
  place = await sqlitePlace();
  on = ["--store", place.path];
  // A server that goes on while the commands run.
  engine = await place.open();
  await engine.store.createOrg(org);
  await write(engine.store, [
    commit(
      put("AGPA1", { kind: "group", doc: '{ "spaces" : "stay" }' }),
      put("AIDA1", {}, { rel: "member", to: "AGPA1" }),
    ),
  ]);
  await write(engine.store, [commit(put("AIDA2"))]);
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => runCommand(["store", ...args]);
const file = (name: string) => join(folder, name);

/** Runs a command that must succeed, and returns its JSON. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(...args, "--json");
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out);
}

describe("export and import", () => {
  test("beside a running server, into a new store: same objects, next revision and epoch, frozen", async () => {
    const exported = await json("export", ...on, "--out", file("acme.export"));
    expect(exported).toMatchObject({ org, epoch: 1, revision: 2, objects: 3, state: "active" });
    expect(statSync(file("acme.export")).mode & 0o777).toBe(0o600);
    const into = ["--store", `sqlite:${file("new/store.db")}`];
    const imported = await json("import", ...into, file("acme.export"));
    expect(imported).toMatchObject({ org, epoch: 2, revision: 3, objects: 3, state: "frozen" });
    expect(await json("verify", ...into)).toMatchObject({
      verified: true,
      organizations: [{ org, objects: 3, revisions: 0 }],
    });
    // What is exported again differs in its header alone.
    await json("export", ...into, "--out", file("again.export"));
    const lines = (name: string) =>
      zstdDecompressSync(readFileSync(file(name)))
        .toString()
        .split("\n")
        .slice(1, -2);
    expect(lines("again.export")).toEqual(lines("acme.export"));
    expect(lines("acme.export")[0]).toContain('{ \\"spaces\\" : \\"stay\\" }');

    const twice = await run("import", ...into, file("acme.export"));
    expect(twice.err).toContain("(store-org-exists)");
    expect(twice.code).toBe(1);
    expect(await json("unfreeze", ...into)).toMatchObject({ state: "active" });
  });

  test("equal stores are exported to equal bytes", async () => {
    await json("export", ...on, "--out", file("a"));
    await json("export", ...on, "--out", file("b"));
    expect(readFileSync(file("a"))).toEqual(readFileSync(file("b")));
  });

  test.each<{ why: string; says: string; damage: (lines: string[]) => string[] }>([
    { why: "cut short", says: "cut short", damage: (lines) => lines.slice(0, -1) },
    {
      why: "without an object",
      says: "line 4: expected 3 objects, got 2",
      damage: ([a = "", , ...rest]) => [a, ...rest],
    },
    {
      why: "with another doc",
      says: "the digest differs",
      damage: (lines) => lines.map((l) => l.replace("stay", "gone")),
    },
    {
      why: "with another revision",
      says: "the digest differs",
      damage: (lines) => lines.map((l) => l.replace('"revision":2', '"revision":9')),
    },
    {
      why: "in another order",
      says: "`AGPA1` is not in order",
      damage: ([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest],
    },
    {
      why: "with a line too many",
      says: "line 6: expected the end",
      damage: (lines) => [...lines, "{}"],
    },
    {
      why: "of a newer schema",
      says: "run a newer mesh-iam",
      damage: (lines) => lines.map((l) => l.replace('"schema":1', '"schema":7')),
    },
    {
      why: "of another format",
      says: "expected the format",
      damage: (lines) => lines.map((l) => l.replace("export/1", "export/2")),
    },
    {
      why: "with what is no object",
      says: "line 2: expected texts as",
      damage: ([a = "", , ...rest]) => [a, '{"id":7}', ...rest],
    },
    { why: "that is empty", says: "line 1: the file is empty", damage: () => [] },
  ])("a file $why is refused, and nothing of it is kept", async ({ says, damage }) => {
    await json("export", ...on, "--out", file("acme.export"));
    const text = zstdDecompressSync(readFileSync(file("acme.export"))).toString();
    const lines = damage(text.split("\n").slice(0, -1));
    writeFileSync(file("bad.export"), zstdCompressSync(lines.map((line) => `${line}\n`).join("")));
    const into = ["--store", file("new.db")];
    const { code, err } = await run("import", ...into, file("bad.export"));
    expect(err).toContain(says);
    expect(err).toContain("(store-export-invalid)");
    expect(code).toBe(3);
    const left = await run("verify", ...into);
    expect(left.out + left.err).not.toContain(org);
  });

  test.each([
    { why: "that is no zstd", bytes: () => Buffer.from("hello\n") },
    {
      why: "whose last bytes are missing",
      bytes: () => readFileSync(file("acme.export")).subarray(0, -20),
    },
    { why: "that is not there", bytes: () => null },
  ])("a file $why is refused", async ({ bytes }) => {
    await json("export", ...on, "--out", file("acme.export"));
    const made = bytes();
    if (made !== null) writeFileSync(file("bad.export"), made);
    const { code, err } = await run("import", "--store", file("new.db"), file("bad.export"));
    expect(err).toContain("(store-export-invalid)");
    expect(code).toBe(3);
  });

  test("into a file that a server writes: refused", async () => {
    await json("export", ...on, "--out", file("acme.export"));
    // The server's lease is renewed as often as the other looks.
    const renewing = setInterval(() => {
      void place.damage("UPDATE mi_lease SET expires_at = expires_at + 1000");
    }, 50);
    const { code, err } = await run("import", ...on, file("acme.export"));
    clearInterval(renewing);
    expect(err).toContain("(state-locked)");
    expect(code).toBe(1);
  });
});

describe("backup and restore", () => {
  test("STO-63 a drill: backed up under a server, lost, restored, frozen under a new epoch, written on", async () => {
    const backup = await json("backup", ...on, "--out", file("store.backup"));
    expect(backup).toMatchObject({ organizations: [{ org, revision: 2 }] });
    expect(statSync(file("store.backup")).mode & 0o777).toBe(0o600);
    await write(engine.store, [commit(put("AIDA3"))]);
    const before = readFileSync(file("store.backup"));

    const back = ["--store", file("restored.db")];
    const told = await run("restore", ...back, file("store.backup"));
    expect(told.out).toContain(`${org}: up to revision 2 of `);
    expect(told.out).toContain("minimum epoch is 2");
    expect(told.code).toBe(0);
    expect(readFileSync(file("store.backup"))).toEqual(before);
    expect(await json("verify", ...back)).toMatchObject({
      organizations: [{ org, revision: 2, epoch: 2, state: "frozen", revisions: 2, objects: 3 }],
    });

    const { openSqlite } = await import("../../../adapters/store/sqlite.ts");
    const { surroundings } = await import("../../../../test/fakes/sqlite-place.ts");
    await json("unfreeze", ...back);
    const restored = await openSqlite({
      ...surroundings(),
      path: file("restored.db"),
      role: "writer",
    });
    expect((await write(restored.store, [commit(put("AIDA4"))])).revision).toBe(3);
    expect([...(await everything(restored.store)).keys()]).toEqual([
      "AGPA1",
      "AIDA1",
      "AIDA2",
      "AIDA4",
    ]);
    // Whoever followed the lost history notices.
    const lost = await engine.store.head(org);
    await expect(restored.store.changes(org, lost, 1)).rejects.toMatchObject({
      code: "store-history-diverged",
    });
    await restored.close();
  });

  test("a file that is there is never replaced; a damaged backup is refused", async () => {
    await json("backup", ...on, "--out", file("store.backup"));
    const over = await run("restore", ...on, file("store.backup"));
    expect(over.err).toContain("never replaced");
    const bytes = readFileSync(file("store.backup"));
    // A whole page: its header cannot be read.
    bytes.fill(7, 8192, 12288);
    writeFileSync(file("bad.backup"), bytes);
    const bad = await run("restore", "--store", file("restored.db"), file("bad.backup"));
    expect(bad.err).toContain("(store-corrupt)");
    expect([over.code, bad.code]).toEqual([1, 1]);
    expect((await run("verify", "--store", file("restored.db"))).err).toContain("no store is at");
  });

  test("--epoch goes above epochs that were used after the backup, and never back", async () => {
    await json("backup", ...on, "--out", file("store.backup"));
    const back = ["--store", file("restored.db")];
    const low = await run("restore", ...back, "--epoch", "1", file("store.backup"));
    expect(low.err).toContain("expected an epoch above 1");
    const made = await json("restore", ...back, "--epoch", "9", file("store.backup"));
    expect(made).toMatchObject({ organizations: [{ epoch: 9 }] });
  });

  test.each(["backup", "restore"])("%s of PostgreSQL says what does it", async (name) => {
    const args = name === "backup" ? ["--out", file("f")] : [file("f")];
    const { code, err } = await run(name, "--store", "postgres://db/iam", ...args);
    expect(err).toMatch(/pg_basebackup|its own tools/);
    expect(code).toBe(1);
  });
});

describe("operations", () => {
  test("freeze, unfreeze and new-epoch beside a running server", async () => {
    expect(await json("freeze", ...on)).toMatchObject({ org, state: "frozen", revision: 2 });
    await expect(write(engine.store, [commit(put("AIDA3"))])).rejects.toMatchObject({
      code: "store-frozen",
    });
    await json("unfreeze", ...on, "--org", org);
    expect(await json("new-epoch", ...on)).toMatchObject({ epoch: 2 });
    expect(await json("new-epoch", ...on, "--epoch", "7")).toMatchObject({ epoch: 7 });
    expect((await write(engine.store, [commit(put("AIDA3"))])).epoch).toBe(7);
  });

  test("migrate makes a store; a second time changes nothing", async () => {
    const into = ["--store", file("new.db")];
    expect(await json("migrate", ...into)).toEqual({ engine: "sqlite", schema: 1 });
    expect(await json("migrate", ...into)).toEqual({ engine: "sqlite", schema: 1 });
    expect(await json("verify", ...into)).toEqual({ verified: true, organizations: [] });
  });

  test.each([
    { why: "history", sql: "UPDATE mi_rev SET actor = 'nobody'" },
    { why: "objects", sql: "UPDATE mi_object SET doc = '[]'" },
    { why: "references", sql: "PRAGMA foreign_keys = OFF; UPDATE mi_ref SET to_id = 'X'" },
  ])("verify finds $why changed by hand", async ({ sql }) => {
    await place.damage(sql);
    const { code, err } = await run("verify", ...on);
    expect(err).toContain("(store-corrupt)");
    expect(code).toBe(1);
  });
});

describe("words", () => {
  test.each([
    { why: "no store named", args: ["verify"], says: "MESH_IAM_STORE" },
    { why: "no file there", args: ["verify", "--store", "/nowhere/x.db"], says: "no store is at" },
    {
      why: "an organization that is not there",
      args: ["export", "--org", "o-x", "--out", "/tmp/x"],
      says: "no organization `o-x`",
    },
    {
      why: "a folder that is not there",
      args: ["export", "--out", "/nowhere/x"],
      says: "cannot write `/nowhere/x`",
    },
    {
      why: "no number",
      args: ["new-epoch", "--epoch", "two"],
      says: "whole number for --epoch, got `two`",
    },
    {
      why: "weak TLS",
      args: ["verify", "--store", "postgres://u:secret@db/iam?sslmode=require"],
      says: "verify-full or disable",
    },
  ])("$why: exit code 1, and what would do", async ({ args, says }) => {
    const named = args.includes("--store") || args.length === 1 ? args : [...args, ...on];
    const { code, err } = await run(...named);
    expect(err).toContain(says);
    expect(err).not.toContain("secret");
    expect(code).toBe(1);
  });

  test("of several organizations one has to be named, and they are", async () => {
    await engine.store.createOrg("o-second");
    const { err } = await run("freeze", ...on);
    expect(err).toContain(`expected --org, one of \`${org}\`, \`o-second\``);
  });

  test("long work is told on a terminal, a line in every step, and never into JSON", () => {
    let err = "";
    const io = {
      out: () => {},
      err: (text: string) => {
        err += text;
      },
      env: {},
    };
    const words = (count: number) => `checked ${count}`;
    for (const [terminal, isJson] of [
      [true, false],
      [false, false],
      [true, true],
    ] as const) {
      const tell = progress(
        { ...io, terminal, stdin: (async function* () {})() },
        isJson ? { json: true } : {},
        10,
        words,
      );
      for (let count = 1; count <= 25; count++) tell(count);
    }
    expect(err).toBe("checked 10\nchecked 20\n");
  });

  test("help teaches the way from one engine to the other", async () => {
    const { code, out } = await run("--help");
    expect(out).toContain("From SQLite to PostgreSQL");
    expect(code).toBe(0);
  });
});
