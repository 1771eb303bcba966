import { laterClauses } from "../../test/corpus/clauses.ts";
import { readProofs } from "../../test/corpus/proofs.ts";
import { code, page, table } from "./markdown.ts";

/** Cases shown of one clause; the corpus has the others under the same clause. */
const shown = 6;

/** Returns the page that says of every clause of the language what proves it. */
export function clausesPage(): string {
  const proofs = readProofs();
  return page(
    "Clauses and their cases",
    "test/corpus/",
    `What the policy language says, clause by clause, and where it is held: cases of the corpus, which every evaluator runs, or, where the language alone decides nothing, test files with rows named after the clause. A clause without either fails the tests.`,
    table(
      ["Clause", "About", "Cases", "Tests"],
      proofs.map(({ clause, cases: ids, files }) => [
        clause.id,
        clause.about,
        ids.length > shown
          ? `${ids.slice(0, shown).join(", ")} and ${ids.length - shown} more`
          : ids.join(", "),
        ids.length > 0 ? "" : files.map((path) => code(path)).join(", "),
      ]),
    ),
    "## Not in version 1",
    table(["Clause", "Waits for"], [...laterClauses]),
  );
}
