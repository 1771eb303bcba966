import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { document, refusals, wide } from "../../../test/fakes/document-texts.ts";
import { fits, mutate, type Schema } from "../../../test/fakes/json-schema.ts";
import type { Report } from "./document-problem.ts";
import { documentReference } from "./document-reference.ts";
import { documentSchema } from "./document-schema.ts";
import { readEnvelope } from "./envelope.ts";
import { documentKinds } from "./kinds/registry.ts";
import { defaultYamlLimits } from "./yaml/bounds.ts";
import { parseYaml } from "./yaml/parse.ts";

const schema = documentSchema() as Schema & { readonly $defs: Readonly<Record<string, Schema>> };

function documentsIn(text: string): unknown[] {
  return parseAllDocuments(text).map((one) => one.toJS() as unknown);
}

const folder = new URL("../../../examples/quickstart/", import.meta.url);
const texts = [
  readFileSync(new URL("every-kind.yaml", import.meta.url), "utf8"),
  ...readdirSync(folder)
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("_test.yaml"))
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
    // The counts below are those of one seed: how often a change is accepted is a matter of chance.
    { numRuns: 1_000, seed: 20_261_124 },
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
