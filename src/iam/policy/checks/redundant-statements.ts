import { foldAscii } from "../../ascii.ts";
import type { Statement } from "../document.ts";
import { note, type Subject } from "./check.ts";

/** Every pair of texts is compared through a set; larger documents are no people's work. */
const maxStatements = 1000;

/** A statement that says what another says already, whatever their Sids and the order of their lists. */
export function checkRedundantStatements(subject: Subject): void {
  const { statements } = subject.document;
  if (statements.length > maxStatements) return;
  const seen = new Map<string, number>();
  for (const [index, statement] of statements.entries()) {
    const content = contentOf(statement);
    const first = seen.get(content);
    if (first === undefined) {
      seen.set(content, index);
      continue;
    }
    const message = `it says the same as statement ${first}`;
    note(subject, "SUGGESTION", "REDUNDANT_STATEMENT", statement.position, message);
  }
}

function contentOf({ effect, principal, action, resource, conditions }: Statement): string {
  const listed = (entries: readonly { readonly text: string }[]): readonly string[] =>
    [...new Set(entries.map(({ text }) => text))].sort();
  return JSON.stringify([
    effect,
    principal && [
      principal.negated,
      [...new Set(principal.entries.map(({ type, text }) => `${type} ${text}`))].sort(),
    ],
    // actions compare ignoring case (ACT-1)
    [action.negated, listed(action.entries.map(({ text }) => ({ text: foldAscii(text) })))],
    resource && [resource.negated, listed(resource.entries)],
    conditions
      .map(({ operator, keyLower, values }) => JSON.stringify([operator, keyLower, listed(values)]))
      .sort(),
  ]);
}
