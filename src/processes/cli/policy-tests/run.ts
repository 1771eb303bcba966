import { dirname, join, resolve } from "node:path";
import type { DocumentProblem } from "../../../domain/directory/document-problem.ts";
import { readSuite } from "../../../domain/directory/suite/read-suite.ts";
import {
  nameOfCase,
  type TestCase,
  type TestSuite,
} from "../../../domain/directory/suite/suite.ts";
import { explain } from "../../../iam/evaluation/explain.ts";
import type { Parsed } from "../../../iam/problem.ts";
import { createWorldReader, type DocumentWorld, type LoadedWorld } from "../document-world.ts";
import { readText } from "../files.ts";
import type { CommandIo } from "../io.ts";
import { engineLayersOf } from "../scenario-file.ts";
import { CoverageCount } from "./coverage.ts";
import { type AskedQuestion, questionInDocuments, questionOf, resourceText } from "./question.ts";
import {
  type CaseResult,
  type FileResult,
  fullName,
  judge,
  skip,
  type TestResult,
} from "./result.ts";

/** Which tests are run, and what else is wanted of them. */
export interface TestRun {
  /** Only questions with this text in `suite › test`, in any case; null: all. */
  readonly filter: string | null;
  readonly coverage: boolean;
  /** Of the documents' ARNs. */
  readonly partition: string;
  /** The time of questions that have none. */
  readonly nowMs: number;
}

/** Returns what came of the tests in `files`, in their order. Throws `document-unreadable`. */
export async function runTests(
  files: readonly string[],
  run: TestRun,
  io: CommandIo,
): Promise<TestResult> {
  const readWorld = createWorldReader(run.partition);
  const counts = new Map<string, CoverageCount>();
  const results: FileResult[] = [];
  let filteredOut = 0;
  for (const file of files) {
    const text = await readText(file, io, "document-unreadable");
    const loaded = readSuite(file, text, { nowMs: run.nowMs });
    if (!loaded.ok) {
      results.push({ type: "refused", file, problems: loaded.problems });
      continue;
    }
    const suite = loaded.value;
    const asking = await prepare(suite, readWorld);
    if (!asking.ok) {
      results.push({ type: "refused", file, problems: asking.problems });
      continue;
    }
    const { ask, subject, count } = asking.value;
    const wanted = suite.cases.filter((asked) => isWanted(suite, asked, run.filter));
    filteredOut += suite.cases.length - wanted.length;
    const counted = run.coverage ? (counts.get(subject) ?? count()) : null;
    if (counted !== null) counts.set(subject, counted);
    results.push(runCases(suite, wanted, ask, counted));
  }
  const coverage = run.coverage ? [...counts.values()].map((each) => each.result()) : null;
  return { files: results, filteredOut, coverage };
}

function isWanted({ name }: TestSuite, asked: TestCase, filter: string | null): boolean {
  return filter === null || fullName(name, asked).toLowerCase().includes(filter.toLowerCase());
}

/** How the questions of a file are put. */
interface Asking {
  readonly ask: (asked: TestCase) => Parsed<AskedQuestion>;
  /** What its tests cover, and a count of it that starts at nothing. */
  readonly subject: string;
  readonly count: () => CoverageCount;
}

async function prepare(
  suite: TestSuite,
  readWorld: (folder: string) => Promise<LoadedWorld>,
): Promise<
  | { readonly ok: true; readonly value: Asking }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] }
> {
  const { documents, policies, file } = suite;
  if (documents === null) {
    // INVARIANT: a suite without a folder has policies of its own
    const layers = engineLayersOf({ layers: policies as NonNullable<typeof policies> });
    const ask = (asked: TestCase): Parsed<AskedQuestion> => {
      return { ok: true, value: questionOf(asked, layers) };
    };
    const count = () => CoverageCount.ofLayers(file, layers);
    return { ok: true, value: { ask, subject: file, count } };
  }
  const folder = join(dirname(file), documents.folder);
  const world = await readWorld(folder);
  if (!world.ok) {
    // told with the folder, from where the documents' own paths go on
    const problems = world.problems.map((each) => ({ ...each, file: join(folder, each.file) }));
    return { ok: false, problems };
  }
  return { ok: true, value: askingDocuments(folder, world.value) };
}

function askingDocuments(folder: string, world: DocumentWorld): Asking {
  return {
    ask: (asked) => questionInDocuments(asked, world),
    subject: resolve(folder),
    count: () => CoverageCount.ofDocuments(folder, world),
  };
}

function runCases(
  { file, name, documents }: TestSuite,
  cases: readonly TestCase[],
  ask: Asking["ask"],
  coverage: CoverageCount | null,
): FileResult {
  const results: CaseResult[] = [];
  const problems = new Map<string, DocumentProblem>();
  for (const asked of cases) {
    // what is skipped may be about things to come
    if (asked.skipReason !== null) {
      results.push(skip(asked));
      continue;
    }
    const question = ask(asked);
    if (!question.ok) {
      const { message } = question;
      const subject = nameOfCase(asked);
      // of the questions that share a mistake the first tells it
      if (!problems.has(message)) {
        problems.set(message, problemAt(file, subject, asked, message));
      }
      continue;
    }
    const { context, layers } = question.value;
    const explanation = explain(context, layers);
    coverage?.reach(explanation);
    results.push(judge(asked, explanation, resourceText(question.value)));
  }
  // INVARIANT: only documents can fail to know what is asked for
  if (problems.size > 0 && documents !== null) {
    return { type: "refused", file, problems: [...problems.values()] };
  }
  return { type: "run", file, name, cases: results };
}

function problemAt(
  file: string,
  subject: string,
  { position }: TestCase,
  message: string,
): DocumentProblem {
  const code = "UNKNOWN_REFERENCE";
  return { file, subject, path: "", position, code, severity: "ERROR", message };
}
