import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExpectedAnswer } from "../../src/iam/scenario-expected.ts";

/** A case as its file holds it: a scenario with title, expectation and clauses (`case.schema.json`). */
export interface Case {
  readonly id: string;
  readonly title: string;
  readonly expected: ExpectedAnswer;
  readonly clauses: readonly string[];
  readonly [field: string]: unknown;
}

/** Returns every case of the corpus, in the order of the files' names. */
export function readCases(): readonly Case[] {
  return globSync("*.json", { cwd: import.meta.dirname })
    .filter((name) => !name.endsWith(".schema.json"))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")) as Case[]);
}
