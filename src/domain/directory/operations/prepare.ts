import type { Problem } from "../../../iam/problem.ts";
import type { DocumentProblem, DocumentProblemCode, Place, Report } from "../document-problem.ts";
import type { DocumentNode } from "../yaml/node.ts";
import type { Operation, OperationContext, Success } from "./operation.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";

/** An input that was read: what `questions` and `run` take. */
export interface Prepared {
  readonly operation: Operation;
  readonly input: unknown;
  readonly findings: readonly Problem[];
}

/** Where an input stands that was not read from a file. */
export const noPlace: Place = Object.freeze({
  file: "",
  subject: "",
  path: "",
  position: Object.freeze({ line: 1, column: 1, offset: 0 }),
});

const maxDepth = 64;
const maxNodes = 250_000;

/**
 * Returns the input of `operation` read from plain JSON data (a decoded message: objects, arrays, texts,
 * numbers, booleans), or the first refusal: `ValidationError`, or `MalformedPolicyDocument` where the
 * loader refuses a policy. Needs no state, so it runs before the queue (STO-72). Linear in the data.
 */
export function prepare(operation: Operation, data: unknown): Prepared | Refusal {
  const budget = { nodes: maxNodes };
  const node = nodeOf(data, 0, budget);
  if (node === null) {
    const expected = `expected at most ${maxNodes} values, nested at most ${maxDepth} deep`;
    return refuse("ValidationError", expected);
  }
  const report: Report = { problems: [], findings: [] };
  const input = operation.input.read(node, noPlace, report);
  const [problem] = report.problems;
  if (problem !== undefined) return refusalOf(problem);
  if (input === undefined) return refuse("ValidationError", "expected an input");
  return { operation, input, findings: report.findings.map(asProblem) };
}

/**
 * Returns what a prepared operation comes to on the context's state, with the findings about its input.
 * Whether the caller may is asked before, with `prepared.operation.questions`.
 */
export function run(prepared: Prepared, context: OperationContext): Success | Refusal {
  const result = prepared.operation.run(prepared.input, context);
  if (isRefused(result) || prepared.findings.length === 0) return result;
  return { ...result, findings: [...prepared.findings, ...result.findings] };
}

/** Returns the refusal that a problem of a shape or a policy is. */
export function refusalOf(problem: DocumentProblem): Refusal {
  const own = documentCodes.has(problem.code);
  const code =
    problem.code === "QUOTA_EXCEEDED"
      ? "LimitExceeded"
      : own
        ? "ValidationError"
        : "MalformedPolicyDocument";
  return refuse(code, problem.message, problem.path === "" ? {} : { field: problem.path });
}

/** Returns a finding without the file it was not read from. */
export function asProblem({ code, severity, path, message, position }: DocumentProblem): Problem {
  return { code, severity, path, message, position };
}

/** All others are AWS's names of findings about policies. */
const documentCodes: ReadonlySet<string> = new Set<DocumentProblemCode>([
  "SYNTAX_ERROR",
  "LIMIT_EXCEEDED",
  "UNKNOWN_KIND",
  "UNKNOWN_MEMBER",
  "MISSING_MEMBER",
  "INVALID_VALUE",
  "DUPLICATE_VALUE",
  "DUPLICATE_NAME",
  "UNKNOWN_REFERENCE",
  "RESERVED_NAME",
  "QUOTA_EXCEEDED",
  "CONFLICT",
  "FILE_UNREADABLE",
]);

function nodeOf(data: unknown, depth: number, budget: { nodes: number }): DocumentNode | null {
  if (depth > maxDepth || --budget.nodes < 0) return null;
  const { position } = noPlace;
  switch (typeof data) {
    case "string":
      return { type: "text", position, text: data, literal: null };
    case "number":
      return { type: "number", position, text: String(data), literal: null };
    case "bigint":
      return { type: "number", position, text: String(data), literal: null };
    case "boolean":
      return { type: "boolean", position, text: String(data), literal: null };
    case "object":
      break;
    default:
      return { type: "null", position, text: "null", literal: null };
  }
  if (data === null) return { type: "null", position, text: "null", literal: null };
  if (Array.isArray(data)) {
    const items = data.map((item: unknown) => nodeOf(item, depth + 1, budget));
    if (items.some((item) => item === null)) return null;
    return { type: "list", position, items: items as DocumentNode[] };
  }
  const members = Object.entries(data).filter(([, value]) => value !== undefined);
  const entries = members.map(([key, value]) => ({
    key,
    keyPosition: position,
    value: nodeOf(value, depth + 1, budget),
  }));
  if (entries.some(({ value }) => value === null)) return null;
  return {
    type: "map",
    position,
    entries: entries as { key: string; keyPosition: typeof position; value: DocumentNode }[],
  };
}
