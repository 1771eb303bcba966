import { expect, test } from "vitest";
import { evaluateReference } from "./evaluation/reference.ts";
import { formatAnswer, parseScenario, type Scenario } from "./scenario.ts";

const a = "111111111111";
const bob = { type: "user", arn: `arn:aws:iam::${a}:user/bob` };
const question = {
  id: "row-1",
  principal: bob,
  action: "orders:GetOrder",
  resource: { arn: `arn:aws:orders:eu-west-1:${a}:order/42` },
  policies: {},
};

function load(fields: object): Scenario {
  const loaded = parseScenario(JSON.stringify({ ...question, ...fields }));
  if (!loaded.ok) expect.fail(JSON.stringify(loaded.problems));
  return loaded.value;
}

function problemsOf(scenario: object | string) {
  const loaded = parseScenario(typeof scenario === "string" ? scenario : JSON.stringify(scenario));
  return loaded.ok
    ? []
    : loaded.problems.map(({ code, path, message }) => ({ code, path, message }));
}

const allowAll = {
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "*", Resource: "*" },
};

test("the example of the design reads", () => {
  const scenario = load({
    principal: {
      type: "assumed-role",
      arn: `arn:aws:sts::${a}:assumed-role/app/s1`,
      tags: { team: "blue" },
    },
    organization: { id: "o-1", managementAccount: "999999999999" },
    now: "2026-11-24T00:00:00Z",
    context: { "aws:SourceIp": "10.0.0.7", "aws:TagKeys": ["a", "b"] },
    policies: {
      identity: [{ id: "p1", document: allowAll }],
      resource: null,
      permissionsBoundary: null,
      session: [],
      serviceControl: [[{ id: "s0", document: allowAll }], []],
      resourceControl: [[]],
    },
  });
  expect(scenario.context).toMatchObject({
    principal: {
      account: a,
      roleArn: `arn:aws:iam::${a}:role/app`,
      roleName: "app",
      sessionName: "s1",
      serviceLinked: false,
    },
    resource: { account: a, class: "ordinary" },
    principalOrganization: { id: "o-1", serviceControlEnabled: true },
    resourceOrganization: { id: "o-1" },
    nowMs: Date.UTC(2026, 10, 24),
  });
  expect(scenario.layers).toMatchObject({
    identity: [{ id: "p1", document: { version: "2012-10-17" } }],
    resource: null,
    permissionsBoundary: null,
    session: null,
    serviceControl: [[{ id: "s0" }], []],
    resourceControl: [[]],
  });
  const { keys } = scenario.context;
  expect(keys.get("aws:sourceip")).toEqual({ multivalued: false, values: ["10.0.0.7"] });
  expect(keys.get("aws:tagkeys")).toEqual({ multivalued: true, values: ["a", "b"] });
  expect(keys.get("aws:principaltag/team")).toEqual({ multivalued: false, values: ["blue"] });
  expect(keys.get("aws:principalorgid")?.values).toEqual(["o-1"]);
  expect(keys.get("aws:currenttime")?.values).toEqual(["2026-11-24T00:00:00Z"]);
});

test("`derive: false` leaves the keys in `context` only", () => {
  const { keys } = load({ derive: false, context: { "aws:username": "x" } }).context;
  expect([...keys.keys()]).toEqual(["aws:username"]);
});

test("a key in `context` replaces a derived one, null removes it, in any case", () => {
  const { keys } = load({ context: { "AWS:USERNAME": "al", "aws:PrincipalArn": null } }).context;
  expect(keys.get("aws:username")?.values).toEqual(["al"]);
  expect(keys.has("aws:principalarn")).toBe(false);
});

test("without `now` and without a clock there are no time keys", () => {
  expect(load({}).context.keys.has("aws:currenttime")).toBe(false);
  const loaded = parseScenario(JSON.stringify(question), { nowMs: 5 });
  expect(loaded.ok && loaded.value.context.keys.get("aws:epochtime")?.values).toEqual(["0.005"]);
});

test.each([
  { key: "aws:TagKeys", given: "a", want: { multivalued: true, values: ["a"] } },
  { key: "aws:username", given: ["a"], want: { multivalued: false, values: ["a"] } },
  { key: "mesh:JwtClaim/groups", given: ["a"], want: { multivalued: true, values: ["a"] } },
  { key: "mesh:JwtClaim/groups", given: "a", want: { multivalued: false, values: ["a"] } },
  { key: "orders:Channel", given: [], want: { multivalued: true, values: [] } },
  { key: "aws:MultiFactorAuthAge", given: 10.5, want: { multivalued: false, values: ["10.5"] } },
  { key: "aws:SecureTransport", given: true, want: { multivalued: false, values: ["true"] } },
])("$key given as $given", ({ key, given, want }) => {
  expect(load({ context: { [key]: given } }).context.keys.get(key.toLowerCase())).toEqual(want);
});

