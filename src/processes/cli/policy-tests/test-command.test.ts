import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../../test/fakes/command-line.ts";
import { printable } from "../../../domain/directory/document-problem.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-test-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quickstart = "examples/quickstart";

let count = 0;
/** A folder of its own with these files. */
function place(files: Readonly<Record<string, string>>): string {
  const at = join(folder, `case-${++count}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(at, name, ".."), { recursive: true });
    writeFileSync(join(at, name), text);
  }
  return at;
}

const inline = (tests: string): string => `
name: people
principals:
  ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana", tags: { team: blue } }
resources:
  order: { arn: "arn:aws:orders::111122223333:order/42" }
policies:
  identity:
    - id: own
      document:
        Version: "2012-10-17"
        Statement:
          - { Sid: Read, Effect: Allow, Action: "orders:Get*", Resource: "*",
              Condition: { StringEquals: { "aws:PrincipalTag/team": blue } } }
          - { Effect: Deny, Action: "orders:Delete*", Resource: "*" }
tests:
${tests}`;
const reads = (expected = "allowed"): string =>
  `  - { name: ana reads, principal: ana, action: "orders:GetOrder", resource: order, expected: ${expected} }\n`;

describe("the quickstart's tests", () => {
  test("pass, all of them, and reach what they are about", async () => {
    const { code, out, err } = await runCommand([
      "test",
      quickstart,
      "--coverage",
      "--output",
      "json",
    ]);
    const { summary, files, coverage } = JSON.parse(out);
    expect(err).toBe("");
    expect(summary).toMatchObject({ failed: 0, skipped: 1, refusedFiles: 0, filteredOut: 0 });
    expect(summary.passed).toBeGreaterThanOrEqual(30);
    expect(new Set(files[0].tests.map(({ line }: { line: number }) => line)).size).toBeGreaterThan(
      12,
    );
    expect(coverage).toEqual([
      {
        subject: quickstart,
        statements: 14,
        unreached: [
          {
            policyId: "arn:aws:iam::444455556666:role/auditor/assumeRolePolicyDocument",
            sid: "",
            index: 0,
            effect: "Allow",
            source: expect.stringMatching(/^roles\.yaml:\d+$/),
          },
        ],
      },
    ]);
    expect(code).toBe(0);
  });

  test("fail when a policy changes, and say what decided", async () => {
    const at = join(folder, "changed");
    cpSync(quickstart, at, { recursive: true });
    const policies = readFileSync(join(at, "policies.yaml"), "utf8");
    writeFileSync(join(at, "policies.yaml"), policies.replace("orders:Get*", "orders:*"));
    const { code, out } = await runCommand(["test", at]);
    expect(out).toContain("✗ the boundary holds bob back, not his policy [orders:CreateOrder]");
    expect(out).toContain("expected implicitDeny, got allowed");
    expect(out).toContain("expected deniedBy permissionsBoundary, got deniedBy null");
    expect(out).toContain(
      "bob asks for orders:CreateOrder on arn:aws:orders::111122223333:order/42",
    );
    expect(out).toContain("decided by Allow ReadOnly of");
    expect(out).toMatch(/31 tests: 28 passed, 2 failed, 1 skipped\n$/);
    expect(code).toBe(1);
    const verbose = await runCommand(["test", at, "--verbose", "--test-filter", "BOUNDARY"]);
    expect(verbose.out).toContain("✓ permissions boundary: allowed");
    expect(verbose.out).toMatch(/2 tests: 0 passed, 2 failed, 29 filtered out\n$/);
  });

  test("a name that the documents do not have refuses the file, with its line and the nearest name", async () => {
    const at = join(folder, "misspelt");
    cpSync(quickstart, at, { recursive: true });
    const file = join(at, "orders_test.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      text
        .replace("user/bob", "user/bobb")
        .replace("action: orders:ListOrders", "action: orders:ListOrder"),
    );
    const { code, out } = await runCommand(["test", at]);
    expect(out).toMatch(
      /orders_test\.yaml:\d+:5 .*the documents have no user `arn:aws:iam::111122223333:user\/bobb`, did you mean `bob`\?/,
    );
    expect(out).toMatch(/no route for `orders:ListOrder`, did you mean `orders:ListOrders`\?/);
    expect(code).toBe(3);
  });

  test("documents that are not accepted refuse the file in their own words", async () => {
    const at = join(folder, "broken");
    cpSync(quickstart, at, { recursive: true });
    const people = readFileSync(join(at, "people.yaml"), "utf8");
    writeFileSync(
      join(at, "people.yaml"),
      people.replace("groups: [operators]", "groups: [operatorz]"),
    );
    const { code, out } = await runCommand(["test", at]);
    expect(out).toContain(join(at, "people.yaml"));
    expect(out).toContain("did you mean `operators`?");
    expect(code).toBe(3);
  });
});

test("tests that are skipped, be it all of them, fail nothing, as the help says", async () => {
  const skipped = reads().replace(" }\n", ", skip: true, skipReason: later }\n");
  const { code, out } = await runCommand(["test", place({ "a_test.yaml": inline(skipped) })]);
  expect(out).toContain("1 test: 0 passed, 1 skipped");
  expect(code).toBe(0);
  const { out: help } = await runCommand(["test", "--help"]);
  expect(help.replace(/\s+/g, " ")).toContain("Exit code 0 if none fails (skipped ones do not)");
});

test("--partition is that of the documents", async () => {
  const user =
    'apiVersion: mesh-iam.io/v1\nkind: User\nmetadata: { name: ana, account: "111122223333" }\nspec: {}\n';
  const service = `apiVersion: mesh-iam.io/v1
kind: Service
metadata: { name: orders, account: "111122223333" }
spec:
  hosts: [o.example.com]
  routes: [{ http: "GET /o", action: Get, resource: o, accessLevel: Read }]
`;
  const test = `documents: .
principals: { ana: { type: user, arn: "arn:aws-cn:iam::111122223333:user/ana" } }
resources: { o: { arn: "arn:aws-cn:orders::111122223333:o" } }
tests: [{ name: no, principal: ana, action: "orders:Get", resource: o, expected: implicitDeny }]
`;
  const at = place({ "a.yaml": `${user}---\n${service}`, "a_test.yaml": test });
  const { code, out } = await runCommand(["test", at]);
  expect(out).toContain("user/ana");
  expect(code).toBe(3);
  expect((await runCommand(["test", at, "--partition", "aws-cn"])).code).toBe(0);
});

test("nothing in a test file steers the terminal", async () => {
  const turned = "\\u202e";
  const skipped = reads().replace(" }\n", `, skip: true, skipReason: "x${turned}" }\n`);
  const named = skipped.replace("ana reads", `"y${turned}"`);
  const failing = reads("explicitDeny").replace("ana reads", `"z${turned}"`);
  const text = inline(named + failing)
    .replace("name: people", `name: "s${turned}"`)
    .replace("id: own", `id: "own\\u009b1A"`);
  const at = place({ "a_test.yaml": text });
  for (const more of [[], ["--verbose"], ["--output", "list"], ["--output", "json"]]) {
    const { code, out } = await runCommand(["test", at, ...more]);
    expect(out.split("\n").filter((line) => line !== printable(line))).toEqual([]);
    for (const name of ["x", "y", "z", "s"]) expect(out).toContain(`${name}\\u202e`);
    expect(code).toBe(1);
  }
});

describe("reports", () => {
  const at = place({
    "a_test.yaml": inline(
      reads() +
        reads("{ decision: explicitDeny, deniedBy: resource }").replace(
          "ana reads",
          "ana & <co> fail",
        ) +
        `${reads().replace("ana reads", "later").replace(" }\n", ", skip: true, skipReason: 'a \"reason\"' }\n")}`,
    ),
    "b_test.yaml": "tests: [",
  });

  test("a tree", async () => {
    const { code, out } = await runCommand(["test", at, "--coverage"]);
    expect(out).toBe(`people (${at}/a_test.yaml)
├─ ✓ ana reads
├─ ✗ ana & <co> fail
│  ├─ expected explicitDeny, got allowed
│  ├─ expected deniedBy resource, got deniedBy null
│  ├─ ana asks for orders:GetOrder on arn:aws:orders::111122223333:order/42
│  └─ decided by Allow Read of own (identity)
└─ ○ later: skipped, a "reason"
✗ ${at}/b_test.yaml: not accepted
└─ ${at}/b_test.yaml:1:9: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]

