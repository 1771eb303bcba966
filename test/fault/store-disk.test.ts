import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import { StoreUnavailable } from "../../src/adapters/store/unavailable.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { commit, everything, org, put, write } from "../fakes/store-commits.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  process.stderr.write("SKIPPED: a full disk is a small tmpfs, which only root mounts\n");

describe.skipIf(!isRoot)("STO-25 a disk that fails", () => {
  let folder: string;
  let engine: StoreEngine;
  const mount = (...options: string[]) =>
    execFileSync("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", folder]);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "mesh-iam-small-disk-"));
    mount("size=1m");
    engine = await openSqlite({
      ...surroundings(),
      path: join(folder, "store.db"),
      role: "writer",
    });
    await engine.store.createOrg(org);
    await write(engine.store, [commit(put("AIDA1"))]);
  });
  afterEach(async () => {
    await engine.close();
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });

  async function expectNoWritesButReads(): Promise<void> {
    const failure = await write(engine.store, [
      commit(put("AIDA2", { doc: JSON.stringify("x".repeat(200_000)) })),
    ]).catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(StoreUnavailable);
    expect(failure).toMatchObject({ code: "store-unavailable", outcome: "not-applied" });
    expect((await engine.store.head(org)).revision).toBe(1);
    expect([...(await everything(engine.store)).keys()]).toEqual(["AIDA1"]);
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 1 });
  }

  async function expectWrites(): Promise<void> {
    expect((await write(engine.store, [commit(put("AIDA2"))])).revision).toBe(2);
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 2, objects: 2 });
  }

  test("DSK-005 a full one: commits fail, reads go on, and all is well when there is room", async () => {
    const ballast = join(folder, "ballast");
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    await expectNoWritesButReads();
    await expectNoWritesButReads();
    rmSync(ballast);
    await expectWrites();
  });

  test("DSK-005 one that fills up under load loses nothing that was acknowledged", async () => {
    let kept = 1;
    const doc = JSON.stringify("x".repeat(20_000));
    for (;;) {
      const made = await write(engine.store, [commit(put(`AIDA-${kept}`, { doc }))]).catch(
        () => null,
      );
      if (made === null) break;
      kept = made.revision;
    }
    expect(kept).toBeGreaterThan(3);
    expect((await engine.store.head(org)).revision).toBe(kept);
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: kept });
    execFileSync("mount", ["-o", "remount,size=4m", folder]);
    expect((await write(engine.store, [commit(put("AIDA2", { doc }))])).revision).toBe(kept + 1);
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: kept + 1 });
  });

  test("DSK-006 one that cannot be written, from where a tool stands: it reads, and is told", async () => {
    const shadow = mkdtempSync(join(tmpdir(), "mesh-iam-read-only-"));
    execFileSync("mount", ["--bind", folder, shadow]);
    execFileSync("mount", ["-o", "remount,bind,ro", shadow]);
    // Processes of their own: SQLite keeps a file open as long as its process has another handle of it.
    const main = join(import.meta.dirname, "../../src/processes/cli/main.ts");
    const tool = (...words: string[]) =>
      spawnSync(process.execPath, [main, "store", ...words, "--store", join(shadow, "store.db")]);
    try {
      expect(tool("verify")).toMatchObject({ status: 0 });
      const refused = tool("freeze");
      expect(String(refused.stderr)).toContain("(store-unavailable)");
      expect(refused.status).toBe(1);
      expect(String(tool("migrate").stderr)).toContain("(store-unusable)");
    } finally {
      execFileSync("umount", [shadow]);
      rmSync(shadow, { recursive: true });
    }
    await expectWrites();
  });
});