test("a number keeps its source text", () => {
  const text = JSON.stringify({ ...question, context: { "aws:username": 0 } });
  const loaded = parseScenario(text.replace('"aws:username":0', '"aws:username":1.0e1'));
  expect(loaded.ok && loaded.value.context.keys.get("aws:username")?.values).toEqual(["1.0e1"]);
});

test.each([
  { why: "a role under AssumeRole", action: "sts:AssumeRole", want: "role-trust" },
  { why: "a role under assumerolewithsaml", action: "STS:assumerolewithsaml", want: "role-trust" },
  { why: "a role under another action", action: "iam:GetRole", want: "ordinary" },
  { why: "a role under TagSession", action: "sts:TagSession", want: "ordinary" },
])("the class of $why is $want", ({ action, want }) => {
  const resource = { arn: `arn:aws:iam::${a}:role/app` };
  expect(load({ action, resource }).context.resource.class).toBe(want);
});

test("a trust policy is read as one: without Resource", () => {
  const document = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: { AWS: a }, Action: "sts:AssumeRole" },
  };
  const scenario = load({
    action: "sts:AssumeRole",
    resource: { arn: `arn:aws:iam::${a}:role/app` },
    policies: { resource: { id: "t", document } },
  });
  expect(scenario.layers.resource?.document?.statements[0]?.resource).toBeNull();
});

test("the organization at the top stands for both sides; one at a side replaces it there", () => {
  const organization = { id: "o-1" };
  const both = load({ organization });
  expect(both.context.principalOrganization?.id).toBe("o-1");
  const own = load({
    organization,
    principal: { ...bob, organization: { id: "o-2", path: "o-2/r-1/" } },
    resource: { ...question.resource, organization: null },
  });
  expect(own.context.principalOrganization).toMatchObject({ id: "o-2", path: "o-2/r-1/" });
  expect(own.context.resourceOrganization).toBeNull();
});

test("an anonymous caller is in no organization", () => {
  const scenario = load({ organization: { id: "o-1" }, principal: { type: "anonymous" } });
  expect(scenario.context.principalOrganization).toBeNull();
});

test("the pseudo-resource belongs to the caller's account", () => {
  expect(load({ resource: { arn: "*" } }).context.resource).toEqual({
    arn: null,
    account: a,
    class: "ordinary",
  });
});

test.each([
  { why: "the maker has the session's name", fields: {}, want: "user/bob" },
  { why: "the maker has another name", fields: { name: "team/al" }, want: "user/team/al" },
])("a federated user: $why", ({ fields, want }) => {
  const arn = `arn:aws:sts::${a}:federated-user/bob`;
  const { principal } = load({ principal: { type: "federated-user", arn, ...fields } }).context;
  expect(principal).toMatchObject({ name: "bob", userArn: `arn:aws:iam::${a}:${want}` });
});

test("a document may be given as its text, or as null for one that cannot be read", () => {
  const { layers } = load({
    policies: {
      identity: [
        { id: "text", document: JSON.stringify(allowAll) },
        { id: "lost", document: null },
      ],
    },
  });
  expect(layers.identity).toMatchObject([
    { id: "text", document: { version: "2012-10-17" } },
    { id: "lost", document: null },
  ]);
});

