import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type MutatedFile, readRecordedRuns, recordRuns } from "../recorded-runs.ts";
import { createJudge } from "./judge.ts";
import { mutantsOf } from "./mutants.ts";
import { readExcuses } from "./survivors.ts";

/**
 * `npm run mutate`: changes the engine a little, one change at a time, and looks whether a test
 * notices: the corpus and random questions in process, then the unit tests. Not part of the tests.
 *
 *   [--files GLOB]…   what to change; default: evaluation/, condition/ and glob*.ts
 *   [--sample N]      every Nth mutant of each file only; default 1, all
 *   [--again]         in files that are as they were recorded, only the survivors: what was killed
 *                     counts as killed
 *   [--record]        writes the figure to test/recorded-runs.json; not together with --files
 *
 * Exit codes: 0 each survivor stands in survivors.json, 1 usage, 5 one does not; those are written to
 * build/mutation-survivors.txt.
 */
const { values } = parseArgs({
  options: {
    files: { type: "string", multiple: true },
    sample: { type: "string", default: "1" },
    again: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});

const root = join(import.meta.dirname, "../..");
const scope = ["src/iam/evaluation/*.ts", "src/iam/condition/*.ts", "src/iam/glob*.ts"];
const sample = Number(values.sample);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (!Number.isInteger(sample) || sample < 1 || (values.record && values.files !== undefined)) {
  say("expected a whole number for --sample, and --record without --files");
  process.exit(1);
}

const paths = (values.files ?? scope)
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((path) => !path.endsWith(".test.ts"))
  .sort();

const recorded = values.again ? readRecordedRuns().mutation : null;
const before = new Map((recorded?.sample === sample ? recorded.files : []).map((f) => [f.path, f]));

const judge = createJudge(root);
const killers = new Map<string, number>();

async function judgeFile(path: string): Promise<MutatedFile> {
  const source = readFileSync(join(root, path), "utf8");
  const digest = createHash("sha256").update(source).digest("hex");
  const chosen = mutantsOf(path, source).mutants.filter((_, index) => index % sample === 0);
  const known = before.get(path)?.digest === digest ? before.get(path) : undefined;
  const survivors: string[] = [];
  for (const mutant of chosen) {
    if (known !== undefined && !known.survivors.includes(mutant.name)) continue;
    const killer = await judge.killerOf(path, mutant);
    if (killer === null) {
      survivors.push(mutant.name);
      say(`survived in line ${mutant.line}: ${mutant.name}`);
    } else killers.set(killer, (killers.get(killer) ?? 0) + 1);
  }
  judge.prove(path);
  say(`${path}: ${chosen.length} mutants, ${survivors.length} survived`);
  return { path, digest, mutants: chosen.length, survivors };
}

const files: MutatedFile[] = [];
for (const path of paths) {
  files.push(await judgeFile(path));
  // after each file: a run that is ended goes on from here with --again
  const rest = [...before.values()].filter((known) => !files.some((f) => f.path === known.path));
  if (values.record) {
    recordRuns({ mutation: { sample, node: process.version, files: [...files, ...rest] } });
  }
}
judge.close();

const survivors = files.flatMap((file) => file.survivors);
const total = files.reduce((sum, file) => sum + file.mutants, 0);
const killed = total - survivors.length;
say(`${total} mutants, ${killed} killed (${((100 * killed) / total).toFixed(1)} %)`);
say([...killers].map(([killer, times]) => `${times} by ${killer}`).join(", "));

const excused = new Set(readExcuses().flatMap(({ mutants }) => mutants));
const fresh = survivors.filter((name) => !excused.has(name));
say(`${survivors.length} survived, ${fresh.length} of them without a reason in survivors.json`);
if (fresh.length > 0) {
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build/mutation-survivors.txt"), `${fresh.join("\n")}\n`);
  process.exitCode = 5;
}