${at}/a_test.yaml: 1 of 2 statements reached
└─ no test reaches Deny statement 1 of own
3 tests: 1 passed, 1 failed, 1 skipped, 1 of the files not accepted
`);
    expect(code).toBe(3);
  });

  test("a list", async () => {
    const { out } = await runCommand(["test", at, "--output", "list"]);
    const lines = out.split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "PASS  people › ana reads",
      "FAIL  people › ana & <co> fail: expected explicitDeny, got allowed; expected deniedBy resource, got deniedBy null",
      'SKIP  people › later: a "reason"',
      `ERROR ${at}/b_test.yaml`,
    ]);
  });

  test("JSON", async () => {
    const { out } = await runCommand(["test", at, "--output", "json"]);
    const { summary, files, coverage } = JSON.parse(out);
    expect(summary).toEqual({
      ...{ tests: 3, passed: 1, failed: 1, skipped: 1, refusedFiles: 1, filteredOut: 0 },
    });
    expect(coverage).toBeUndefined();
    expect(files[0].tests[1]).toEqual({
      name: "ana & <co> fail",
      line: 18,
      principal: { name: "ana", type: "user", arn: "arn:aws:iam::111122223333:user/ana" },
      action: "orders:GetOrder",
      resource: { name: "order", arn: "arn:aws:orders::111122223333:order/42" },
      status: "failed",
      expected: { decision: "explicitDeny", deniedBy: "resource" },
      answer: {
        decision: "allowed",
        deniedBy: null,
        deniedLevel: null,
        reason: "identity-policy",
        matchedStatements: [
          { policyType: "identity", policyId: "own", sid: "Read", index: 0, effect: "Allow" },
        ],
        missingContextKeys: [],
        errors: [],
      },
      differences: [
        "expected explicitDeny, got allowed",
        "expected deniedBy resource, got deniedBy null",
      ],
    });
    expect(files[0].tests[2]).toMatchObject({ status: "skipped", skipReason: 'a "reason"' });
    expect(files[1].problems[0]).toMatchObject({ code: "SYNTAX_ERROR", position: { line: 1 } });
  });

  test("JUnit: counts, escapes, failures, skips and errors; no times", async () => {
    const { out, err } = await runCommand(["test", at, "--output", "junit", "--coverage"]);
    expect(out).toContain(
      '<testsuites name="mesh-iam test" tests="4" failures="1" errors="1" skipped="1">',
    );
    expect(out).toContain(
      `<testsuite name="people" tests="3" failures="1" errors="0" skipped="1" file="${at}/a_test.yaml">`,
    );
    expect(out).toContain('<testcase name="ana &amp; &lt;co&gt; fail" classname="people"');
    expect(out).toContain(
      '<failure message="expected explicitDeny, got allowed; expected deniedBy resource, got deniedBy null" type="decision">',
    );
    expect(out).toContain('<skipped message="a &quot;reason&quot;"/>');
    expect(out).toContain('<testcase name="the file is accepted"');
    expect(out).toMatch(/<error message="not valid YAML: [^"]*">/);
    expect(out).not.toContain("time=");
    // every tag is closed, in order
    const open: string[] = [];
    for (const [, close, name = "", empty] of out.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (close === "/") expect(open.pop()).toBe(name);
      else if (empty !== "/") open.push(name);
    }
    expect(open).toEqual([]);
    expect(err).toContain("no test reaches Deny statement 1 of own");
  });

  test("no report has a character that its format has not", async () => {
    const odd = place({
      "a\u0001\n\u202e_test.yaml": inline(reads()).replace("name: people\n", ""),
    });
    const junit = await runCommand(["test", odd, "--output", "junit"]);
    expect(junit.out).toContain("a\ufffd&#10;\u202e_test.yaml");
    for (const output of ["tree", "list"]) {
      const { out } = await runCommand(["test", odd, "--output", output]);
      expect(out).toContain("a\\u0001\\u000a\\u202e_test.yaml");
    }
  });
});

describe("which files", () => {
  test("folders are searched for *_test.yaml, hidden ones and node_modules passed over", async () => {
    const at = place({
      "one_test.yaml": inline(reads()),
      "in/two_test.yaml": inline(reads()),
      "in/three.yaml": "nothing: here\n",
      ".git/four_test.yaml": "- no\n",
      "node_modules/x/five_test.yaml": "- no\n",
    });
    symlinkSync(at, join(at, "in/again"));
    const { out, code } = await runCommand(["test", at, "--output", "json"]);
    expect(JSON.parse(out).files.map(({ file }: { file: string }) => file)).toEqual([
      join(at, "in/two_test.yaml"),
      join(at, "one_test.yaml"),
    ]);
    expect(code).toBe(0);
    const twice = await runCommand(["test", at, join(at, "one_test.yaml"), "--output", "json"]);
    expect(JSON.parse(twice.out).summary.tests).toBe(2);
  });

  test.each([
    ["no file at all", () => place({ "x.yaml": "" }), [], 1, "no *_test.yaml file in"],
    ["a path that is not there", () => "/nowhere", [], 3, "no such file"],
    [
      "a filter that fits nothing",
      () => place({ "a_test.yaml": inline(reads()) }),
      ["--test-filter", "zzz"],
      1,
      "no test has `zzz`",
    ],
    [
      "an unknown output",
      () => place({ "a_test.yaml": inline(reads()) }),
      ["--output", "xml"],
      1,
      "tree, list, json, junit",
    ],
    [
      "documents that are not there",
      () =>
        place({
          "a_test.yaml": inline(reads())
            .replace(/policies:[\s\S]*tests:/, "documents: nowhere\ntests:")
            .replace(", tags: { team: blue }", ""),
        }),
      [],
      3,
      "nowhere",
    ],
  ])("%s", async (_why, at, more, code, says) => {
    const ran = await runCommand(["test", at(), ...more]);
    expect(ran.err + ran.out).toContain(says);
    expect(ran.code).toBe(code);
  });

  test("several files ask one folder of documents, and are counted together", async () => {
    const at = place({
      "policies/a.yaml": `apiVersion: mesh-iam.io/v1
