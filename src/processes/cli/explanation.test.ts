import { describe, expect, test } from "vitest";
import { runCommand } from "../../../test/fakes/command-line.ts";
import { printable } from "../../domain/directory/document-problem.ts";
import { parseScenario } from "../../iam/scenario.ts";
import { formatExplained } from "./explanation.ts";
import { noPaint } from "./paint.ts";
import { explainScenario } from "./scenario-file.ts";

const fullAccess = {
  id: "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
  document: policy({ Effect: "Allow", Action: "*", Resource: "*" }),
};

function policy(...statements: object[]): object {
  return { Version: "2012-10-17", Statement: statements };
}

function scenario(policies: object, more: object = {}): string {
  return JSON.stringify({
    id: "q",
    principal: {
      type: "user",
      arn: "arn:aws:iam::111122223333:user/bob",
      tags: { team: "red" },
    },
    action: "orders:CreateOrder",
    resource: { arn: "arn:aws:orders::111122223333:orders", account: "111122223333" },
    now: "2026-11-24T00:00:00Z",
    organization: { id: "o-1", managementAccount: "999999999999" },
    policies,
    ...more,
  });
}

/** The tree, without the question above it and AWS's sentence below. */
function tree(policies: object): string[] {
  const loaded = parseScenario(scenario(policies));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const asked = loaded.value;
  const lines = formatExplained(asked, explainScenario(asked), noPaint).split("\n");
  return lines.slice(1).filter((line) => !line.startsWith("User: "));
}

const allowAll = { Effect: "Allow", Action: "orders:*", Resource: "*" };
const admin = {
  id: "admin",
  document: policy({ Sid: "All", ...allowAll }),
};
const reader = {
  id: "reader",
  document: policy(
    { Sid: "Team", Effect: "Allow", Action: "orders:GetReport", Resource: "arn:aws:orders:::x" },
    { Sid: "Read", Effect: "Allow", Action: "orders:Get*", Resource: "*" },
  ),
};

