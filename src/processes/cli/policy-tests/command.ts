import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { type CommandIo, type ExitCode, exitCode } from "../io.ts";
import { paintOf } from "../paint.ts";
import { findTestFiles } from "./find-files.ts";
import { formatJson } from "./report-json.ts";
import { formatJunit } from "./report-junit.ts";
import { coverageLines, formatList, formatTree } from "./report-text.ts";
import { summaryOf, type TestResult } from "./result.ts";
import { runTests } from "./run.ts";

export type TestOutput = "tree" | "list" | "json" | "junit";

export interface TestRequest {
  readonly paths: readonly string[];
  readonly output: TestOutput;
  readonly filter: string | null;
  /** Of the documents' ARNs. */
  readonly partition: string;
  readonly coverage: boolean;
  readonly verbose: boolean;
}

/**
 * Runs the tests, prints the report and returns 0 where none fails, 1 where one does, 3 where a file is
 * not accepted; a skipped test says why it is, and does not fail. A filter that leaves nothing to run throws `usage`: a misspelt one must not pass.
 */
export async function testPolicies(request: TestRequest, io: CommandIo): Promise<ExitCode> {
  const { paths, filter, coverage, partition } = request;
  const files = await findTestFiles(paths);
  const result = await runTests(files, { filter, coverage, partition, nowMs: Date.now() }, io);
  const { tests, failed, refusedFiles } = summaryOf(result);
  if (tests === 0 && refusedFiles === 0) {
    throw new MeshIamError("usage", `no test has ${quote(filter ?? "")} in its name`);
  }
  io.out(`${formatReport(result, request, io)}\n`);
  if (request.output === "junit") {
    // the format has no place for it
    for (const line of (result.coverage ?? []).flatMap(coverageLines)) io.err(`${line}\n`);
  }
  if (refusedFiles > 0) return exitCode.invalidInput;
  return failed > 0 ? exitCode.failure : exitCode.ok;
}

function formatReport(result: TestResult, { output, verbose }: TestRequest, io: CommandIo): string {
  switch (output) {
    case "tree":
      return formatTree(result, paintOf(io), verbose);
    case "list":
      return formatList(result, paintOf(io));
    case "json":
      return formatJson(result);
    case "junit":
      return formatJunit(result);
  }
}