kind: User
metadata: { name: ana, account: "111122223333" }
spec:
  policies:
    - policyName: own
      policyDocument:
        Version: "2012-10-17"
        Statement:
          - { Sid: Get, Effect: Allow, Action: "orders:Get*", Resource: "*" }
          - { Sid: List, Effect: Allow, Action: "orders:List*", Resource: "*" }
---
apiVersion: mesh-iam.io/v1
kind: Service
metadata: { name: orders, account: "111122223333" }
spec:
  routes:
    - { http: "GET /orders", action: ListOrders, resource: orders, accessLevel: List }
    - { http: "GET /orders/{id}", action: GetOrder, resource: "order/{id}", accessLevel: Read }
`,
      "tests/get_test.yaml": asked("orders:GetOrder"),
      "tests/list_test.yaml": asked("orders:ListOrders"),
    });
    const run = async (...paths: string[]) =>
      JSON.parse((await runCommand(["test", ...paths, "--coverage", "--output", "json"])).out);
    expect((await run(at)).coverage).toEqual([
      { subject: join(at, "policies"), statements: 2, unreached: [] },
    ]);
    const [one] = (await run(join(at, "tests/get_test.yaml"))).coverage;
    expect(one.unreached).toMatchObject([{ sid: "List" }]);
  });
});

function asked(action: string): string {
  return `documents: ../policies
