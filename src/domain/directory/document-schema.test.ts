import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { document, refusals, wide } from "../../../test/fakes/document-texts.ts";
import type { Report } from "./document-problem.ts";
import { documentReference } from "./document-reference.ts";
import { documentSchema } from "./document-schema.ts";
import { readEnvelope } from "./envelope.ts";
import { documentKinds } from "./kinds/registry.ts";
import { defaultYamlLimits } from "./yaml/bounds.ts";
import { parseYaml } from "./yaml/parse.ts";

type Schema = Readonly<Record<string, unknown>>;
const schema = documentSchema() as Schema & { readonly $defs: Readonly<Record<string, Schema>> };

/** Whether `value` fits: the keywords that the schema uses, and no others (an unknown one throws). */
function fits(value: unknown, given: Schema): boolean {
  return Object.entries(given).every(
    ([keyword, rule]) => keywords[keyword]?.(value, rule, given) ?? unknown(keyword),
  );
}
function unknown(keyword: string): never {
  throw new Error(`the schema uses the keyword ${keyword}, which this test does not know`);
}
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isMap,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};
const list = (rule: unknown) => rule as readonly Schema[];
const keywords: Readonly<
  Record<string, (value: unknown, rule: unknown, given: Schema) => boolean>
> = {
  $schema: () => true,
  $defs: () => true,
  title: () => true,
  description: () => true,
  $ref: (value, rule) => fits(value, schema.$defs[String(rule).slice("#/$defs/".length)] ?? {}),
  type: (value, rule) => [rule].flat().some((type) => types[String(type)]?.(value)),
  const: (value, rule) => value === rule,
  enum: (value, rule) => (rule as unknown[]).includes(value),
  anyOf: (value, rule) => list(rule).some((one) => fits(value, one)),
  not: (value, rule) => !fits(value, rule as Schema),
  oneOf: (value, rule) => list(rule).filter((one) => fits(value, one)).length === 1,
  required: (value, rule) =>
    !isMap(value) || (rule as string[]).every((name) => Object.hasOwn(value, name)),
  properties: (value, rule) =>
    !isMap(value) ||
    Object.entries(rule as Record<string, Schema>).every(
      ([name, one]) => !Object.hasOwn(value, name) || fits(value[name], one),
    ),
  additionalProperties: (value, rule, given) => {
    if (!isMap(value)) return true;
    const others = Object.keys(value).filter(
      (name) => !Object.hasOwn((given.properties ?? {}) as object, name),
    );
    return rule === false
      ? others.length === 0
      : others.every((name) => fits(value[name], rule as Schema));
  },
  propertyNames: (value, rule) =>
    !isMap(value) || Object.keys(value).every((name) => fits(name, rule as Schema)),
  maxProperties: (value, rule) => !isMap(value) || Object.keys(value).length <= Number(rule),
  items: (value, rule) =>
    !Array.isArray(value) || value.every((item) => fits(item, rule as Schema)),
  minItems: (value, rule) => !Array.isArray(value) || value.length >= Number(rule),
  maxItems: (value, rule) => !Array.isArray(value) || value.length <= Number(rule),
  uniqueItems: (value) =>
    !Array.isArray(value) ||
    new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  // Editors read patterns with the flag u (JSON Schema core, 6.4).
  pattern: (value, rule) => typeof value !== "string" || new RegExp(String(rule), "u").test(value),
  maxLength: (value, rule) => typeof value !== "string" || value.length <= Number(rule),
  minimum: (value, rule) => typeof value !== "number" || value >= Number(rule),
  maximum: (value, rule) => typeof value !== "number" || value <= Number(rule),
};

function documentsIn(text: string): unknown[] {
  return parseAllDocuments(text).map((one) => one.toJS() as unknown);
}

const folder = new URL("../../../examples/quickstart/", import.meta.url);
const texts = [
  readFileSync(new URL("every-kind.yaml", import.meta.url), "utf8"),
  ...readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => readFileSync(new URL(name, folder), "utf8")),
];

test.each(
  texts.flatMap(documentsIn).map((one) => {
    const { kind, metadata } = one as { kind: string; metadata: { name: string } };
    return { subject: `${kind}/${metadata.name}`, one };
  }),
)("the schema accepts $subject", ({ one }) => {
  expect(fits(one, schema)).toBe(true);
});

