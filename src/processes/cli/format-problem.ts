import type { Problem } from "../../iam/problem.ts";

/** Returns `file:line:column path: message (CODE)`. */
export function formatProblem(problem: Problem, file: string): string {
  const { position, path, message, code } = problem;
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  return `${place}${path === "" ? "" : ` ${path}`}: ${message} (${code})`;
}
