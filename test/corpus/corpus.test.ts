import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import { validatePolicy } from "../../src/iam/policy/validate.ts";
import { parseScenario, type Scenario, scenarioFields } from "../../src/iam/scenario.ts";
import { expectedFields } from "../../src/iam/scenario-expected.ts";
import { policyFields } from "../../src/iam/scenario-policies.ts";
import { principalFields } from "../../src/iam/scenario-principal.ts";
import { type Case, readCases } from "./cases.ts";
import { evaluators } from "./evaluators.ts";
import { rowsElsewhere, tables } from "./rows.ts";

/**
 * The corpus: every case through every path that can answer it. The numbers below only grow, so that
 * an emptied file cannot pass.
 */
const recorded = { cases: 800, refused: 160, clauses: 180 };

const cases = readCases();
const accepted = cases.filter(({ expected }) => expected.problems === undefined);
const refused = cases.filter(({ expected }) => expected.problems !== undefined);

function load(given: Case): Scenario {
  const loaded = parseScenario(JSON.stringify(given));
  if (!loaded.ok) expect.fail(loaded.problems.map((p) => `${p.path}: ${p.message}`).join("\n"));
  return loaded.value;
}

test("the corpus is as large as it was", () => {
  expect(cases.length).toBeGreaterThanOrEqual(recorded.cases);
  expect(refused.length).toBeGreaterThanOrEqual(recorded.refused);
  const clauses = new Set(cases.flatMap((given) => given.clauses));
  expect(clauses.size).toBeGreaterThanOrEqual(recorded.clauses);
});

test("ids are unique", () => {
  const ids = cases.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test("every row of the specification's tables has a case, or a place elsewhere", () => {
  const rows = Object.entries(tables).flatMap(([table, count]) =>
    Array.from({ length: count }, (_, index) => `${table}-${String(index + 1).padStart(2, "0")}`),
  );
  const covered = new Set(cases.map(({ id }) => id.split(".")[0] ?? ""));
  const held = rows.filter((row) => covered.has(row) || rowsElsewhere.has(row));
  expect(rows.filter((row) => !held.includes(row))).toEqual([]);
  expect(
    [...rowsElsewhere.keys()].filter((row) => covered.has(row) || !rows.includes(row)),
  ).toEqual([]);
});

test("every case says who denies, or that nobody does", () => {
  const vague = accepted.filter(
    ({ expected: { decision, deniedBy, deniedLevel } }) =>
      decision === undefined || deniedBy === undefined || deniedLevel === undefined,
  );
  expect(vague.map(({ id }) => id)).toEqual([]);
});

for (const evaluator of evaluators) {
  test.each(accepted)(`${evaluator.name}: $id $title`, (given) => {
    const { findings: _, problems: __, ...expected } = given.expected;
    expect(evaluator.evaluate(load(given))).toMatchObject({ errors: [], ...expected });
  });
}

test.each(refused)("refused: $id $title", (given) => {
  const loaded = parseScenario(JSON.stringify(given));
  const codes = loaded.ok ? [] : loaded.problems.map(({ code }) => code);
  expect(codes).toEqual(expect.arrayContaining([...(given.expected.problems ?? [])]));
  expect(loaded.ok).toBe(false);
});

const withFindings = accepted.flatMap((given) =>
  (given.expected.findings ?? []).map((code) => ({ id: given.id, code, given })),
);

test.each(withFindings)("finding: $id $code", ({ code, given }) => {
  const isTrust = load(given).context.resource.class === "role-trust";
  const codes = documentsOf(given, isTrust).flatMap(([text, type]) =>
    validatePolicy(text, type).map((finding) => finding.code),
  );
  expect(codes).toContain(code);
});

/** The texts of a case's policies, each with what it is read as. */
function documentsOf(given: Case, isTrust: boolean): [string, DocumentType][] {
  const policies = (given.policies ?? {}) as Record<string, unknown>;
  return Object.entries(policies).flatMap(([layer, value]) => {
    const type = layer === "resource" && isTrust ? "trust" : (layer as DocumentType);
    return [value].flat(2).flatMap((policy): [string, DocumentType][] => {
      const document = (policy as { document?: unknown } | null)?.document ?? null;
      if (document === null) return [];
      return [[typeof document === "string" ? document : JSON.stringify(document), type]];
    });
  });
}

test("T-DOC-36 statements and elements in reverse order give the same answer", () => {
  for (const given of accepted) {
    const scenario = load(given);
    const reversed = load(reverse(given) as Case);
    for (const { evaluate } of evaluators) {
      const { matchedStatements: _, ...answer } = evaluate(scenario);
      expect(evaluate(reversed), given.id).toMatchObject(answer);
    }
  }
});

test("the schema for editors knows the fields that the reader knows", () => {
  const path = `${import.meta.dirname}/case.schema.json`;
  const { $defs } = JSON.parse(readFileSync(path, "utf8"));
  const known = (definition: { properties: object }) => Object.keys(definition.properties).sort();
  expect(known($defs.scenario)).toEqual([...scenarioFields].sort());
  expect(known($defs.principal)).toEqual([...principalFields].sort());
  expect(known($defs.expected)).toEqual([...expectedFields].sort());
  expect(known($defs.scenario.properties.policies)).toEqual([...policyFields].sort());
});

/** Turns objects and the lists inside policy documents around; levels and values keep their order. */
function reverse(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => reverse(item));
    return key === "Statement" ? items.reverse() : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, reverse(inner, name)]);
  return Object.fromEntries(entries.reverse());
}
