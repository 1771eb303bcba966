import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCases } from "./cases.ts";
import { clauses, laterClauses } from "./clauses.ts";
import { readProofs } from "./proofs.ts";

const proofs = readProofs();

test("no clause is without a case of the corpus or a test that is named after it", () => {
  const bare = proofs.filter(({ cases, files }) => cases.length === 0 && files.length === 0);
  expect(bare.map(({ clause }) => clause.id)).toEqual([]);
  expect(proofs.length).toBeGreaterThanOrEqual(150);
});

test("most clauses have cases of the corpus, which every evaluator runs", () => {
  const withCases = proofs.filter(({ cases }) => cases.length > 0);
  expect(withCases.length).toBeGreaterThanOrEqual(115);
});

test("rows and files that the list names exist", () => {
  const named = clauses.flatMap(({ files }) => files ?? []);
  const root = join(import.meta.dirname, "../..");
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const rowsOf = clauses.filter(({ rows }) => rows !== undefined).map(({ id }) => id);
  const unproven = proofs.filter(
    ({ clause, files }) => rowsOf.includes(clause.id) && files.length === 0,
  );
  expect(unproven).toEqual([]);
});

test("what cases say they stand for is a clause, a choice of the register or a trap", () => {
  const known = new Set([...clauses.map(({ id }) => id), ...laterClauses.keys()]);
  const named = new Set(readCases().flatMap((each) => each.clauses));
  const others = [...named].filter((name) => !known.has(name) && !/^(US|POL)-\d+$/.test(name));
  expect(others).toEqual([]);
});

test("a clause is listed once", () => {
  const ids = [...clauses.map(({ id }) => id), ...laterClauses.keys()];
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});
