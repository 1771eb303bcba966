import { printable } from "../../domain/directory/document-problem.ts";
import type { Problem } from "../../iam/problem.ts";

/** Returns `file:line:column path: message (CODE)`, on one line of a terminal. */
export function formatProblem(problem: Problem, file: string): string {
  const { position, path, message, code } = problem;
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  return printable(`${place}${path === "" ? "" : ` ${path}`}: ${message} (${code})`);
}
