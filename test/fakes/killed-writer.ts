import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { firstPosition } from "../../src/adapters/store/chain.ts";
import type { Position, StoreEngine } from "../../src/adapters/store/store.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { org } from "./store-commits.ts";

/** Starts the writer, kills it a while after it began to write, and returns all that it said. */
export function liveWriter(address: string, lifeMs: number): Promise<readonly string[]> {
  const writer = join(import.meta.dirname, "../fault/store-writer.ts");
  const child = spawn(process.execPath, [writer, address], { stdio: ["ignore", "pipe", "pipe"] });
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
      // The last line may be cut: what was not said in full was not acknowledged.
      if (code === null) resolve(output.slice(0, output.lastIndexOf("\n") + 1).split("\n"));
      else reject(new Error(errors));
    });
  });
}

/**
 * Holds the store to what was said: every acknowledged commit at its revision, no gap, no half
 * transaction, chain and objects as the log has them. Returns the acknowledged commits.
 */
export async function expectKept(engine: StoreEngine, said: readonly string[]): Promise<number> {
  const log = new Map<number, string>();
  let at: Position = firstPosition(org);
  for (;;) {
    const { records } = await engine.store.changes(org, at, 1000);
    for (const { revision, id } of records) log.set(revision, id);
    const last = records.at(-1);
    if (last === undefined) break;
    at = last;
  }
  expect([...log.keys()]).toEqual(Array.from({ length: log.size }, (_, i) => i + 1));
  expect(new Set(log.values()).size).toBe(log.size);
  expect(log.size % 3).toBe(0);
  let acknowledged = 0;
  for (const line of said) {
    const [word, revision, ...ids] = line.split(" ");
    if (word !== "kept") continue;
    const found = ids.map((_, i) => log.get(Number(revision) - ids.length + 1 + i));
    expect(found).toEqual(ids);
    acknowledged += ids.length;
  }
  expect(await verifyOrg(engine, org)).toMatchObject({ revisions: log.size, objects: log.size });
  return acknowledged;
}
