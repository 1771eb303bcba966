import { readCases } from "../../test/corpus/cases.ts";
import { readProofs } from "../../test/corpus/proofs.ts";
import { targets } from "../../test/fuzz/targets.ts";
import { exceptions } from "../../test/managed-policies/exceptions.ts";
import { counted } from "../../test/managed-policies/policies.ts";
import { type Excuse, readExcuses } from "../../test/mutation/survivors.ts";
import {
  type MutationRun,
  type Rarest,
  type RecordedDifferential,
  readRecordedRuns,
} from "../../test/recorded-runs.ts";
import { code, page, table } from "./markdown.ts";

const runs = readRecordedRuns();

/** Returns the page that says how the engine is proven, with the figures of the recorded runs. */
export function proofPage(): string {
  return page(
    "Proof",
    "test/",
    "How the policy engine is proven. There are two of it: the reference (`src/iam/evaluation/reference.ts`) follows the specification clause by clause and is slow and obvious; the compiled engine decides in production and shares no matcher with it. What needs no long run is asserted by `npm test`; the figures of long runs are those of `test/recorded-runs.json`, which the scripts write with `--record`.",
    "## Corpus",
    corpus(),
    "## Random questions",
    "Policies and requests are drawn by a seeded generator that knows the types of both, and each question is decided by both evaluators. `npm test` asks 10,000 of them and asserts that 30 to 70 of a hundred are allowed and that every operator in every form, every combination of policy types and every type of caller comes at least 1,000 times in a million. A question on which they differ is cut down, kept as a file below `test/fuzz/corpus`, and told with the command that asks it again: `npm run fuzz -- --target differential --seed S --first N --cases 1`.",
    runs.differential === null ? "Not recorded yet." : differential(runs.differential),
    "## Mutation",
    "`npm run mutate` changes the code of the evaluators, operators and globs, one change at a time, and looks whether a test notices: first the corpus and random questions, then the unit tests and properties of the folder. A survivor fails the run unless `test/mutation/survivors.json` says why it may live.",
    ...(runs.mutation === null ? ["Not recorded yet."] : mutation(runs.mutation, readExcuses())),
    "## Fuzz targets",
    "Each target is one function that takes any bytes and throws where its law is broken. `npm test` feeds each of them its seeds, everything that was ever found, and 400 mutations; `npm run fuzz -- --target NAME --seconds N` goes on for longer, guided by coverage and with a bound of 100 ms of CPU an input.",
    fuzz(),
    "## AWS's managed policies",
    managed(),
  );
}

function corpus(): string {
  const cases = readCases();
  const refused = cases.filter(({ expected }) => expected.problems !== undefined).length;
  const proofs = readProofs();
  const byCases = proofs.filter((proof) => proof.cases.length > 0).length;
  return `${cases.length} cases: ${cases.length - refused} questions with their answers, ${refused} documents and questions that are refused. Every answered case goes through the reference and the compiled engine; those that a request can ask go through a sidecar over gRPC as well, once evaluated and once from memory (\`test/corpus/wire.test.ts\`). Of ${proofs.length} clauses of the language ${byCases} have cases and the others tests that are named after them: [clause by clause](clauses.md).`;
}

function differential(run: RecordedDifferential): string {
  const share = (times: number) => percent(times / run.cases);
  const rarest = ({ kinds, name, times }: Rarest) =>
    `${kinds}, the rarest ${code(name)} ${times} times`;
  const found = run.found === null ? "no difference" : `a difference: ${code(run.found)}`;
  return [
    `Last recorded run: ${run.cases} questions of seed ${run.seed} from ${run.first} on, ${found}; ${run.seconds} s on Node ${run.node}.`,
    table(
      ["Of", "Drawn"],
      [
        ...Object.entries(run.decisions).map(([word, times]) => [code(word), share(times)]),
        ["forms of operators", rarest(run.rarest.operatorForms)],
        ["combinations of policy types", rarest(run.rarest.layerPatterns)],
        ["types of callers", rarest(run.rarest.callers)],
      ],
    ),
  ].join("\n\n");
}

function mutation({ sample, node, files }: MutationRun, excuses: readonly Excuse[]): string[] {
  const total = files.reduce((sum, { mutants }) => sum + mutants, 0);
  const survivors = new Set(files.flatMap((file) => file.survivors));
  const which = sample === 1 ? "every mutant" : `every ${sample}th mutant of each file`;
  const reasons = excuses.flatMap(({ why, mutants }) => {
    const alive = mutants.filter((name) => survivors.has(name));
    return alive.length === 0
      ? []
      : [`- ${why}\n${alive.map((each) => `  - ${code(each)}`).join("\n")}`];
  });
  return [
    `Last recorded run: ${which}, ${total} in ${files.length} files; ${total - survivors.size} killed, ${percent((total - survivors.size) / total)}; Node ${node}.`,
    table(
      ["File", "Mutants", "Survived"],
      files
        .filter(({ mutants }) => mutants > 0)
        .map((file) => [code(file.path), `${file.mutants}`, `${file.survivors.length}`]),
    ),
    "The survivors, and why each of them may:",
    reasons.join("\n"),
  ];
}

function fuzz(): string {
  return table(
    ["Target", "Row", "Input", "Last recorded run"],
    targets.map(({ name, id, about }) => {
      const run = runs.fuzz[name];
      const told =
        run === undefined
          ? "none"
          : `${run.inputs} inputs in ${run.seconds} s, seed ${run.seed}, ${run.found ? "a finding" : "nothing found"}`;
      return [code(name), id ?? "", about, told];
    }),
  );
}

function managed(): string {
  const refused = exceptions.reduce((sum, { versions }) => sum + versions.length, 0);
  return [
    `${counted.policies} policies in ${counted.versions} versions are read as identity policies, and of each version in force both evaluators decide questions made from its own statements ([where they come from](../decisions/0007-managed-policies-as-test-data.md)). All load but ${refused} versions of ${exceptions.length} policies:`,
    table(
      ["Policy", "Versions", "Finding", "Why"],
      exceptions.map(({ name, versions, code: finding, why }) => [
        name,
        versions.join(", "),
        code(finding),
        why,
      ]),
    ),
  ].join("\n\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
