import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { fits, mutate } from "../../../../test/fakes/json-schema.ts";
import { policyFields } from "../../../iam/scenario-policies.ts";
import { principalFields } from "../../../iam/scenario-principal.ts";
import { resourceFields } from "../../../iam/scenario-question.ts";
import { formatDocumentProblem } from "../document-problem.ts";
import { readSuite, suiteFields } from "./read-suite.ts";
import { expectedTestFields, testFields } from "./read-test.ts";
import { nameOfCase } from "./suite.ts";
import { optionFields } from "./suite-options.ts";
import { suiteSchema } from "./suite-schema.ts";

const nowMs = Date.UTC(2026, 10, 24);
const file = "orders_test.yaml";

const head = `
documents: policies
options: { now: "2026-01-02T03:04:05Z" }
principals:
  ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana" }
  bob: { type: user, arn: "arn:aws:iam::111122223333:user/bob" }
  job: { type: assumed-role, arn: "arn:aws:sts::111122223333:assumed-role/job/s1", tags: { a: b } }
resources:
  orders: { arn: "arn:aws:orders::111122223333:orders" }
  order: { arn: "arn:aws:orders::111122223333:order/42", tags: { team: blue } }
`;
const plain = `  - name: ana lists
    principal: ana
    action: orders:ListOrders
    resource: orders
    expected: allowed
`;
const suite = (tests: string, top = head) => `${top}tests:\n${tests}`;

const inline = `
principals: { ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana" } }
resources: { orders: { arn: "arn:aws:orders::111122223333:orders" } }
policies:
  identity:
    - id: read
      document:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Action: "orders:List*", Resource: "*" }]
`;

function load(text: string) {
  const loaded = readSuite(file, text, { nowMs });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return loaded.value;
}

function refusals(text: string, maxCases?: number): readonly string[] {
  const loaded = readSuite(file, text, { nowMs, ...(maxCases !== undefined && { maxCases }) });
  return loaded.ok ? [] : loaded.problems.map(formatDocumentProblem);
}

describe("a test file", () => {
  test("is read into questions with their places", () => {
    const { name, documents, policies, cases } = load(suite(plain));
    expect(name).toBe(file);
    expect(documents).toMatchObject({ folder: "policies", position: { line: 2, column: 12 } });
    expect(policies).toBeNull();
    expect(cases).toMatchObject([
      {
        test: "ana lists",
        choice: [],
        principalName: "ana",
        action: "orders:ListOrders",
        resourceName: "orders",
        principal: { type: "user", name: "ana" },
        target: { resource: { account: "111122223333", class: "ordinary" } },
        nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
        expected: { decision: "allowed" },
        skipReason: null,
        position: { line: 12 },
      },
    ]);
  });

  test("reads a principal and a resource once, however many questions name them", () => {
    const all = `  - name: all
    principal: [ana, job]
    action: [orders:Get, orders:Put]
    resource: [order, any]
    expected: allowed
`;
    const any = '  any: { arn: "*", tags: { team: red } }\n';
    const { cases } = load(suite(all + plain, head + any));
    const distinct = (of: (each: (typeof cases)[number]) => unknown) => new Set(cases.map(of)).size;
    expect(cases).toHaveLength(9);
    expect(distinct(({ principal }) => principal)).toBe(2);
    expect(distinct(({ target }) => target.tags)).toBe(3);
    const accounts = cases.map(({ target }) => target.resource.account);
    expect(new Set(accounts)).toEqual(new Set(["111122223333"]));
  });

  test("multiplies its lists, in their order, and names the choice", () => {
    const { cases } = load(
      suite(`  - name: people
    principal: [ana, bob]
    action: ["orders:ListOrders", "orders:GetOrder"]
    resource: [orders]
    expected: { decision: implicitDeny, deniedBy: identity, reason: implicit-deny }
`),
    );
    expect(cases.map(nameOfCase)).toEqual([
      "people [ana, orders:ListOrders]",
      "people [ana, orders:GetOrder]",
      "people [bob, orders:ListOrders]",
      "people [bob, orders:GetOrder]",
    ]);
    expect(cases[0]?.expected).toEqual({
      decision: "implicitDeny",
      deniedBy: "identity",
      reason: "implicit-deny",
    });
  });

  test("has a name, times and skips of its own", () => {
    const { name, cases } = load(
      suite(
        `${plain}    skip: true
    skipReason: waits for the boundary
    options: { now: "2026-11-24T00:00:00Z" }
    context: { "aws:SourceIp": 10.0.0.7, "aws:TagKeys": [a], aws:PrincipalArn: null, n: 7 }
`,
        `name: Orders\ndescription: what people may\n${head.trimStart()}`,
      ),
    );
    expect(name).toBe("Orders");
    expect(cases[0]).toMatchObject({ skipReason: "waits for the boundary", nowMs });
    expect(cases[0]?.context).toEqual(
      new Map<string, unknown>([
        ["aws:sourceip", { multivalued: false, values: ["10.0.0.7"] }],
        ["aws:tagkeys", { multivalued: true, values: ["a"] }],
        ["n", { multivalued: false, values: ["7"] }],
        ["aws:principalarn", null],
      ]),
    );
  });

  test("holds its policies itself", () => {
    const { policies, cases } = load(`${inline}tests:\n${plain}`);
    expect(policies?.identity.map(({ id }) => id)).toEqual(["read"]);
    expect(cases[0]?.nowMs).toBe(nowMs);
  });

  test("reads the resource's policy as a trust policy where roles are assumed", () => {
    const trust = `
principals: { ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana" } }
resources: { app: { arn: "arn:aws:iam::111122223333:role/app" } }
policies:
  resource:
    id: trust
    document:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Principal: { AWS: "111122223333" } }]
tests:
  - { name: may, principal: ana, action: "sts:AssumeRole", resource: app, expected: allowed }
`;
    expect(load(trust).cases[0]?.target.resource.class).toBe("role-trust");
    const asService = trust.replace(":role/app", ":user/app");
    expect(refusals(asService)[0]).toContain("Resource");
    const both = trust.replace(
      "tests:\n",
      'tests:\n  - { name: no, principal: ana, action: "iam:GetRole", resource: app, expected: allowed }\n',
    );
    expect(refusals(both)).toEqual([expect.stringContaining("need a file of their own")]);
  });

  test("may be JSON", () => {
    const [document] = parseAllDocuments(suite(plain));
    expect(load(JSON.stringify(document?.toJS())).cases.length).toBe(1);
  });
});

