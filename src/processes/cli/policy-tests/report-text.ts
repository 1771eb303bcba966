import { formatDocumentProblem, printable } from "../../../domain/directory/document-problem.ts";
import { nameOfCase } from "../../../domain/directory/suite/suite.ts";
import { formatExplanation } from "../explanation-tree.ts";
import type { Paint } from "../paint.ts";
import { statementName } from "../statement-name.ts";
import { type Branch, leaf, treeLines } from "../tree.ts";
import type { Coverage } from "./coverage.ts";
import {
  type CaseResult,
  type FileResult,
  fullName,
  summaryOf,
  type TestResult,
} from "./result.ts";

/** Returns the report for people: a tree a file; `verbose` explains every failure layer by layer. */
export function formatTree(result: TestResult, paint: Paint, verbose: boolean): string {
  const blocks = result.files.map((file) => fileTree(file, paint, verbose));
  return [...blocks, ...endLines(result, paint)].join("\n");
}

/** Returns the report for scripts and eyes that look for one word: a line a test. */
export function formatList(result: TestResult, paint: Paint): string {
  const lines = result.files.flatMap((file) =>
    file.type === "refused"
      ? [`${paint.bad("ERROR")} ${printable(file.file)}`, ...problemLines(file)]
      : file.cases.map((each) => listLine(file.name, each, paint)),
  );
  return [...lines, ...endLines(result, paint)].join("\n");
}

function fileTree(file: FileResult, paint: Paint, verbose: boolean): string {
  if (file.type === "refused") {
    const root = `${paint.bad("✗")} ${printable(file.file)}: ${paint.bad("not accepted")}`;
    return [root, ...treeLines(problemLines(file).map(leaf))].join("\n");
  }
  const path = printable(file.file);
  const root = file.name === file.file ? path : `${printable(file.name)} (${path})`;
  return [root, ...treeLines(file.cases.map((each) => caseBranch(each, paint, verbose)))].join(
    "\n",
  );
}

function problemLines(file: FileResult & { readonly type: "refused" }): readonly string[] {
  return file.problems.map(formatDocumentProblem);
}

function caseBranch(each: CaseResult, paint: Paint, verbose: boolean): Branch {
  const { asked, status } = each;
  const name = printable(nameOfCase(asked));
  switch (status) {
    case "passed":
      return leaf(`${paint.good("✓")} ${name}`);
    case "skipped":
      return leaf(paint.dim(`○ ${name}: skipped, ${printable(asked.skipReason ?? "")}`));
    case "failed":
      return {
        text: `${paint.bad("✗")} ${name}`,
        under: failureLines(each, paint, verbose).map(leaf),
      };
  }
}

/** Why a test failed: what differs, who asked for what, what decided. */
function failureLines(
  { asked, differences, explanation, resource }: CaseResult,
  paint: Paint,
  verbose: boolean,
): readonly string[] {
  const question = printable(`${asked.principalName} asks for ${asked.action} on ${resource}`);
  const lines = differences.map((each) => paint.bad(printable(each)));
  if (explanation === null) return lines;
  if (verbose) return [...lines, ...formatExplanation(explanation, question, paint).split("\n")];
  const { decision, missingContextKeys } = explanation;
  return [
    ...lines,
    question,
    ...decision.matchedStatements.map((each) => `decided by ${statementName(each)}`),
    ...(missingContextKeys.length === 0
      ? []
      : [
          paint.dim(
            printable(`absent keys that statements look at: ${missingContextKeys.join(", ")}`),
          ),
        ]),
  ];
}

function listLine(suite: string, each: CaseResult, paint: Paint): string {
  const name = printable(fullName(suite, each.asked));
  switch (each.status) {
    case "passed":
      return `${paint.good("PASS")}  ${name}`;
    case "skipped":
      return paint.dim(`SKIP  ${name}: ${printable(each.asked.skipReason ?? "")}`);
    case "failed":
      return `${paint.bad("FAIL")}  ${name}: ${printable(each.differences.join("; "))}`;
  }
}

function endLines(result: TestResult, paint: Paint): readonly string[] {
  const { tests, passed, failed, skipped, refusedFiles } = summaryOf(result);
  const numbers = [
    `${passed} passed`,
    ...(failed > 0 ? [paint.bad(`${failed} failed`)] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(refusedFiles > 0 ? [paint.bad(`${refusedFiles} of the files not accepted`)] : []),
    ...(result.filteredOut > 0 ? [`${result.filteredOut} filtered out`] : []),
  ];
  const end = `${tests} ${tests === 1 ? "test" : "tests"}: ${numbers.join(", ")}`;
  return ["", ...(result.coverage ?? []).flatMap((each) => coverageLines(each)), end];
}

/** Returns which statements of a subject no test reached, and how many it did. */
export function coverageLines({ subject, statements, unreached }: Coverage): readonly string[] {
  const reached = statements - unreached.length;
  return [
    `${printable(subject)}: ${reached} of ${statements} statements reached`,
    ...treeLines(
      unreached.map(({ effect, sid, index, policyId, source }) => {
        const name = sid === "" ? `statement ${index}` : `${sid} (${index})`;
        const place = source === null ? "" : `, ${source}`;
        return leaf(printable(`no test reaches ${effect} ${name} of ${policyId}${place}`));
      }),
    ),
  ];
}
