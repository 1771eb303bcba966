import { formatDocumentProblem } from "../../../domain/directory/document-problem.ts";
import { nameOfCase } from "../../../domain/directory/suite/suite.ts";
import { type CaseResult, type FileResult, summaryOf, type TestResult } from "./result.ts";

/**
 * Returns the report as JUnit XML, which CI systems read: a `testsuite` a file, a `testcase` a question;
 * a file that is not accepted is one `error`. No times: two runs of the same tests are the same bytes.
 */
export function formatJunit(result: TestResult): string {
  const { tests, failed, skipped, refusedFiles } = summaryOf(result);
  const root = attributes({
    name: "mesh-iam test",
    tests: tests + refusedFiles,
    failures: failed,
    errors: refusedFiles,
    skipped,
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${root}>`,
    ...result.files.flatMap(suiteLines),
    "</testsuites>",
  ].join("\n");
}

function suiteLines(file: FileResult): readonly string[] {
  if (file.type === "refused") {
    const text = file.problems.map(formatDocumentProblem).join("\n");
    const counts = { tests: 1, failures: 0, errors: 1, skipped: 0 };
    return [
      `  <testsuite${attributes({ name: file.file, ...counts, file: file.file })}>`,
      `    <testcase${attributes({ name: "the file is accepted", classname: file.file })}>`,
      `      <error${attributes({ message: file.problems[0]?.message ?? "" })}>${xmlText(text)}</error>`,
      "    </testcase>",
      "  </testsuite>",
    ];
  }
  const count = (status: CaseResult["status"]): number =>
    file.cases.filter((each) => each.status === status).length;
  const counts = {
    tests: file.cases.length,
    failures: count("failed"),
    errors: 0,
    skipped: count("skipped"),
  };
  return [
    `  <testsuite${attributes({ name: file.name, ...counts, file: file.file })}>`,
    ...file.cases.flatMap((each) => caseLines(file.name, file.file, each)),
    "  </testsuite>",
  ];
}

function caseLines(suite: string, file: string, each: CaseResult): readonly string[] {
  const { asked, status, differences, resource, explanation } = each;
  const { line } = asked.position;
  const head = attributes({ name: nameOfCase(asked), classname: suite, file, line });
  switch (status) {
    case "passed":
      return [`    <testcase${head}/>`];
    case "skipped": {
      const skipped = attributes({ message: asked.skipReason ?? "" });
      return [`    <testcase${head}>`, `      <skipped${skipped}/>`, "    </testcase>"];
    }
    case "failed": {
      const failure = attributes({ message: differences.join("; "), type: "decision" });
      const statements = explanation?.decision.matchedStatements ?? [];
      const text = [
        `${asked.principalName} asks for ${asked.action} on ${resource}`,
        ...statements.map(({ effect, policyId, index }) => `${effect} ${policyId} ${index}`),
      ].join("\n");
      return [
        `    <testcase${head}>`,
        `      <failure${failure}>${xmlText(text)}</failure>`,
        "    </testcase>",
      ];
    }
  }
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(String(value))}"`)
    .join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
};

/** XML 1.0, 2.2: these characters have no form at all in a document, not even an escaped one. */
const impossible = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function xmlText(text: string): string {
  return text
    .replace(impossible, "\ufffd")
    .replace(/[&<>"'\n\t\r]/g, (character) => entities[character] ?? "");
}
