import type { Position, Problem, Severity } from "../../iam/problem.ts";

/** What can be wrong with a document besides its policies, whose findings carry AWS's names. */
export type DocumentProblemCode =
  | "SYNTAX_ERROR"
  | "LIMIT_EXCEEDED"
  | "UNKNOWN_KIND"
  | "UNKNOWN_MEMBER"
  | "MISSING_MEMBER"
  | "INVALID_VALUE"
  | "DUPLICATE_VALUE"
  | "DUPLICATE_NAME"
  | "UNKNOWN_REFERENCE"
  | "RESERVED_NAME"
  | "QUOTA_EXCEEDED"
  | "CONFLICT"
  | "FILE_UNREADABLE"
  | "AUTHENTICATION_DISABLED"
  | "AMBIGUOUS_WORKLOAD";

/** A finding about a document, with all that FILE-8 prints. */
export interface DocumentProblem extends Problem {
  /** As it was given to the reader. */
  readonly file: string;
  /** `Role/app`; empty where the document could not be read so far. */
  readonly subject: string;
}

/** Where in a run of documents something stands; `path` walks from the document's top. */
export interface Place {
  readonly file: string;
  readonly subject: string;
  readonly path: string;
  readonly position: Position;
}

/**
 * What a run has found so far. Every reader goes on after a problem, so that all of a run are told.
 * `problems` refuse the run; `findings` are told beside the directory, whatever their severity.
 */
export interface Report {
  readonly problems: DocumentProblem[];
  readonly findings: DocumentProblem[];
}

/** Adds the problem `message` about `place`: the run is refused. */
export function refuseAt(
  report: Report,
  place: Place,
  code: DocumentProblemCode,
  message: string,
): void {
  report.problems.push({ ...place, code, severity: "ERROR", message });
}

/** Adds the finding `message` about `place`: the run is accepted nevertheless. */
export function noteAt(
  report: Report,
  place: Place,
  code: DocumentProblemCode,
  severity: Severity,
  message: string,
): void {
  report.findings.push({ ...place, code, severity, message });
}

/** Returns the place of a member (by name) or item (by index) of `place`, at `position`. */
export function within(place: Place, step: string | number, position: Position): Place {
  const { file, subject, path } = place;
  return { file, subject, path: joinPath(path, step), position };
}

/** Returns `path` followed by one step: `a.b`, `a[0]`, `a["odd key"]`. */
export function joinPath(path: string, step: string | number): string {
  if (typeof step === "number") return `${path}[${step}]`;
  if (!plainName.test(step)) return `${path}[${JSON.stringify(cut(step))}]`;
  return path === "" ? step : `${path}.${step}`;
}

const plainName = /^[A-Za-z_$][A-Za-z0-9_$-]{0,79}$/;

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * Returns the line of FILE-8, without an end of line:
 * `roles.yaml:14:9 Role/app spec.maxSessionDuration: expected a whole number from 3600 to 43200`.
 *
 * Parts that are unknown are left out; control characters in names are escaped, so that a document
 * cannot forge a second line.
 */
export function formatDocumentProblem(problem: DocumentProblem): string {
  const { file, position, subject, path, message } = problem;
  const where = position === null ? file : `${file}:${position.line}:${position.column}`;
  const words = [where, subject, path].filter((word) => word !== "");
  return printable(`${words.join(" ")}: ${message}`);
}

/** Returns `text` on one line of a terminal: what would end the line or turn it around is escaped. */
export function printable(text: string): string {
  return text.replace(unsafe, escaped);
}

// C0 and C1 controls, line separators, and the marks that turn the direction of text
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
