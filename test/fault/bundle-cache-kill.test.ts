import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { seededChoice } from "../fakes/seeded-choice.ts";

// A release runs 1,000: MESH_IAM_KILLS=1000.
const kills = Number(process.env.MESH_IAM_KILLS ?? 5);
const seed = Number(process.env.MESH_IAM_SEED ?? 1);

/** Lets a writer live for a while after its start, kills it, and returns all that it said. */
function live(folder: string, lifeMs: number): Promise<readonly string[]> {
  const writer = join(import.meta.dirname, "bundle-cache-writer.ts");
  const child = spawn(process.execPath, [writer, folder], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let output = "";
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk;
    });
    child.stdout.on("data", (chunk: Buffer) => {
      if (output === "") setTimeout(() => child.kill("SIGKILL"), lifeMs);
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === null) resolve(output.split("\n").filter((line) => line !== ""));
      else reject(new Error(errors));
    });
  });
}

test(`DSK-001 ${kills} times kill -9 while the cache is written (MESH_IAM_SEED=${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-kill-"));
  const choose = seededChoice(seed);
  let kept = 0;
  try {
    for (let i = 0; i < kills; i++) {
      const said = await live(folder, 30 + choose(400));
      const [first = "", ...rest] = said;
      // Nothing was damaged, so nothing is refused; at most the revision under way is there as well.
      expect(first).toMatch(/^loaded \d+$/);
      const loaded = Number(first.slice("loaded ".length));
      expect(loaded).toBeGreaterThanOrEqual(kept);
      expect(loaded).toBeLessThanOrEqual(kept + 1);
      expect(rest.filter((line) => !/^kept \d+$/.test(line))).toEqual([]);
      const last = Math.max(loaded, ...rest.map((line) => Number(line.slice("kept ".length))));
      kept = last;
    }
    expect(kept).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
