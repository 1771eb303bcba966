import { parsePolicyDocument } from "../../../iam/policy/parse.ts";
import type { DocumentType } from "../../../iam/policy/policy-type.ts";
import { type Position, type Problem, quote } from "../../../iam/problem.ts";
import { type DocumentProblem, type Place, type Report, refuseAt } from "../document-problem.ts";
import { type WrittenJson, writeJson } from "../yaml/json.ts";
import type { DocumentNode, ScalarNode } from "../yaml/node.ts";
import { refuseValue, type Shape } from "./shape.ts";

/** A policy document as it will be stored, and where it was read. */
export interface PolicySource {
  /** Of a mapping: compact JSON in the order of the file. Of a text: byte for byte (FILE-3). */
  readonly text: string;
  readonly place: Place;
}

/**
 * Returns the shape of policy documents that are read as `type`. What the loader refuses is a problem of
 * the run, what it finds beside that a finding, each at its line and column of the file.
 */
export function policy(type: DocumentType): Shape<PolicySource> {
  const expected = "a policy document";
  return {
    expected,
    read: (node, place, report) => {
      if (node.type === "map") return readMapping(node, type, place, report);
      if (node.type === "text") return readText(node, type, place, report);
      return refuseValue(node, place, report, expected);
    },
    schema: { $ref: "#/$defs/policyDocument" },
    members: null,
  };
}

function readMapping(
  node: DocumentNode,
  type: DocumentType,
  place: Place,
  report: Report,
): PolicySource | undefined {
  const json: WrittenJson = writeJson(node);
  for (const number of json.unwritable) {
    const message = `expected a number as JSON writes it, got ${quote(number.text)}: quote it`;
    refuseAt(report, { ...place, position: number.position }, "INVALID_VALUE", message);
  }
  if (json.unwritable.length > 0) return undefined;
  check(json.text, type, place, report, ({ offset }) => json.positionAt(offset));
  return { text: json.text, place };
}

function readText(
  node: ScalarNode,
  type: DocumentType,
  place: Place,
  report: Report,
): PolicySource {
  check(node.text, type, place, report, (inside) => positionInText(node, inside));
  return { text: node.text, place };
}

function check(
  text: string,
  type: DocumentType,
  place: Place,
  report: Report,
  positionOf: (inside: Position) => Position,
): void {
  const loaded = parsePolicyDocument(text, type);
  const here = (problem: Problem): DocumentProblem => ({
    code: problem.code,
    severity: problem.severity,
    message: problem.message,
    file: place.file,
    subject: place.subject,
    path: joinPaths(place.path, problem.path),
    position: problem.position === null ? place.position : positionOf(problem.position),
  });
  if (loaded.ok) report.findings.push(...loaded.findings.map(here));
  else report.problems.push(...loaded.problems.map(here));
}

/** Returns the path of a place inside a policy that stands at `path`. */
export function joinPaths(path: string, inside: string): string {
  if (inside === "") return path;
  return inside.startsWith("[") ? path + inside : `${path}.${inside}`;
}

/**
 * Of a block literal the position of the same line in the file: its text is the file's lines without
 * their indentation. Of any other text where it begins, since folding and escapes move everything.
 */
export function positionInText(node: ScalarNode, inside: Position): Position {
  const { position, literal, text } = node;
  const line = literal?.[inside.line];
  if (line === undefined) return position;
  const content = text.split("\n")[inside.line - 1] ?? "";
  const bare = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (!bare.endsWith(content)) return position;
  return {
    line: position.line + inside.line,
    column: bare.length - content.length + inside.column,
    offset: position.offset,
  };
}
