import type { DocumentProblem } from "../../../domain/directory/document-problem.ts";
import { nameOfCase, type TestCase } from "../../../domain/directory/suite/suite.ts";
import type { Decision } from "../../../iam/decision.ts";
import type { Explanation } from "../../../iam/evaluation/explanation.ts";
import type { Coverage } from "./coverage.ts";

/** What came of one question. */
export interface CaseResult {
  readonly asked: TestCase;
  readonly status: "passed" | "failed" | "skipped";
  /** What was answered; null: the case was skipped. */
  readonly explanation: Explanation | null;
  /** The ARN of the resource that was asked for. */
  readonly resource: string;
  /** What differs from the expectation, `expected allowed, got implicitDeny`; empty unless it failed. */
  readonly differences: readonly string[];
}

/** What came of one test file. */
export type FileResult =
  | {
      readonly type: "run";
      readonly file: string;
      readonly name: string;
      readonly cases: readonly CaseResult[];
    }
  /** Not asked at all: the file, or the documents that it names, are not accepted. */
  | {
      readonly type: "refused";
      readonly file: string;
      readonly problems: readonly DocumentProblem[];
    };

export interface TestResult {
  readonly files: readonly FileResult[];
  /** Questions that `--test-filter` left out. */
  readonly filteredOut: number;
  /** Null unless asked for. */
  readonly coverage: readonly Coverage[] | null;
}

/** How many there are of each. */
export interface Summary {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly refusedFiles: number;
}

/** Returns the numbers of `result`. */
export function summaryOf({ files }: TestResult): Summary {
  const cases = files.flatMap((file) => (file.type === "run" ? file.cases : []));
  const count = (status: CaseResult["status"]): number =>
    cases.filter((each) => each.status === status).length;
  return {
    tests: cases.length,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    refusedFiles: files.filter((file) => file.type === "refused").length,
  };
}

/** Returns the result of a case that was asked. */
export function judge(asked: TestCase, explanation: Explanation, resource: string): CaseResult {
  const differences = differencesOf(asked, explanation.decision);
  const status = differences.length === 0 ? "passed" : "failed";
  return { asked, status, explanation, resource, differences };
}

/** Returns the result of a case that is not asked. */
export function skip(asked: TestCase): CaseResult {
  return { asked, status: "skipped", explanation: null, resource: "", differences: [] };
}

/** An answer that could not be decided denies, and is still no answer that a test could expect. */
function differencesOf({ expected }: TestCase, decision: Decision): readonly string[] {
  if (decision.errors.length > 0) {
    return [`expected an answer, got the errors ${decision.errors.join(", ")}`];
  }
  const fields = ["decision", "deniedBy", "deniedLevel", "reason"] as const;
  return fields.flatMap((field) => {
    const wanted = expected[field];
    const got = decision[field];
    if (wanted === undefined || wanted === got) return [];
    const name = field === "decision" ? "" : `${field} `;
    return [`expected ${name}${wanted}, got ${name}${got}`];
  });
}

/** Returns the name under which a case is filtered and reported: suite and test. */
export function fullName(suite: string, asked: TestCase): string {
  return `${suite} › ${nameOfCase(asked)}`;
}
