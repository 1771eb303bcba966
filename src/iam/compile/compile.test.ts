import { describe, expect, test } from "vitest";
import { allowAll, layersOf, policy, statement } from "../../../test/fakes/question.ts";
import { unknownDependence } from "../condition/clock.ts";
import type { BaseOperator, PolicyDocument } from "../policy/document.ts";
import { parsePolicyDocument } from "../policy/parse.ts";
import { compilePolicy, unusablePolicy } from "./compile.ts";
import { createPolicySet } from "./policy-set.ts";
import { readSet } from "./reads.ts";
import { createCompileTables } from "./tables.ts";

function documentOf(elements: Record<string, unknown>, version = "2012-10-17"): PolicyDocument {
  const text = JSON.stringify({ Version: version, Statement: statement(elements) });
  const parsed = parsePolicyDocument(text, "identity");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe("the read-set of a statement (IMP-2)", () => {
  test.each<readonly [string, Record<string, unknown>, readonly string[]]>([
    ["nothing", {}, []],
    ["a condition", { Condition: { StringEquals: { "aws:UserAgent": "x" } } }, ["aws:useragent"]],
    [
      "a condition's variables",
      { Condition: { StringLike: { "aws:userid": ["${aws:username}-*", "${a:b, 'c'}"] } } },
      ["a:b", "aws:userid", "aws:username"],
    ],
    ["a resource's variables", { Resource: "arn:aws:s3::${a:B}:${C:d}" }, ["a:b", "c:d"]],
    ["Null reads its key", { Condition: { Null: { "aws:TagKeys": true } } }, ["aws:tagkeys"]],
    [
      "each key once",
      { Resource: "arn:aws:s3:::${a:b}", Condition: { StringEquals: { "a:b": "${A:B}" } } },
      ["a:b"],
    ],
  ])("%s", (_why, elements, want) => {
    expect(policy("p", statement(elements)).statements[0]?.reads).toEqual(want);
  });

  test("2008: a variable is text and reads nothing", () => {
    const document = documentOf({ Resource: "arn:aws:s3:::${a:b}" }, "2008-10-17");
    expect(compilePolicy("p", document).statements[0]?.reads).toEqual([]);
  });
});

describe("the clock of a statement (KEY-5)", () => {
  test.each<readonly [string, Record<string, unknown>, readonly unknown[]]>([
    ["no condition", {}, []],
    ["another condition", { Condition: { Bool: { "aws:SecureTransport": true } } }, []],
    [
      "a date",
      { Condition: { DateLessThan: { "aws:CurrentTime": "2027" } } },
      [{ type: "instants" }],
    ],
    [
      "a variable of the clock in a resource",
      { Resource: "arn:aws:s3:::${aws:CurrentTime}" },
      [unknownDependence],
    ],
    [
      "a variable of the clock in a condition",
      { Condition: { StringEquals: { "a:b": "${aws:EpochTime}" } } },
      [unknownDependence],
    ],
  ])("%s", (_why, elements, want) => {
    expect(policy("p", statement(elements)).statements[0]?.clock).toMatchObject(want);
  });
});

test("T-DOC-32 an operator the engine does not know spoils the whole policy", () => {
  const document = documentOf({ Condition: { StringEquals: { "a:b": "x" } } });
  for (const base of ["StringFoo", "__proto__", "constructor"]) {
    const forced: PolicyDocument = {
      ...document,
      statements: document.statements.map((each) => ({
        ...each,
        conditions: each.conditions.map((entry) => ({ ...entry, base: base as BaseOperator })),
      })),
    };
    const compiled = compilePolicy("p", forced);
    expect(compiled).toEqual(unusablePolicy("p"));
    expect(createPolicySet([policy("q", allowAll), compiled]).usable).toBe(false);
  }
});

test("LOAD-4 a malformed variable in a condition equals nothing", () => {
  const document = documentOf({ Condition: { StringEquals: { "a:b": "x" } } });
  const position = { line: 1, column: 1, offset: 0 };
  const forced: PolicyDocument = {
    ...document,
    statements: document.statements.map((each) => ({
      ...each,
      conditions: each.conditions.map((entry) => ({
        ...entry,
        values: [{ text: "${", position }],
      })),
    })),
  };
  expect(compilePolicy("p", forced).statements[0]?.conditions[0]?.values).toEqual([]);
});

test("policies that share tables share what is equal in them", () => {
  const tables = createCompileTables();
  const document = documentOf({
    Resource: "arn:aws:s3:::bkt/*",
    Condition: { StringLike: { "a:b": "x*" } },
  });
  const [a, b] = ["a", "b"].map((id) => compilePolicy(id, document, { tables }).statements[0]);
  expect(b?.policyId).toBe("b");
  expect(b?.resources?.patterns[0]).toBe(a?.resources?.patterns[0]);
  expect(b?.actions.patterns[0]).toBe(a?.actions.patterns[0]);
  expect(b?.conditions[0]).toBe(a?.conditions[0]);
  expect(compilePolicy("c", document).statements[0]?.conditions[0]).not.toBe(a?.conditions[0]);
});

describe("the read-set of an action", () => {
  const keyed = (key: string, action = "s3:Get*") =>
    statement({ Action: action, Condition: { StringEquals: { [key]: "x" } } });
  const layers = layersOf({
    identity: [keyed("a:Identity"), keyed("a:Other", "sqs:*")],
    resource: { ...keyed("a:Resource"), Principal: "*" },
    permissionsBoundary: keyed("a:Boundary"),
    session: keyed("a:Session"),
    serviceControl: [keyed("a:Scp0"), keyed("a:Scp1")],
    resourceControl: [{ ...keyed("a:Rcp"), Effect: "Deny", Principal: "*" }],
  });

  test("is the union over all layers, sorted, of what its candidates can read", () => {
    expect(readSet(layers, "s3:GetObject")).toEqual([
      "a:boundary",
      "a:identity",
      "a:rcp",
      "a:resource",
      "a:scp0",
      "a:scp1",
      "a:session",
    ]);
    expect(readSet(layers, "sqs:SendMessage")).toEqual(["a:other"]);
    expect(readSet(layers, "sns:Publish")).toEqual([]);
  });

  test("is found once, frozen, and remembered for a bounded number of actions", () => {
    const first = readSet(layers, "s3:GetObject");
    expect(Object.isFrozen(first)).toBe(true);
    expect(readSet(layers, "s3:GetObject")).toBe(first);
    for (let i = 0; i < 1100; i++) readSet(layers, `s3:Get${i}`);
    expect(readSet(layers, "s3:GetObject")).toEqual(first);
  });

  test("absent layers read nothing", () => {
    expect(readSet(layersOf({}), "s3:GetObject")).toEqual([]);
  });
});