test.each([
  {
    why: "an unknown field names the nearest known one",
    scenario: { ...question, polices: {} },
    want: { code: "UNKNOWN_FIELD", path: "polices", message: "expected `policies`, got `polices`" },
  },
  {
    why: "an unknown policy type",
    scenario: { ...question, policies: { permissionBoundary: null } },
    want: { code: "UNKNOWN_FIELD", path: "policies.permissionBoundary" },
  },
  {
    why: "a field of another principal type",
    scenario: { ...question, principal: { ...bob, provider: "x" } },
    want: { code: "UNKNOWN_FIELD", path: "principal.provider" },
  },
  {
    why: "an unknown field of `expected` would never be compared",
    scenario: { ...question, expected: { decison: "allowed" } },
    want: { code: "UNKNOWN_FIELD", path: "expected.decison" },
  },
  {
    why: "a missing field",
    scenario: { ...question, action: undefined },
    want: { code: "MISSING_FIELD", path: "", message: "expected the field `action`, got none" },
  },
  {
    why: "an unknown principal type",
    scenario: { ...question, principal: { type: "robot" } },
    want: { code: "INVALID_VALUE", path: "principal.type" },
  },
  {
    why: "a principal without type",
    scenario: { ...question, principal: {} },
    want: { code: "MISSING_FIELD", path: "principal" },
  },
  {
    why: "a user with a role's ARN",
    scenario: { ...question, principal: { ...bob, arn: `arn:aws:iam::${a}:role/bob` } },
    want: { code: "INVALID_VALUE", path: "principal.arn" },
  },
  {
    why: "an account of eleven digits",
    scenario: { ...question, resource: { ...question.resource, account: "11111111111" } },
    want: { code: "INVALID_VALUE", path: "resource.account" },
  },
  {
    why: "an ARN without account and no account given",
    scenario: { ...question, resource: { arn: "arn:aws:s3:::b/k" } },
    want: { code: "INVALID_VALUE", path: "resource" },
  },
  {
    why: "another owner of the pseudo-resource",
    scenario: { ...question, resource: { arn: "*", account: "222222222222" } },
    want: { code: "INVALID_VALUE", path: "resource.account" },
  },
  {
    why: "an action without colon",
    scenario: { ...question, action: "GetOrder" },
    want: { code: "INVALID_VALUE", path: "action" },
  },
  {
    why: "a time that is none",
    scenario: { ...question, now: "2026-02-30" },
    want: { code: "INVALID_VALUE", path: "now" },
  },
  {
    why: "two values for a single-valued key",
    scenario: { ...question, context: { "aws:username": ["a", "b"] } },
    want: { code: "INVALID_VALUE", path: "context.aws:username" },
  },
  {
    why: "an object as a value",
    scenario: { ...question, context: { "aws:username": {} } },
    want: { code: "INVALID_VALUE", path: "context.aws:username" },
  },
  {
    why: "one key in two cases",
    scenario: { ...question, context: { "aws:username": "a", "AWS:username": "b" } },
    want: { code: "DUPLICATE_KEY", path: "context.AWS:username" },
  },
  {
    why: "no level at all",
    scenario: { ...question, policies: { serviceControl: [] } },
    want: { code: "INVALID_VALUE", path: "policies.serviceControl" },
  },
  {
    why: "a level that is no list",
    scenario: { ...question, policies: { serviceControl: [{}] } },
    want: { code: "INVALID_VALUE", path: "policies.serviceControl[0]" },
  },
  {
    why: "a policy without id",
    scenario: { ...question, policies: { identity: [{ document: allowAll }] } },
    want: { code: "MISSING_FIELD", path: "policies.identity[0]" },
  },
  {
    why: "an invalid document",
    scenario: { ...question, policies: { identity: [{ id: "p", document: {} }] } },
    want: { code: "MISSING_STATEMENT", path: "policies.identity[0].document" },
  },
  {
    why: "an unknown word in faults",
    scenario: { ...question, faults: { "aws:username": "oops" } },
    want: { code: "INVALID_VALUE", path: "faults.aws:username" },
  },
  {
    why: "a list instead of a scenario",
    scenario: [],
    want: { code: "INVALID_VALUE", path: "", message: "expected an object, got a list" },
  },
  {
    why: "two scenarios in one text",
    scenario: `${JSON.stringify(question)}\n${JSON.stringify(question)}`,
    want: { code: "JSON_SYNTAX_ERROR" },
  },
  {
    why: "a key twice",
    scenario: '{"id": "a", "id": "b"}',
    want: { code: "DUPLICATE_KEY" },
  },
])("refused: $why", ({ scenario, want }) => {
  expect(problemsOf(scenario)).toEqual(
    expect.arrayContaining([expect.objectContaining(want as object)]),
  );
});

test("a problem inside a document stands at its place in the scenario", () => {
  const text = `{
  "id": "row-1",
  "principal": { "type": "anonymous" },
  "action": "orders:GetOrder",
  "resource": { "arn": "arn:aws:orders::111111111111:order/42" },
  "policies": { "identity": [ { "id": "p", "document": { "Version": "2012-10-17",
    "Statement": { "Effect": "allow", "Action": "*", "Resource": "*" } } } ] }
}`;
  const loaded = parseScenario(text);
  expect(loaded).toMatchObject({
    ok: false,
    id: "row-1",
    problems: [
      {
        code: "INVALID_EFFECT",
        path: "policies.identity[0].document.Statement.Effect",
        position: { line: 7 },
      },
    ],
  });
  const [problem] = loaded.ok ? [] : loaded.problems;
  const offset = problem?.position?.offset ?? 0;
  expect(text.slice(offset)).toMatch(/^"(Effect|allow)"/);
  const line = text.split("\n")[6] ?? "";
  expect(problem?.position?.column).toBe(line.indexOf(text.slice(offset, offset + 8)) + 1);
});

test("findings of the documents come with the scenario, at their place", () => {
  const document = { Statement: allowAll.Statement };
  const loaded = parseScenario(
    JSON.stringify({ ...question, policies: { identity: [{ id: "p", document }] } }),
  );
  expect(loaded.ok && loaded.findings).toMatchObject([
    { code: "MISSING_VERSION", path: "policies.identity[0].document" },
  ]);
});

test("a text above the limit is refused by its size", () => {
  const loaded = parseScenario(JSON.stringify(question), { maxBytes: 100 });
  expect(loaded).toMatchObject({ ok: false, id: null, problems: [{ code: "TEXT_SIZE_LIMIT" }] });
});

test("the answer has the fields of the format, in its order", () => {
  const { id, context, layers } = load({});
  const answer = formatAnswer(id, evaluateReference(context, layers), ["aws:username"]);
  expect(JSON.stringify(answer)).toBe(
    '{"id":"row-1","decision":"implicitDeny","deniedBy":"identity","deniedLevel":null,' +
      '"matchedStatements":[],"missingContextKeys":["aws:username"],"errors":[]}',
  );
});
