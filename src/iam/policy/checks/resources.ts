import { quote } from "../../problem.ts";
import { splitArnPattern } from "../arn-pattern.ts";
import { note, type Subject } from "./check.ts";
import { findRedundant } from "./redundancy.ts";

/** ARN-1: resources of another partition never match; and those that another entry takes in. */
export function checkResources(subject: Subject): void {
  const partition = subject.options.partition ?? "aws";
  for (const { resource } of subject.document.statements) {
    if (resource === null) continue;
    for (const { text, position } of resource.entries) {
      const [, written = "*"] = splitArnPattern(text, true);
      if (written === partition || /[*?]/.test(written)) continue;
      const message = `expected the partition ${quote(partition)}, got ${quote(written)}`;
      note(subject, "ERROR", "INVALID_ARN_PARTITION", position, message);
    }
    for (const [entry, by] of findRedundant(resource.entries)) {
      const message = `${quote(by.text)} takes it in`;
      note(subject, "SUGGESTION", "REDUNDANT_RESOURCE", entry.position, message);
    }
  }
}
