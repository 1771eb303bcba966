import { expect, test } from "vitest";
import { parseArn } from "../arn.ts";
import type { BaseOperator, PrincipalEntry, Statement } from "../policy/document.ts";
import type { UserPrincipal } from "../principal.ts";
import type { PolicyLayers, RequestContext } from "../request-context.ts";
import { evaluateReference, type ReferencePolicy } from "./reference.ts";

/**
 * What the loader refuses, forced past it: the second line of defence (LOAD-4). Everything that the
 * loader accepts is in the corpus.
 */
const position = { line: 1, column: 1, offset: 0 };
const located = (text: string) => ({ text, position });

const allow: Statement = {
  sid: "",
  effect: "Allow",
  principal: null,
  action: { negated: false, entries: [located("s3:GetObject")] },
  resource: { negated: false, entries: [located("*")] },
  conditions: [],
  position,
};

const bob: UserPrincipal = {
  type: "user",
  account: "111111111111",
  arn: "arn:aws:iam::111111111111:user/bob",
  name: "bob",
  id: null,
  tags: new Map(),
};

function arnOf(text: string) {
  const parsed = parseArn(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

const context: RequestContext = {
  principal: bob,
  action: "s3:GetObject",
  resource: { arn: arnOf("arn:aws:s3:::bkt/a"), account: "111111111111", class: "ordinary" },
  principalOrganization: null,
  resourceOrganization: null,
  keys: new Map([
    ["aws:tagkeys", { multivalued: true, values: ["a"] }],
    ["aws:principalarn", { multivalued: false, values: [bob.arn] }],
    ["mesh:channel", { multivalued: false, values: ["1e3"] }],
  ]),
  faults: null,
  nowMs: 0,
};

const none: PolicyLayers<ReferencePolicy> = {
  identity: [],
  resource: null,
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  resourceControl: null,
};

const policy = (...statements: Statement[]): ReferencePolicy => ({
  id: "p",
  document: { version: "2012-10-17", statements },
});

const named = (text: string, type: PrincipalEntry["type"] = "AWS") => ({
  negated: false,
  entries: [{ type, text, position }],
});

function condition(base: string, value: string, key = "aws:TagKeys"): Statement["conditions"] {
  return [
    {
      operator: base,
      base: base as BaseOperator,
      negated: false,
      ifExists: false,
      quantifier: null,
      key,
      keyLower: key.toLowerCase(),
      values: [located(value)],
      position,
    },
  ];
}

const otherPrefix = bob.arn.replace("arn:", "urn:");

test.each([
  { base: "ArnLike", value: "arn:aws:iam:*:*:user/b?b", key: "aws:PrincipalArn" },
  { base: "StringEquals", value: "1e3", key: "mesh:Channel" },
])("$base of $value holds: the fixture works", ({ base, value, key }) => {
  const statement = { ...allow, conditions: condition(base, value, key) };
  expect(evaluateReference(context, { ...none, identity: [policy(statement)] }).decision).toBe(
    "allowed",
  );
});

test("a plain statement allows: the fixture works", () => {
  expect(evaluateReference(context, { ...none, identity: [policy(allow)] }).decision).toBe(
    "allowed",
  );
});

test("T-DOC-32 an unknown operator makes the request an error, beside a good policy too", () => {
  const spoilt = policy(allow, { ...allow, conditions: condition("StringFoo", "a") });
  const decision = evaluateReference(context, { ...none, identity: [policy(allow), spoilt] });
  expect(decision).toMatchObject({
    decision: "implicitDeny",
    reason: "evaluation-error",
    deniedBy: null,
    errors: ["policy-unusable"],
  });
});

test.each([
  { why: "T-ACT-14 an action without colon", action: "GetObject" },
  { why: "an empty action", action: "" },
])("an Allow never matches: $why", ({ action }) => {
  const statement = { ...allow, action: { negated: false, entries: [located(action)] } };
  expect(evaluateReference(context, { ...none, identity: [policy(statement)] }).decision).toBe(
    "implicitDeny",
  );
});

test.each(["s3", "s3:"])("an entry without a colon takes in no action, not even %j", (action) => {
  const statement = { ...allow, action: { negated: false, entries: [located("s3")] } };
  const layers = { ...none, identity: [policy(statement)] };
  expect(evaluateReference({ ...context, action }, layers).decision).toBe("implicitDeny");
});

test.each([
  { why: "T-RES-07 five fields", resource: "arn:aws:*:bkt/a" },
  { why: "T-RES-14 a short form without a star of its own", resource: "arn:aws:s3" },
  { why: "RES-5 a short form that ends in two stars", resource: "arn:aws:s3:**" },
  { why: "no ARN", resource: "bkt/a" },
  { why: "the field before the partition is not arn", resource: "*:aws:s3:::bkt/a" },
  { why: "T-VAR-13 a variable without brace", resource: "arn:aws:s3:::bkt/${aws:username" },
  { why: "T-VAR-12 a default without space", resource: "arn:aws:s3:::bkt/${aws:x,'a'}" },
])("an Allow never matches: $why", ({ resource }) => {
  const statement = { ...allow, resource: { negated: false, entries: [located(resource)] } };
  expect(evaluateReference(context, { ...none, identity: [policy(statement)] }).decision).toBe(
    "implicitDeny",
  );
});

test("an Allow with NotResource and a malformed variable does not apply", () => {
  const entries = [located("arn:aws:s3:::other/${aws:username")];
  const statement = { ...allow, resource: { negated: true, entries } };
  expect(evaluateReference(context, { ...none, identity: [policy(statement)] }).decision).toBe(
    "implicitDeny",
  );
});

test.each([
  { why: "T-PRI-08 a partial wildcard", principal: named("arn:aws:iam::111111111111:user/*") },
  { why: "T-PRI-29 no principal", principal: null },
  { why: "a group", principal: named("arn:aws:iam::111111111111:group/g") },
  { why: "a bare name", principal: named("bob") },
  { why: "a region in the ARN", principal: named("arn:aws:iam:eu:111111111111:user/bob") },
  { why: "a service named like the user", principal: named(bob.arn, "Service") },
])("a resource policy names nobody: $why", ({ principal }) => {
  const decision = evaluateReference(context, {
    ...none,
    resource: policy({ ...allow, principal }),
  });
  expect(decision.decision).toBe("implicitDeny");
});

test.each([
  ["iam:GetUser", "allowed"],
  ["IAM:GetUser", "allowed"],
  ["organizations:DescribeAccount", "allowed"],
  ["mesh-iam:GetUser", "allowed"],
  ["sts:GetSessionToken", "explicitDeny"],
  ["s3:GetObject", "explicitDeny"],
])("TYPE-1 an RCP for every action, forced past the loader, and %s: %s", (action, want) => {
  const every: Statement = { ...allow, action: { negated: false, entries: [located("*")] } };
  const everyone = { negated: false, entries: [{ type: "any" as const, text: "*", position }] };
  const rcp = policy({ ...every, effect: "Deny", principal: everyone });
  const layers = { ...none, identity: [policy(every)], resourceControl: [[rcp]] };
  expect(evaluateReference({ ...context, action }, layers).decision).toBe(want);
});

test("LOAD-4, PRIN-8 an RCP that names nobody is about nobody", () => {
  const resourceControl = [[policy({ ...allow, effect: "Deny" })]];
  const layers = { ...none, identity: [policy(allow)], resourceControl };
  expect(evaluateReference(context, layers).decision).toBe("allowed");
});

test.each([
  { why: "T-CON-20 a multivalued key without set operator", base: "StringEquals", value: "a" },
  { why: "T-CON-54 ArnLike of a star", base: "ArnLike", value: "*", key: "aws:PrincipalArn" },
  {
    why: "ArnLike of another prefix",
    base: "ArnLike",
    value: otherPrefix,
    key: "aws:PrincipalArn",
  },
  { why: "ArnLike of five fields", base: "ArnLike", value: "arn:*:*:*:*", key: "aws:PrincipalArn" },
  { why: "a number", base: "NumericEquals", value: "1e3", key: "mesh:Channel" },
  { why: "Null of another word", base: "Null", value: "yes" },
])("a condition never holds: $why", ({ base, value, key }) => {
  const statement = { ...allow, conditions: condition(base, value, key) };
  expect(evaluateReference(context, { ...none, identity: [policy(statement)] }).decision).toBe(
    "implicitDeny",
  );
});