principals: { ana: { type: user, arn: "arn:aws:iam::111122223333:user/ana" } }
resources: { order: { arn: "arn:aws:orders::111122223333:order/42" } }
tests:
  - { name: may, principal: ana, action: "${action}", resource: order, expected: allowed }
`;
}

describe("questions", () => {
  const roles = `apiVersion: mesh-iam.io/v1
kind: Role
metadata: { name: app, account: "111122223333", path: /shop/ }
spec:
  tags: { Stage: prod, team: red }
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement:
      - Effect: Allow
        Action: "sts:AssumeRole"
        Principal: { AWS: "111122223333" }
        Condition: { StringEquals: { "iam:ResourceTag/stage": prod } }
  policies:
    - policyName: own
      policyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: "*"
            Resource: "*"
            Condition:
              StringEquals: { "aws:PrincipalTag/team": blue, "aws:PrincipalTag/stage": prod }
              ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/shop/app" }
              DateGreaterThan: { "aws:CurrentTime": "2026-06-01T00:00:00Z" }
`;
  const about = (tests: string) =>
    place({
      "roles.yaml": roles,
      "a_test.yaml": `documents: .
options: { now: "2026-06-02T00:00:00Z" }
principals:
  plain: { type: assumed-role, arn: "arn:aws:sts::111122223333:assumed-role/app/s1" }
  tagged: { type: assumed-role, arn: "arn:aws:sts::111122223333:assumed-role/app/s1", tags: { Team: blue } }
  root: { type: root, arn: "arn:aws:iam::111122223333:root" }
resources: { app: { arn: "arn:aws:iam::111122223333:role/shop/app" } }
tests:
${tests}`,
    });

  test("session tags stand over the role's, roles have their paths, trust policies are asked", async () => {
    const { code, out } = await runCommand([
      "test",
      about(`  - { name: tagged, principal: tagged, action: "iam:GetRole", resource: app, expected: allowed }
  - { name: plain, principal: plain, action: "iam:GetRole", resource: app, expected: implicitDeny }
  - { name: trust, principal: tagged, action: "sts:AssumeRole", resource: app, expected: allowed }
  - name: silent trust
    principal: plain
    action: "sts:AssumeRole"
    resource: app
    expected: { decision: implicitDeny, deniedBy: identity }
  - { name: root, principal: root, action: "sts:AssumeRole", resource: app, expected: { deniedBy: resource } }
  - name: earlier
    principal: tagged
    action: "iam:GetRole"
    resource: app
    options: { now: "2026-05-31T00:00:00Z" }
    expected: implicitDeny
  - name: without the tag
    principal: tagged
    action: "iam:GetRole"
    resource: app
    context: { aws:PrincipalTag/team: null }
    expected: implicitDeny
`),
    ]);
    expect(out).toContain("7 tests: 7 passed");
    expect(code).toBe(0);
  });

  test("an answer that could not be decided fits no expectation", async () => {
    const broken = inline(reads("implicitDeny")).replace(
      "policies:\n",
      "policies:\n  permissionsBoundary: { id: lost, document: null }\n",
    );
    const { code, out } = await runCommand(["test", place({ "a_test.yaml": broken })]);
    expect(out).toContain("expected an answer, got the errors policy-unusable");
    expect(code).toBe(1);
  });
});
