// Prints what became of every step of .ci/run and, last, "N passed, N failed".
// A step that ran vitest counts its tests, any other counts one; a failed step is never without a
// failure, so that a crash before the first test is not taken for success.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? "build/ci";
// vitest's summary: "      Tests  1 failed | 109 passed | 2 skipped (112)"
const summary = /^ *Tests {2,}(.+?) \(\d+\)$/gm;

let passed = 0;
let failed = 0;
const steps = readdirSync(folder)
  .filter((name) => name.endsWith(".exit"))
  .sort();

console.log("\n=== summary");
for (const name of steps) {
  const path = join(folder, name.slice(0, -".exit".length));
  const isOk = readFileSync(`${path}.exit`, "utf8").trim() === "0";
  const counts = testCounts(readFileSync(`${path}.log`, "utf8"));
  const stepPassed = counts === null ? Number(isOk) : counts.passed;
  const stepFailed = isOk ? (counts?.failed ?? 0) : Math.max(1, counts?.failed ?? 1);
  passed += stepPassed;
  failed += stepFailed;
  const skipped = counts?.skipped ? `, ${counts.skipped} skipped` : "";
  console.log(
    `${stepFailed === 0 ? "ok  " : "FAIL"} ${name.slice(0, -".exit".length)}: ${stepPassed} passed, ${stepFailed} failed${skipped}`,
  );
}
if (steps.length === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** The sums over every vitest run of a log, null where there was none. */
function testCounts(log) {
  const runs = [...log.matchAll(summary)].map(([, counts]) => counts);
  if (runs.length === 0) return null;
  const sum = (word) =>
    runs
      .map((counts) => new RegExp(`(\\d+) ${word}`).exec(counts)?.[1] ?? "0")
      .reduce((total, count) => total + Number(count), 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}