describe("the tree of an explanation", () => {
  test("what allows is one line a layer; the built-in policies are not worth one", () => {
    expect(tree({ identity: [admin], serviceControl: [[fullAccess], [fullAccess]] })).toEqual([
      "allowed (identity-policy)",
      "├─ ✓ service control policies: allowed, at every level",
      "└─ ✓ identity policies: allowed",
      "   └─ ✓ Allow All of admin: applies",
    ]);
  });

  test("a boundary that allows nothing of it shows what it does allow, the closest first", () => {
    expect(tree({ identity: [admin], permissionsBoundary: reader })).toEqual([
      "implicitDeny by the permissions boundary (permissions-boundary)",
      "├─ ✓ identity policies: allowed",
      "│  └─ ✓ Allow All of admin: applies",
      "└─ ✗ permissions boundary: nothing in it allows this",
      "   ├─ · Allow Read of reader: another action",
      "   └─ · Allow Team of reader: another action, another resource",
    ]);
  });

  test("a Deny of one SCP level stands alone; the other levels are one line", () => {
    const guardrail = {
      id: "guardrail",
      document: policy({ Sid: "Freeze", Effect: "Deny", Action: "orders:*", Resource: "*" }),
    };
    expect(
      tree({
        identity: [admin],
        serviceControl: [[fullAccess], [fullAccess, guardrail], [fullAccess]],
      }),
    ).toEqual([
      "explicitDeny by the service control policies (scp)",
      "├─ ✗ service control policies, level 1: an explicit Deny applies",
      "│  └─ ✗ Deny Freeze of guardrail: applies",
      "├─ ✓ service control policies: allowed at the other levels",
      "└─ ✓ identity policies: allowed",
      "   └─ ✓ Allow All of admin: applies",
    ]);
  });

  test("an SCP level without an Allow says which", () => {
    expect(tree({ identity: [admin], serviceControl: [[reader]] })).toEqual([
      "implicitDeny by the service control policies (scp)",
      "├─ ✗ service control policies, level 0 (root): nothing in it allows this",
      "│  ├─ · Allow Read of reader: another action",
      "│  └─ · Allow Team of reader: another action, another resource",
      "└─ ✓ identity policies: allowed",
      "   └─ ✓ Allow All of admin: applies",
    ]);
  });

  test("conditions say what the policy asks and what the request has", () => {
    const tagged = (operator: string, value: string) => ({
      Sid: operator,
      Effect: "Allow",
      Action: "orders:CreateOrder",
      Resource: "*",
      Condition: { [operator]: { "aws:PrincipalTag/team": value, "aws:PrincipalTag/x": "1" } },
    });
    const document = policy(tagged("StringEquals", "blue"), tagged("StringNotEquals", "red"));
    expect(tree({ identity: [{ id: "abac", document }] })).toEqual([
      "implicitDeny by the identity policies (implicit-deny)",
      "└─ ✗ identity policies: nothing in it allows this",
      "   ├─ · Allow StringNotEquals of abac: aws:PrincipalTag/team does not fit",
      "   │  ├─ ✗ StringNotEquals aws:PrincipalTag/team: the policy says red, the request has red",
      "   │  └─ ✓ StringNotEquals aws:PrincipalTag/x: the policy says 1, the request has no such key, which is why it holds",
      "   └─ · Allow StringEquals of abac: aws:PrincipalTag/team does not fit, aws:PrincipalTag/x does not fit",
      "      ├─ ✗ StringEquals aws:PrincipalTag/team: the policy says blue, the request has red",
      "      └─ ✗ StringEquals aws:PrincipalTag/x: the policy says 1, the request has no such key",
      "absent context keys that statements look at: aws:principaltag/x",
    ]);
  });

  test("a layer that is silent and one that does not count are told apart", () => {
    const shared = {
      id: "shared",
      document: policy({
        ...{ Sid: "Partner", Effect: "Allow", Action: "orders:*", Resource: "*" },
        Principal: { AWS: "444455556666" },
      }),
    };
    expect(tree({ identity: [admin], resource: shared })).toEqual([
      "allowed (identity-policy)",
      "├─ · resource policy: silent, and not needed here",
      "│  └─ · Allow Partner of shared: another principal",
      "└─ ✓ identity policies: allowed",
      "   └─ ✓ Allow All of admin: applies",
    ]);
  });

  test("nobody gave the caller a policy", () => {
    expect(tree({ identity: [] })).toEqual([
      "implicitDeny by the identity policies (implicit-deny)",
      "└─ ✗ identity policies: nothing in it allows this",
      "   └─ there is no policy",
    ]);
  });

  test("of many statements about other things five are listed", () => {
    const others = Array.from({ length: 8 }, (_, index) => ({
      ...{ Sid: `S${index}`, Effect: "Allow", Action: "orders:GetOrder", Resource: "*" },
    }));
    const lines = tree({ identity: [{ id: "many", document: policy(...others) }] });
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe("   └─ 3 more");
  });
});

