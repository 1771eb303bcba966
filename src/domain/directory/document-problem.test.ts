import { expect, test } from "vitest";
import { type DocumentProblem, formatDocumentProblem, joinPath } from "./document-problem.ts";

const problem: DocumentProblem = {
  code: "INVALID_EFFECT",
  severity: "ERROR",
  file: "roles.yaml",
  subject: "Role/app",
  path: "spec.policies[0].policyDocument.Statement[1].Effect",
  message: "expected Allow or Deny, got `allow`",
  position: { line: 14, column: 9, offset: 300 },
};

test.each<[string, Partial<DocumentProblem>, string]>([
  [
    "everything is known",
    {},
    "roles.yaml:14:9 Role/app spec.policies[0].policyDocument.Statement[1].Effect: expected Allow or Deny, got `allow`",
  ],
  [
    "it is about the whole document",
    { path: "" },
    "roles.yaml:14:9 Role/app: expected Allow or Deny, got `allow`",
  ],
  [
    "the document cannot be read",
    { path: "", subject: "" },
    "roles.yaml:14:9: expected Allow or Deny, got `allow`",
  ],
  [
    "the position is unknown",
    { position: null, path: "", subject: "" },
    "roles.yaml: expected Allow or Deny, got `allow`",
  ],
  [
    "a name would forge a second line",
    { subject: "Role/a\nb.yaml:1:1 Role/x", path: "", message: "no \u202egood\u0007" },
    "roles.yaml:14:9 Role/a\\u000ab.yaml:1:1 Role/x: no \\u202egood\\u0007",
  ],
])("the line of FILE-8 when %s", (_why, change, line) => {
  expect(formatDocumentProblem({ ...problem, ...change })).toBe(line);
});

test.each([
  ["", "spec", "spec"],
  ["spec", "tags", "spec.tags"],
  ["spec.policies", 0, "spec.policies[0]"],
  ["spec.contextKeys", "orders:Channel", 'spec.contextKeys["orders:Channel"]'],
  ["spec", "x".repeat(200), `spec["${"x".repeat(77)}..."]`],
])("%s and %s make %s", (path, step, joined) => {
  expect(joinPath(path, step)).toBe(joined);
});
