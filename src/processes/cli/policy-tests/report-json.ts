import { nameOfCase } from "../../../domain/directory/suite/suite.ts";
import { arnOf } from "../../../iam/principal.ts";
import { printableJson } from "../printable-json.ts";
import { type CaseResult, type FileResult, summaryOf, type TestResult } from "./result.ts";

/** Returns the report for programs. Its shape only grows. */
export function formatJson(result: TestResult): string {
  const { filteredOut, coverage } = result;
  const report = {
    summary: { ...summaryOf(result), filteredOut },
    files: result.files.map(fileJson),
    ...(coverage !== null && { coverage }),
  };
  return printableJson(report);
}

function fileJson(file: FileResult): object {
  if (file.type === "refused") return { file: file.file, problems: file.problems };
  return { file: file.file, name: file.name, tests: file.cases.map(caseJson) };
}

function caseJson({ asked, status, explanation, resource, differences }: CaseResult): object {
  const { position, principal, principalName, action, resourceName, expected, skipReason } = asked;
  const question = {
    name: nameOfCase(asked),
    line: position.line,
    principal: { name: principalName, type: principal.type, arn: arnOf(principal) },
    action,
    status,
    expected,
  };
  if (explanation === null) return { ...question, resource: { name: resourceName }, skipReason };
  const { decision, missingContextKeys } = explanation;
  const { deniedBy, deniedLevel, reason, matchedStatements, errors } = decision;
  return {
    ...question,
    resource: { name: resourceName, arn: resource },
    answer: {
      decision: decision.decision,
      deniedBy,
      deniedLevel,
      reason,
      matchedStatements,
      missingContextKeys,
      errors,
    },
    differences,
  };
}
