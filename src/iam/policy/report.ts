import type { Position, Problem, Severity } from "../problem.ts";

/** What the loader says about one document: refusals keep it out, findings go with it. */
export interface Report {
  readonly refusals: Problem[];
  readonly findings: Problem[];
}

/** A place in a document: `Statement[1].Action[0]` and where it begins. */
export interface Place {
  readonly path: string;
  readonly position: Position;
}

/** A few mistakes explain a document; thousands only fill a log. */
const maxProblems = 100;

export function createReport(): Report {
  return { refusals: [], findings: [] };
}

/** What a problem says; a function where making it costs more than a few texts. */
export type Message = string | (() => string);

/** Adds a problem that keeps the document out (LOAD-1), as long as the report takes more. */
export function refuse(report: Report, place: Place, code: string, message: Message): void {
  add(report.refusals, "ERROR", place, code, message);
}

/** Adds a finding that travels with the accepted document (LOAD-2). */
export function find(
  report: Report,
  severity: Severity,
  place: Place,
  code: string,
  message: Message,
): void {
  add(report.findings, severity, place, code, message);
}

/** Returns the place of the element `key` inside `place`. */
export function inside(place: Place, key: string | number, position: Position): Place {
  if (typeof key === "number") return { path: `${place.path}[${key}]`, position };
  return { path: place.path === "" ? key : `${place.path}.${key}`, position };
}

function add(
  problems: Problem[],
  severity: Severity,
  place: Place,
  code: string,
  message: Message,
): void {
  if (problems.length >= maxProblems) return;
  const text = typeof message === "string" ? message : message();
  problems.push({ code, severity, path: place.path, message: text, position: place.position });
}