describe("a decision log", () => {
  const input = JSON.parse(scenario({ identity: [admin] }));
  const line = (id: string, more: object) =>
    JSON.stringify({ eventID: id, eventName: "orders:CreateOrder", decision: "allowed", ...more });
  const log = [
    line("a", { input }),
    line("b", {}),
    line("c", { input: { ...input, id: "c" } }),
    JSON.stringify({ eventID: "d", selfCheck: { decisionId: "c", decision: "allowed" } }),
    '{"eventID":"e","decision":',
    "",
  ].join("\n");
  const explained = (text: string, ...more: string[]) =>
    runCommand(["explain", "--log", "-", "--json", ...more], text);

  test.each([
    { why: "by its id", args: ["--id", "a"], is: "q" },
    { why: "the last decision, not a record of the self-check", args: [], is: "c" },
  ])("$why", async ({ args, is }) => {
    const { code, out } = await explained(log, ...args);
    expect(JSON.parse(out)).toMatchObject({ id: is, decision: { decision: "allowed" } });
    expect(code).toBe(0);
  });

  const hidden = { ...input, context: { "mesh:requestheader/x": "[redacted]" } };
  const hiddenPolicy = { ...admin, document: policy({ Sid: "[redacted]", ...allowAll }) };

  test.each([
    { why: "no such id", log, id: "x", says: "no decision `x`; lines that are no record" },
    {
      why: "a decision without its question",
      log,
      id: "b",
      says: "it was logged without its input",
    },
    { why: "an empty log", log: "", id: null, says: "no decision" },
    {
      why: "a line cut short",
      log: '{"eventID":"a","decision":',
      id: "a",
      says: "no decision `a`",
    },
    { why: "hostile id", log, id: '"', says: 'no decision `"`' },
    { why: "a record of the self-check", log, id: "d", says: "no decision `d`" },
    {
      why: "a masked question",
      log: line("a", { input, masked: ["input.context.aws:sourceip"] }),
      id: null,
      says: "decision `a` in line 1 cannot be explained: its input was masked",
    },
    {
      why: "a redacted question",
      log: line("a", { input: hidden }),
      id: "a",
      says: "in line 1 cannot be explained: a part of its input was redacted",
    },
    {
      why: "a redacted policy",
      log: line("a", { input: { ...input, policies: { identity: [hiddenPolicy] } } }),
      id: "a",
      says: "cannot be explained: its policies were redacted",
    },
    {
      why: "the last decision, although one before it could be explained",
      log: [line("a", { input }), line("b", { input: { omitted: "too-large" } })].join("\n"),
      id: null,
      says: "decision `b` in line 2 cannot be explained: its input was not written: too-large",
    },
    {
      why: "a question that is none",
      log: line("a", { input: { principal: 1 } }),
      id: "a",
      says: "its input is not accepted: expected",
    },
  ])("$why: it says so", async ({ log: text, id, says }) => {
    const { code, out, err } = await explained(text, ...(id === null ? [] : ["--id", id]));
    expect(err).toContain(says);
    expect([code, out]).toEqual([3, ""]);
  });
});

test.each([
  { why: "a file and a log", args: ["q.json", "--log", "l"], says: "one of a file and --log" },
  { why: "an id without a log", args: ["q.json", "--id", "a"], says: "--log with --id" },
  { why: "an id alone", args: ["--id", "a"], says: "--log with --id" },
  { why: "nothing", args: [], says: "a file, `-`, or --log" },
])("$why: refused, since something would be overlooked", async ({ args, says }) => {
  const { code, err } = await runCommand(["explain", ...args]);
  expect(err).toContain(says);
  expect(code).toBe(1);
});

test("nothing in a scenario steers the terminal", async () => {
  const evil = "\u001b[2J\u009b1A\u202e\nforged";
  const asked = JSON.parse(scenario({ identity: [] }, { id: evil }));
  asked.principal.tags.team = evil;
  const condition = { StringEquals: { "aws:PrincipalTag/team": "blue" } };
  const document = policy({ ...allowAll, Resource: "*", Condition: condition });
  asked.policies.identity = [{ id: evil, document }];
  const texts = [JSON.stringify(asked), JSON.stringify({ ...asked, [evil]: 1 })];
  for (const text of texts) {
    for (const args of [
      ["explain", "-"],
      ["explain", "-", "--json"],
      ["simulate", "-"],
    ]) {
      const { out, err } = await runCommand(args, text);
      expect(out + err).toContain("\\u009b1A");
      expect((out + err).split("\n").filter((line) => line !== printable(line))).toEqual([]);
      expect((out + err).split("\n").filter((line) => line.startsWith("forged"))).toEqual([]);
    }
  }
});
