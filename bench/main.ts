import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { groups } from "./groups.ts";
import { pinGenerator } from "./measure/child.ts";
import { helpText, type Options, parseOptions } from "./options.ts";
import { refusalToRecord } from "./recording.ts";
import { type ResultRow, type Results, resultRow, resultsOf } from "./results.ts";
import type { Group, Run } from "./rows/row.ts";
import { formatTable } from "./table.ts";
import { goalOf, isGrossRegression } from "./thresholds.ts";

/*
 * npm run bench: how much CPU, time and memory mesh-iam takes, as ratios of one interleaved run.
 * `--help` says the rest. Exit code 1: an answer was wrong, or `--check` found a gross regression.
 */

const recordedFile = join(import.meta.dirname, "results/latest.json");
const pageScript = join(import.meta.dirname, "../docs/reference/generate.ts");

/** Groups with the rows of each that are to be measured. */
type Selection = readonly { readonly group: Group; readonly wanted: ReadonlySet<string> }[];

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === "string") {
    console.error(`${options}\n\n${helpText(rowLines(groups))}`);
    return 1;
  }
  if (options.help) {
    console.log(helpText(rowLines(groups)));
    return 0;
  }
  const selected = select(options);
  if (typeof selected === "string") {
    console.error(selected);
    return 1;
  }
  const load = loadavg()[0] ?? Number.NaN;
  const refusal = refusalToRecord({ ...options, load, cores: availableParallelism() });
  if (refusal !== null) {
    console.error(refusal);
    return 1;
  }
  const results = await measure(selected, options);
  console.log(options.json ? JSON.stringify(results, null, 2) : formatTable(results));
  if (results.rows.some(({ failed }) => failed !== null)) return 1;
  if (options.record) record(results);
  return options.check ? await compare(results, options) : 0;
}

/** Returns what to measure, or which name is unknown. */
function select({ rows }: Options): Selection | string {
  if (rows.length === 0) return groups.map(whole);
  const known = new Set(groups.flatMap(({ name, rows }) => [name, ...rows.map((row) => row.name)]));
  const unknown = rows.find((name) => !known.has(name));
  if (unknown !== undefined) {
    return `no row or group \`${unknown}\`, expected one of: ${[...known].join(", ")}`;
  }
  return groups
    .map((group) => {
      const named = group.rows.filter(({ name }) => rows.includes(name));
      if (named.length === 0 && rows.includes(group.name)) return whole(group);
      return { group, wanted: new Set(named.map(({ name }) => name)) };
    })
    .filter(({ wanted }) => wanted.size > 0);
}

function whole(group: Group): Selection[number] {
  return { group, wanted: new Set(group.rows.map(({ name }) => name)) };
}

async function measure(selection: Selection, options: Options): Promise<Results> {
  const loadBefore = loadavg()[0] ?? Number.NaN;
  pinGenerator();
  const run: Run = {
    quick: options.quick,
    profileFolder: options.profileFolder,
    progress: (line) => console.error(line),
  };
  const rows: ResultRow[] = [];
  for (const { group, wanted } of selection) {
    rows.push(...(await measureGroup(group, run, wanted)));
  }
  return resultsOf(rows, options.quick, loadBefore, Date.now());
}

/** A group that breaks is told in its rows, and the others go on. */
async function measureGroup(
  group: Group,
  run: Run,
  wanted: ReadonlySet<string>,
): Promise<ResultRow[]> {
  const specs = group.rows.filter(({ name }) => wanted.has(name));
  try {
    const measured = await group.measure(run, wanted);
    return specs.map((spec) => {
      const result = measured.get(spec.name);
      return resultRow(spec, result ?? { failed: "no figure was taken" });
    });
  } catch (failure) {
    run.progress(`${group.name}: ${failure instanceof Error ? failure.stack : failure}`);
    return specs.map((spec) => resultRow(spec, { failed: String(failure) }));
  }
}

function record(results: Results): void {
  writeFileSync(recordedFile, `${JSON.stringify(results, null, 2)}\n`);
  // The page is read from the file, so it is made by a process that begins after it was written.
  execFileSync(process.execPath, [pageScript], { stdio: "inherit" });
  console.error(`recorded in ${recordedFile} and docs/reference/benchmarks.md`);
}

/** Measures again what looks grossly worse than recorded; only a second time counts (performance 4.7). */
async function compare(results: Results, options: Options): Promise<number> {
  const recorded = JSON.parse(readFileSync(recordedFile, "utf8")) as Results;
  const suspects = regressions(results, recorded);
  if (suspects.length === 0) return 0;
  console.error(`measuring again: ${suspects.join(", ")}`);
  const selection = select({ ...options, rows: suspects });
  if (typeof selection === "string") throw new Error(selection);
  const confirmed = regressions(await measure(selection, options), recorded);
  for (const name of confirmed) console.error(`${name} is grossly worse than recorded, twice`);
  return confirmed.length === 0 ? 0 : 1;
}

function regressions(results: Results, recorded: Results): string[] {
  const before = new Map(recorded.rows.map((row) => [row.name, row.figure]));
  return results.rows
    .filter((row) => {
      const then = before.get(row.name);
      if (row.figure === null || then === undefined || then === null) return false;
      return isGrossRegression(row.figure.median, then.median, goalOf(row));
    })
    .map(({ name }) => name);
}

function rowLines(groups: readonly Group[]): string[] {
  const rows = groups.flatMap((group) => group.rows);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, title }) => `${name.padEnd(width)}  ${title}`);
}

process.exitCode = await main();
