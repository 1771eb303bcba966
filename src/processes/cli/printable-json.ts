import { printable } from "../../domain/directory/document-problem.ts";

/** Returns `value` as indented JSON that leaves a terminal alone: what would steer it is escaped. */
export function printableJson(value: unknown): string {
  // INVARIANT: JSON has line ends only between its tokens, and `\u009b` in a string is JSON
  return JSON.stringify(value, null, 2).split("\n").map(printable).join("\n");
}
