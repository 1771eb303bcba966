import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { commandOf } from "../property/agreement.ts";
import { readRecordedRuns, recordRuns } from "../recorded-runs.ts";
import { createCoverage } from "./coverage.ts";
import { describeMix, rarestOf, runDifferential } from "./differential.ts";
import { attempt, type Finding, runLoop } from "./loop.ts";
import { corpusFolder, keepFinding } from "./seeds.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets.ts";

/**
 * `npm run fuzz -- …`, for longer than the tests have time; `usage` says how.
 *
 * Exit codes: 0 nothing found, 1 usage, 5 found; what is found is written below test/fuzz/corpus.
 */
const usage = `npm run fuzz -- --target X --seconds N [--seed S]
  mutations of one target ("all": of each), guided by coverage
npm run fuzz -- --target X --file PATH
  one input
npm run fuzz -- --cases N [--seed S] [--first I]
  random questions, every evaluator
--record writes the figures of a run to test/recorded-runs.json`;

const values = readOptions();

function readOptions() {
  try {
    return parseArgs({
      options: {
        target: { type: "string" },
        seconds: { type: "string", default: "10" },
        seed: { type: "string", default: "1" },
        first: { type: "string", default: "0" },
        cases: { type: "string" },
        file: { type: "string" },
        record: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (reason) {
    return fail(`${(reason as Error).message}\n${usage}`);
  }
}

/** The time that 8 KB may take (security reference, 11.6), by a clock: here only, never in a test. */
const maxInputMs = 100;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function number(name: "seconds" | "seed" | "first" | "cases"): number {
  const text = values[name] ?? "10000";
  if (!/^[0-9]{1,9}$/.test(text)) fail(`expected a whole number for --${name}, got ${text}`);
  return Number(text);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function differential(): boolean {
  const [seed, first, cases] = [number("seed"), number("first"), number("cases")];
  const began = performance.now();
  const { mix, found } = runDifferential(seed, first, cases, (done) => {
    if (done % 100_000 === 0) say(`${done} cases, ${seconds(began)} s`);
  });
  for (const line of describeMix(mix)) say(line);
  say(`seed ${seed}, from ${first}, in ${seconds(began)} s, Node ${process.version}`);
  if (values.record) {
    const { decisions } = mix;
    recordRuns({
      differential: {
        cases: mix.cases,
        seed,
        first,
        seconds: Number(seconds(began)),
        node: process.version,
        found: found?.name ?? null,
        decisions: Object.fromEntries(decisions),
        rarest: rarestOf(mix),
      },
    });
  }
  if (found === null) return false;
  const folder = join(corpusFolder, "differential");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${found.name}.json`), `${found.text}\n`);
  say(`the evaluators differ in ${found.name}; to see it again:`);
  say(commandOf(seed, found.index));
  for (const answer of found.answers) say(answer);
  say(`the smallest such question is test/fuzz/corpus/differential/${found.name}.json`);
  return true;
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0);
}

/** Returns the target, its inputs watched by the processor's clock: three times slow is slow. */
function timed(target: Target): Target {
  const timeOf = async (data: Uint8Array): Promise<number> => {
    const before = process.cpuUsage();
    await target.fuzz(data);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  return {
    ...target,
    async fuzz(data) {
      for (let times = 0; times < 3; times++) if ((await timeOf(data)) <= maxInputMs) return;
      throw new Error(`more than ${maxInputMs} ms for ${data.length} bytes, three times`);
    },
  };
}

async function mutations(target: Target): Promise<boolean> {
  const [seed, lasting] = [number("seed"), number("seconds")];
  const until = performance.now() + lasting * 1000;
  const guide = createCoverage();
  const { inputs, kept, finding } = await runLoop(timed(target), {
    seed,
    goOn: () => performance.now() < until,
    guide,
  });
  guide.stop();
  say(`${target.name} (${target.id ?? target.about}): ${inputs} inputs, ${kept} reached new code`);
  if (values.record) {
    const run = { seconds: lasting, seed, inputs, kept, found: finding !== null };
    recordRuns({ fuzz: { ...readRecordedRuns().fuzz, [target.name]: run } });
  }
  if (finding !== null) report(target, finding);
  return finding !== null;
}

function report(target: Target, { data, error }: Finding): void {
  const path = keepFinding(target, data);
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  say(`found: ${path}; to see it again:`);
  say(`npm run fuzz -- --target ${target.name} --file ${path}`);
}

async function single(target: Target, path: string): Promise<boolean> {
  const failure = await attempt(target, new Uint8Array(readFileSync(path)));
  if (failure !== null) say(String((failure.reason as Error).stack ?? failure.reason));
  else say(`${target.name}: nothing found`);
  return failure !== null;
}

async function run(): Promise<boolean> {
  if (values.help) {
    say(usage);
    return false;
  }
  const name = values.target ?? (values.cases === undefined ? "" : "differential");
  if (name === "differential") return differential();
  const chosen = name === "all" ? targets : targets.filter((target) => target.name === name);
  if (chosen.length === 0) {
    const names = targets.map((target) => `${target.name}\t${target.about}`);
    fail(`expected --target, one of\nall\ndifferential\n${names.join("\n")}`);
  }
  let isFound = false;
  for (const target of chosen) {
    const found = values.file === undefined ? mutations(target) : single(target, values.file);
    isFound = (await found) || isFound;
  }
  return isFound;
}

process.exitCode = (await run()) ? 5 : 0;
