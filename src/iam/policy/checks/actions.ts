import { foldAscii } from "../../ascii.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../../glob.ts";
import { nearestWord } from "../../nearest-word.ts";
import { quote } from "../../problem.ts";
import type { Located } from "../document.ts";
import { note, type Subject } from "./check.ts";
import { findRedundant } from "./redundancy.ts";

/** Actions of STS, which roles' trust policies are about (iam-semantics 7). */
const stsActions: readonly string[] = [
  "AssumeRole",
  "AssumeRoleWithSAML",
  "AssumeRoleWithWebIdentity",
  "AssumeRoot",
  "GetCallerIdentity",
  "GetFederationToken",
  "GetSessionToken",
  "SetSourceIdentity",
  "TagSession",
];

/** LOAD-5: actions the catalogue knows or ought to know; and those that another entry takes in. */
export function checkActions(subject: Subject): void {
  for (const { action } of subject.document.statements) {
    for (const entry of action.entries) checkAction(subject, entry);
    for (const [entry, by] of findRedundant(action.entries, foldAscii)) {
      const message = `${quote(by.text)} takes it in`;
      note(subject, "SUGGESTION", "REDUNDANT_ACTION", entry.position, message);
    }
  }
}

function checkAction(subject: Subject, entry: Located): void {
  const colon = entry.text.indexOf(":");
  const prefix = foldAscii(entry.text.slice(0, Math.max(0, colon)));
  if (colon < 0 || /[*?]/.test(prefix)) return;
  const known = actionsOf(subject, prefix);
  if (known === null) {
    const message = `no known service has the prefix ${quote(prefix)}; its actions are not checked`;
    note(subject, "WARNING", "INVALID_SERVICE_IN_ACTION", entry.position, message);
    return;
  }
  const name = entry.text.slice(colon + 1);
  const glob = createGlob(parseGlob(foldAscii(name)));
  if (known.some((action) => matchGlob(glob, foldAscii(action), createWork()))) return;
  note(subject, "ERROR", "INVALID_ACTION", entry.position, () => {
    const near = nearestWord(name, known);
    const hint = near === null ? "" : `; did you mean ${quote(`${prefix}:${near}`)}`;
    return `expected an action of ${quote(prefix)}, got ${quote(entry.text)}${hint}`;
  });
}

function actionsOf({ options }: Subject, prefix: string): readonly string[] | null {
  if (prefix === "sts") return stsActions;
  return options.services?.get(prefix)?.actions ?? null;
}
