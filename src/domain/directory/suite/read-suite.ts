import { parseJson } from "../../../iam/policy/json.ts";
import type { Position, Problem } from "../../../iam/problem.ts";
import { readPolicies } from "../../../iam/scenario-policies.ts";
import { readOrganization } from "../../../iam/scenario-question.ts";
import {
  type Fields,
  fieldsOf,
  itemsOf,
  type Place,
  refuse,
  refuseValue,
  textOf,
} from "../../../iam/scenario-reader.ts";
import type { DocumentProblem } from "../document-problem.ts";
import { defaultYamlLimits, type YamlLimits } from "../yaml/bounds.ts";
import { writeJson } from "../yaml/json.ts";
import { parseYaml } from "../yaml/parse.ts";
import { isName, nameWords, readNamed } from "./named.ts";
import { NamedReader } from "./named-reader.ts";
import { readTest, type SuiteNames } from "./read-test.ts";
import type { LoadedSuite, SuitePolicies, TestCase, TestSuite } from "./suite.ts";
import { readSuiteOptions } from "./suite-options.ts";

/** The fields of a test file. */
export const suiteFields = [
  "name",
  "description",
  "documents",
  "policies",
  "organization",
  "options",
  "principals",
  "resources",
  "tests",
] as const;

export interface SuiteReading {
  /** The time of tests whose file and self give none. */
  readonly nowMs: number;
  readonly limits?: YamlLimits;
  /** Questions of one file, those of lists multiplied. Default 10,000. */
  readonly maxCases?: number;
}

/**
 * Returns the tests that `text` writes down, YAML or JSON, or every problem that refuses the file, each
 * at its line and column: unknown fields and names with the nearest known one, whatever `parseScenario`
 * refuses of principals, resources, contexts and policies. Nothing is ever ignored. Whether principals
 * and resources are in the documents is asked when the tests run.
 *
 * `file` stands in every problem. Never throws. Linear in the text and in the questions.
 */
export function readSuite(file: string, text: string, reading: SuiteReading): LoadedSuite {
  const limits = reading.limits ?? defaultYamlLimits;
  const refused = (position: Position | null, code: string, message: string): DocumentProblem => ({
    ...{ file, subject: "", path: "", severity: "ERROR" },
    position,
    code,
    message,
  });
  const [document, second] = parseYaml(text, limits);
  if (document === undefined) {
    return {
      ok: false,
      problems: [refused(null, "MISSING_FIELD", "expected a mapping with tests")],
    };
  }
  const syntax = [...document.problems, ...(second?.problems ?? [])].map(({ position, message }) =>
    refused(position, "SYNTAX_ERROR", message),
  );
  if (syntax.length > 0 || document.root === null) return { ok: false, problems: syntax };
  if (second !== undefined) {
    const message = "expected one document in a test file";
    return { ok: false, problems: [refused(second.position, "INVALID_VALUE", message)] };
  }
  const written = writeJson(document.root);
  if (written.unwritable.length > 0) {
    const problems = written.unwritable.map(({ position }) =>
      refused(position, "INVALID_VALUE", "expected a number as JSON writes it: quote it"),
    );
    return { ok: false, problems };
  }
  const json = parseJson(written.text, {
    // aliases are written out by now
    maxBytes: limits.maxFileBytes,
    maxDepth: limits.maxNesting + 1,
    characters: "any",
  });
  const placed = ({ position, ...problem }: Problem): DocumentProblem => ({
    ...problem,
    file,
    subject: "",
    position: position && written.positionAt(position.offset),
  });
  if (!json.ok) return { ok: false, problems: json.problems.map(placed) };

  const problems: Problem[] = [];
  const place: Place = { value: json.value, path: "", problems };
  const fields = fieldsOf(place, suiteFields);
  const suite = fields && readFields(fields, file, written.text, reading);
  if (suite === null || problems.length > 0) {
    return { ok: false, problems: distinct(problems).map(placed) };
  }
  const at = (position: Position): Position => written.positionAt(position.offset);
  const { documents } = suite;
  return {
    ok: true,
    value: {
      ...suite,
      documents: documents && { ...documents, position: at(documents.position) },
      cases: suite.cases.map((each) => ({ ...each, position: at(each.position) })),
    },
  };
}

function readFields(
  fields: Fields,
  file: string,
  text: string,
  { nowMs, maxCases = 10_000 }: SuiteReading,
): TestSuite | null {
  const namePlace = fields.get("name");
  const descriptionPlace = fields.get("description");
  if (descriptionPlace !== null) textOf(descriptionPlace);
  const documents = readDocuments(fields);
  const organizationPlace = fields.get("organization");
  if (documents !== null && organizationPlace !== null) {
    refuse(organizationPlace, "CONFLICT", "the documents say it: leave out `organization`");
  }
  const testsPlace = fields.require("tests");
  const names: SuiteNames = {
    principals: readNamed(fields, "principals"),
    resources: readNamed(fields, "resources"),
    named: new NamedReader(readOrganization(organizationPlace), documents !== null),
    nowMs: readSuiteOptions(fields.get("options")) ?? nowMs,
    cases: { left: maxCases },
  };
  const cases = testsPlace === null ? [] : readTests(testsPlace, names);
  for (const principal of names.principals.values()) names.named.principal(principal);
  for (const resource of names.resources.values()) names.named.resource(resource, false);
  const policies = documents === null ? readOwnPolicies(fields, text, cases) : null;
  const name = namePlace === null ? file : textOf(namePlace);
  if (namePlace !== null && name !== null && !isName(name)) refuseValue(namePlace, nameWords);
  return name === null ? null : { file, name, documents, policies, cases };
}

function readDocuments(fields: Fields): TestSuite["documents"] {
  const place = fields.get("documents");
  if (place === null) return null;
  const policiesPlace = fields.get("policies");
  if (policiesPlace !== null) {
    refuse(policiesPlace, "CONFLICT", "expected one of `documents` and `policies`, got both");
  }
  const folder = textOf(place);
  if (folder === "") refuseValue(place, "a folder of documents, relative to this file");
  return { folder: folder ?? "", position: place.value.position };
}

/**
 * Reads the policies in the file. The resource's is a trust policy where the tests assume roles; one
 * document is not both.
 */
function readOwnPolicies(
  fields: Fields,
  text: string,
  cases: readonly TestCase[],
): SuitePolicies | null {
  const place = fields.get("policies");
  if (place === null) {
    const message = "expected the field `documents` or `policies`, got none";
    return refuse(fields.place, "MISSING_FIELD", message);
  }
  const assuming = cases.filter(({ target }) => target.resource.class === "role-trust");
  const type = assuming.length > 0 ? "trust" : "resource";
  const policies = readPolicies(place, type, { text, findings: [] });
  if (policies.resource !== null && assuming.length > 0 && assuming.length < cases.length) {
    const message =
      "`policies.resource` is a trust policy: tests of other resources need a file of their own";
    refuse(place, "CONFLICT", message);
  }
  return policies;
}

function readTests(place: Place, names: SuiteNames): readonly TestCase[] {
  const items = itemsOf(place) ?? [];
  if (items.length === 0) refuseValue(place, "at least one test");
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const cases = readTest(item, names);
    const [first] = cases;
    if (first === undefined) return [];
    if (seen.has(first.test)) {
      refuse(item, "DUPLICATE_VALUE", "expected each name of a test once");
    }
    seen.add(first.test);
    return cases;
  });
}

/** Of a list of questions that share a mistake it is told once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ position, code, path }) => {
    const key = `${position?.offset} ${code} ${path}`;
    return seen.size < seen.add(key).size;
  });
}
