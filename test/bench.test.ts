import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { groups } from "../bench/groups.ts";
import { figureOf, percentile, ratiosOf } from "../bench/measure/figures.ts";
import { refusalToRecord } from "../bench/recording.ts";
import type { Results } from "../bench/results.ts";
import { cedarEvaluation } from "../bench/subjects/cedar.ts";
import { goalOf, isGrossRegression, namesOfGoals, verdictOf } from "../bench/thresholds.ts";

/** The bench runs and adds up. Nothing here says how fast anything is: that is for `npm run bench`. */
const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url));

function bench(...args: readonly string[]): string {
  return execFileSync(process.execPath, ["--expose-gc", main, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

test("a quick run of one row gives a figure of every round", { timeout: 60_000 }, () => {
  const results = JSON.parse(bench("--quick", "--json", "--rows", "metrics")) as Results;
  expect(results.rows.map(({ name }) => name)).toEqual(["metrics"]);
  const [row] = results.rows;
  expect(row).toMatchObject({ rounds: 2, skipped: null, failed: null, unit: "ratio" });
  expect(row?.figure?.median).toBeGreaterThan(0);
  expect(row?.figure?.min).toBeLessThanOrEqual(row?.figure?.max ?? Number.NaN);
});

/** Runs the bench; returns its exit code and what it said on stderr. */
function refusal(...args: readonly string[]): [number | null, string] {
  const { status, stderr } = spawnSync(process.execPath, ["--expose-gc", main, ...args], {
    encoding: "utf8",
  });
  return [status, stderr];
}

test("an unknown row is refused with the names there are", () => {
  const [code, said] = refusal("--rows", "dcode");
  expect(said).toMatch(/^no row or group `dcode`, expected one of: .*\bdecode\b/);
  expect(code).toBe(1);
});

const idle = {
  record: true,
  force: false,
  help: false,
  quick: false,
  rows: [],
  load: 0.4,
  cores: 2,
};

test.each([
  { why: "a quick run", run: { quick: true }, want: "leave --quick out" },
  { why: "a part of the rows", run: { rows: ["decode"] }, want: "leave --rows out" },
  { why: "a busy machine", run: { load: 2.1 }, want: "(load 2.1 on 2 cores); wait" },
])("$why is not recorded, unless forced", ({ run, want }) => {
  expect(refusalToRecord({ ...idle, ...run })).toContain(want);
  expect(refusalToRecord({ ...idle, ...run, force: true })).toBeNull();
  expect(refusalToRecord({ ...idle, ...run, record: false })).toBeNull();
});

test("a whole run of an idle machine is recorded", () => {
  expect(refusalToRecord(idle)).toBeNull();
});

test("a refusal to record comes before anything is measured", () => {
  const [code, said] = refusal("--record", "--quick");
  expect(said).toBe(
    "not recorded: a quick run is not to be quoted; leave --quick out, or add --force to record all the same\n",
  );
  expect(code).toBe(1);
});

test("Cedar decides the questions of its row as we do", () => {
  const subject = cedarEvaluation();
  expect(subject.type === "loop" && subject.call()).toBe(1);
});

test("the help names every row", () => {
  const help = bench("--help");
  for (const { rows } of groups) {
    for (const { name, title } of rows) {
      expect(help).toContain(name);
      expect(help).toContain(title);
    }
  }
});

test("every goal is a row's, every name is one row's", () => {
  const names = groups.flatMap(({ rows }) => rows.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  for (const name of namesOfGoals()) expect(names).toContain(name);
});

test.each([
  { why: "an odd number of rounds", values: [3, 1, 2], want: { median: 2, min: 1, max: 3 } },
  { why: "an even number", values: [4, 1, 2, 3], want: { median: 2.5, min: 1, max: 4 } },
  { why: "one", values: [7], want: { median: 7, min: 7, max: 7 } },
])("the figure of $why", ({ values, want }) => {
  expect(figureOf(values)).toEqual(want);
});

test("no rounds are no figure", () => {
  expect(() => figureOf([])).toThrow("no rounds");
  expect(() => ratiosOf([1, 2], [1])).toThrow("belong together");
});

test("ratios are taken round by round, not of medians", () => {
  expect(ratiosOf([1, 10, 3], [2, 10, 1])).toEqual([0.5, 1, 3]);
});

test.each([
  [0.5, 51],
  [0.99, 100],
  [1, 100],
])("the percentile %d of 1 to 100 is %d", (share, want) => {
  const sorted = Float64Array.from({ length: 100 }, (_, n) => n + 1);
  expect(percentile(sorted, share)).toBe(want);
});

test.each([
  { median: 0.9, goal: { must: 0.9, aim: 0.2 }, want: "must" },
  { median: 0.901, goal: { must: 0.9, aim: 0.2 }, want: "missed" },
  { median: 0.2, goal: { must: 0.9, aim: 0.2 }, want: "aim" },
  { median: 40, goal: { must: 40, aim: 100, atLeast: true }, want: "must" },
  { median: 39, goal: { must: 40, aim: 100, atLeast: true }, want: "missed" },
  { median: 5, goal: { must: null, aim: null }, want: "none" },
])("$median against $goal is $want", ({ median, goal, want }) => {
  expect(verdictOf(median, goal)).toBe(want);
});

test("a regression is gross at more than one and a half times the recorded figure", () => {
  const [row] = groups[0]?.rows ?? [];
  const goal = goalOf(row ?? { name: "", title: "", unit: "ratio" });
  expect(isGrossRegression(0.6, 0.4, goal)).toBe(false);
  expect(isGrossRegression(0.61, 0.4, goal)).toBe(true);
  expect(isGrossRegression(0.3, 0.4, goal)).toBe(false);
  expect(isGrossRegression(20, 31, { must: 3, aim: 15, atLeast: true })).toBe(true);
});