describe("refused, at its place:", () => {
  test.each([
    [
      "an unknown field",
      suite(plain).replace("tests:", "testz: []\ntests:"),
      `${file}:11:8 testz: expected \`tests\`, got \`testz\``,
    ],
    [
      "an unknown field of a test",
      suite(plain.replace("action:", "acton:")),
      `${file}:14:12 tests[0].acton: expected \`action\``,
    ],
    [
      "an unknown principal",
      suite(plain.replace(": ana\n", ": anna\n")),
      `${file}:13:16 tests[0].principal: unknown principal \`anna\`, did you mean \`ana\`?`,
    ],
    [
      "an unknown resource",
      suite(plain.replace(": orders\n", ": odrers\n")),
      "unknown resource `odrers`, did you mean `orders`?",
    ],
    [
      "a name out of a list",
      suite(plain.replace(": ana\n", ": [ana, bobb]\n")),
      `${file}:13:22 tests[0].principal[1]: unknown principal \`bobb\`, did you mean \`bob\`?`,
    ],
    [
      "a name twice in a list",
      suite(plain.replace(": ana\n", ": [ana, ana]\n")),
      "`ana` stands twice",
    ],
    ["an empty list", suite(plain.replace(": ana\n", ": []\n")), "got an empty list"],
    [
      "an action without a service",
      suite(plain.replace("orders:ListOrders", "ListOrders")),
      "`service:Name`",
    ],
    [
      "an unknown expectation",
      suite(plain.replace(": allowed", ": allow")),
      `${file}:16:15 tests[0].expected: expected \`allowed\`, \`explicitDeny\``,
    ],
    [
      "an unknown field of an expectation",
      suite(plain.replace(": allowed", ": { denyedBy: identity }")),
      "expected `deniedBy`, got `denyedBy`",
    ],
    [
      "an unknown reason",
      suite(plain.replace(": allowed", ": { reason: unauthenticated }")),
      "tests[0].expected.reason",
    ],
    [
      "an empty expectation",
      suite(plain.replace(": allowed", ": {}")),
      "what the answer should be",
    ],
    [
      "no expectation",
      suite(plain.replace("    expected: allowed\n", "")),
      "expected the field `expected`",
    ],
    ["a skip without a reason", suite(`${plain}    skip: true\n`), "`skipReason`"],
    [
      "two tests of one name",
      suite(plain + plain),
      `${file}:17:5 tests[1]: expected each name of a test once`,
    ],
    [
      "a name of two lines",
      suite(plain.replace("name: ana lists", 'name: "a\\nb"')),
      "a name on one line",
    ],
    [
      "a key of two values",
      suite(`${plain}    context: { "aws:SourceIp": [a, b] }\n`),
      "one value for this single-valued key",
    ],
    [
      "a key twice in another case",
      suite(`${plain}    context: { "aws:sourceip": a, "aws:SourceIp": a }\n`),
      "each key once",
    ],
    [
      "a bad time",
      suite(plain).replace("2026-01-02T03:04:05Z", "yesterday"),
      "options.now: expected a time",
    ],
    [
      "an unknown principal type",
      suite(plain).replace('type: user, arn: "arn:aws:iam::111122223333:user/ana"', "type: person"),
      "principals.ana.type",
    ],
    [
      "a principal that no test uses",
      suite(plain).replace("user/bob", "users/bob"),
      "principals.bob.arn: expected an ARN like",
    ],
    [
      "a resource that no test uses",
      suite(plain).replace("tags: { team: blue }", "tag: {}"),
      "resources.order.tag: expected `tags`",
    ],
    [
      "what the documents say of a principal",
      suite(plain).replace('user/ana" }', 'user/ana", tags: { a: b } }'),
      "leave out `tags`",
    ],
    [
      "what the documents say of a resource",
      suite(plain).replace(':orders" }', ':orders", class: ordinary }'),
      "leave out `class`",
    ],
    [
      "what the documents say of the organization",
      suite(plain, `organization: { id: o-1 }${head}`),
      "leave out `organization`",
    ],
    [
      "both documents and policies",
      suite(plain, `policies: {}${head}`),
      "expected one of `documents` and `policies`, got both",
    ],
    [
      "neither",
      suite(plain, head.replace("documents: policies\n", "")),
      "expected the field `documents` or `policies`, got none",
    ],
    ["no tests", head, "expected the field `tests`"],
    ["an empty list of tests", `${head}tests: []\n`, "at least one test"],
    ["no principals", suite(plain, head.replace("principals:", "principalz:")), "`principals`"],
    [
      "a policy that the loader refuses",
      `${inline.replace("Effect: Allow", "Effect: allow")}tests:\n${plain}`,
      `${file}:9:23 policies.identity[0].document.Statement[0].Effect`,
    ],
    ["a list for a file", "- a\n", "expected an object, got a list"],
    ["an empty file", "", "expected a mapping with tests"],
    [
      "two documents",
      `${suite(plain)}---\n${suite(plain)}`,
      "expected one document in a test file",
    ],
    ["broken YAML", "a: [", `${file}:1:5`],
    [
      "a doubled key",
      suite(plain).replace("documents: policies", "documents: a\ndocuments: b"),
      "documents",
    ],
    [
      "a number that JSON has not",
      suite(`${plain}    context: { k: 0x1F }\n`),
      "as JSON writes it",
    ],
    ["noise", "\u0000\u0001%", file],
  ])("%s", (_why, text, says) => {
    const lines = refusals(text);
    expect(lines.join("\n")).toContain(says);
    expect(lines.every((line) => line.startsWith(file))).toBe(true);
  });

  test("a mistake that many questions share is told once", () => {
    const text = suite(plain.replace(": ana\n", ": [ana, bob, job]\n")).replace(
      "tags: { team: blue }",
      "x: 1",
    );
    expect(refusals(text.replace("resource: orders", "resource: [orders, order]"))).toEqual([
      expect.stringContaining("resources.order.x"),
    ]);
  });

  test("more questions than a file may ask", () => {
    const all = suite(plain.replace(": ana\n", ": [ana, bob, job]\n"));
    expect(refusals(all, 3)).toEqual([]);
    expect(refusals(all, 2)).toEqual([expect.stringContaining("more questions than one file may")]);
  });

  test("keys that are names elsewhere", () => {
    const text = suite(plain.replace(": ana\n", ": __proto__\n")).replace("  ana:", "  __proto__:");
    expect(load(text).cases[0]?.principalName).toBe("__proto__");
    expect(refusals(suite(plain.replace(": ana\n", ": toString\n")))[0]).toContain(
      "unknown principal",
    );
  });

  test("aliases that multiply", () => {
    const lists = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i},*a${i}]`);
    const text = `a0: &a0 [x]\n${lists.join("\n")}\n`;
    expect(refusals(text).length).toBeGreaterThan(0);
  });
});

describe("the schema for editors", () => {
  const schema = suiteSchema();
  const definitions = schema.$defs as Record<string, { properties: object }>;
  const known = (of: unknown) => Object.keys((of as { properties: object }).properties).sort();

  test("knows the fields that the reader knows", () => {
    expect(known(schema)).toEqual([...suiteFields].sort());
    expect(known(definitions.test)).toEqual([...testFields].sort());
    expect(known(definitions.options)).toEqual([...optionFields].sort());
    expect(known(definitions.principal)).toEqual([...principalFields].sort());
    expect(known(definitions.resource)).toEqual([...resourceFields].sort());
    expect(known(definitions.policies)).toEqual([...policyFields].sort());
    const { anyOf } = definitions.expected as unknown as { anyOf: { properties: object }[] };
    expect(known(anyOf[1])).toEqual([...expectedTestFields].sort());
  });

  const parsed = (text: string) => parseAllDocuments(text)[0]?.toJS() as unknown;
  const examples = [suite(plain), `${inline}tests:\n${plain}`].map(parsed);

  test("accepts what the reader accepts, whatever is changed", () => {
    for (const example of examples) expect(fits(example, schema)).toBe(true);
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }),
        fc.nat({ max: 1000 }),
        (example, steps, change) => {
          const changed = mutate(example, steps, change);
          const loaded = readSuite(file, JSON.stringify(changed), { nowMs });
          if (!loaded.ok) return void expect(loaded.problems.length).toBeGreaterThan(0);
          accepted++;
          expect({ changed, fits: fits(changed, schema) }).toEqual({ changed, fits: true });
        },
      ),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(10);
  });

  test("is JSON, and every reference in it leads somewhere", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    const names = [...JSON.stringify(schema).matchAll(/"#\/\$defs\/(\w+)"/g)].map(
      (m) => m[1] ?? "",
    );
    expect(names.filter((name) => definitions[name] === undefined)).toEqual([]);
  });
});