test.each([
  ["an unknown kind", document("Rol", "app", "{}")],
  ["an unknown member", document("User", "bob", "grups: [devs]")],
  ["an unknown member at the top", `${document("User", "bob", "{}")}specs: {}\n`],
  ["an account id without quotes", document("User", "bob", "{}", ", account: 111122223333")],
  [
    "an account of an organization-wide kind",
    document("Account", "a", 'accountId: "111122223333"'),
  ],
  ["a missing member", wide("Account", "a", "{}")],
  [
    "a number out of range",
    document(
      "OidcProvider",
      "p",
      "url: https://a.example\ntokenKind: generic\naudiences: [a]\nclockSkewSeconds: 301",
    ),
  ],
  ["a word that is none", document("User", "bob", "state: activ")],
  ["a bad host", document("Service", "a", "hosts: [A.example]")],
  [
    "a route for HTTP and gRPC",
    document("Service", "a", "routes: [{ http: GET /a, grpc: a.B/C, action: A, resource: a }]"),
  ],
  [
    "a policy element that is none",
    document("ManagedPolicy", "p", "policyDocument: { Statement: { Effect: Allow, Acton: a } }"),
  ],
  ["a list given twice", document("User", "bob", "groups: [devs, devs]")],
])("schema and reader refuse %s alike", (_why, text) => {
  expect(refusals(text)).not.toEqual([]);
  expect(documentsIn(text).every((one) => fits(one, schema))).toBe(false);
});

// --- reader and schema cannot drift: what the tables accept, the schema accepts ---

const documents = texts.flatMap(documentsIn);
const odd: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  3600,
  "",
  "x",
  "active",
  "/",
  "*",
  [],
  {},
  [""],
  ["x", "x"],
  { a: 1 },
  { claim: "x" },
];

/** Returns `value` with one thing in it changed, found by the steps. */
function mutate(value: unknown, steps: readonly number[], change: number): unknown {
  const [step = 0, ...rest] = steps;
  const replaced = odd[change % odd.length];
  if (Array.isArray(value)) {
    if (value.length === 0 || rest.length === 0)
      return change % 2 === 0 ? replaced : [...value, replaced];
    const at = step % value.length;
    return value.map((item, i) => (i === at ? mutate(item, rest, change) : item));
  }
  if (!isMap(value)) return replaced;
  const names = Object.keys(value);
  const name = names[step % Math.max(names.length, 1)] ?? "none";
  if (rest.length > 0 && names.length > 0)
    return { ...value, [name]: mutate(value[name], rest, change) };
  if (change % 3 === 0)
    return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
  return change % 3 === 1 ? { ...value, extra: replaced } : { ...value, [name]: replaced };
}

test("whatever is changed in a document, the reader answers, and accepts nothing that the schema refuses", () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 8 }),
      fc.nat({ max: 1000 }),
      (original, steps, change) => {
        const changed = mutate(original, steps, change);
        const [parsed] = parseYaml(JSON.stringify(changed), defaultYamlLimits);
        if (!parsed?.root) return;
        const report: Report = { problems: [], findings: [] };
        const envelope = readEnvelope(parsed.root, "a.json", documentKinds, report);
        if (envelope !== null) envelope.kind.spec.read(envelope.spec, envelope.specPlace, report);
        for (const { position, severity } of report.problems) {
          expect(severity).toBe("ERROR");
          expect(position?.line).toBe(1);
        }
        if (report.problems.length > 0) refused++;
        else {
          accepted++;
          expect({ changed, fits: fits(changed, schema) }).toEqual({ changed, fits: true });
        }
      },
    ),
    { numRuns: 1_000 },
  );
  expect(accepted).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
});

test("the schema is JSON, and every reference in it leads somewhere", () => {
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  const references = [...JSON.stringify(schema).matchAll(/"#\/\$defs\/(\w+)"/g)].map(
    (match) => match[1],
  );
  expect(references.length).toBeGreaterThan(20);
  expect(references.filter((name) => schema.$defs[name ?? ""] === undefined)).toEqual([]);
});

test("the reference has every kind with each of its members", () => {
  const page = documentReference();
  for (const kind of documentKinds) {
    const from = page.indexOf(`## ${kind.kind}\n`);
    const section = page.slice(from, page.indexOf("\n## ", from + 1) + 1 || undefined);
    expect(section).toContain(kind.summary);
    for (const name of Object.keys(kind.spec.members)) expect(section).toContain(`| \`${name}\` |`);
  }
  expect(page).toContain("| `rules[].when.claim` |");
  expect(page).toContain("| `contextKeys.*.header` |");
  expect(page).toContain("| `jwks.uri` |");
});

test("no row of the reference breaks its table", () => {
  const rows = documentReference()
    .split("\n")
    .filter((line) => line.startsWith("|"));
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((line) => line.replaceAll("\\|", "").split("|").length !== 6)).toEqual([]);
});
