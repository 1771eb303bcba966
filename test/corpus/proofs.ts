import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readCases } from "./cases.ts";
import { type Clause, clauses } from "./clauses.ts";

/** What proves one clause. */
export interface Proof {
  readonly clause: Clause;
  /** Ids of the corpus' cases. */
  readonly cases: readonly string[];
  /** Test files that name the clause or one of its rows, or that the list names. */
  readonly files: readonly string[];
}

const root = join(import.meta.dirname, "../..");

/** Returns the proof of every clause of the list. Reads the corpus and every test file. */
export function readProofs(): readonly Proof[] {
  const cases = readCases();
  const named = readNames();
  return clauses.map((clause) => ({
    clause,
    cases: cases.filter((each) => each.clauses.includes(clause.id)).map(({ id }) => id),
    files: [
      ...new Set([
        ...[clause.id, ...(clause.rows ?? [])].flatMap((name) => named.get(name) ?? []),
        ...(clause.files ?? []),
      ]),
    ].sort(),
  }));
}

/** Returns the test files by the clauses and rows that their code, not their comments, names. */
function readNames(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const path of globSync("{src,test}/**/*.test.ts", { cwd: root }).sort()) {
    const text = readFileSync(join(root, path), "utf8");
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const [name] of code.matchAll(/\b(?:T-)?[A-Z]{3,4}-\d+\b/g)) {
      found.set(name, (found.get(name) ?? new Set()).add(path));
    }
  }
  return new Map([...found].map(([name, paths]) => [name, [...paths]]));
}
