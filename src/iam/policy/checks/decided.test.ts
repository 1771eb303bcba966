import { expect, test } from "vitest";
import type { DocumentType } from "../policy-type.ts";
import { validatePolicy } from "../validate.ts";

/** Checks that need no catalogue of AWS, row by row: what is found, and what is not. */
const services = new Map([
  ["orders", { actions: ["GetOrder", "PutOrder"], conditionKeys: [] }],
  ["reports", { actions: ["GetReport"], conditionKeys: [] }],
]);
const issuer = "login.example.com";
const provider = (host: string) => ({
  Federated: `arn:aws:iam::111111111111:oidc-provider/${host}`,
});
const github = "token.actions.githubusercontent.com";
const roleArn = "arn:aws:iam::111111111111:role/team/app";
const sessionArn = "arn:aws:sts::111111111111:assumed-role/app/s1";

type Statement = Readonly<Record<string, unknown>>;
const get: Statement = { Effect: "Allow", Action: "orders:GetOrder", Resource: "*" };
const web = (host: string, condition: object): Statement => ({
  Effect: "Allow",
  Action: "sts:AssumeRoleWithWebIdentity",
  Principal: provider(host),
  Condition: condition,
});
const trusts = (...AWS: string[]): Statement => ({
  Effect: "Allow",
  Action: "sts:AssumeRole",
  Principal: { AWS },
});
const on = (Action: unknown, Resource: unknown): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});
const numbers = (operator: string, values: unknown): Statement => ({
  ...get,
  Condition: { [operator]: { "aws:MultiFactorAuthAge": values } },
});
const mfa = (operator: string, effect = "Allow"): Statement => ({
  ...get,
  Effect: effect,
  Condition: { [operator]: { "aws:MultiFactorAuthPresent": "true" } },
});
const order = "arn:aws:orders:*:111111111111:order/*";
const report = "arn:aws:reports:*:111111111111:report/*";

const rows: readonly (readonly [string, DocumentType, readonly Statement[], readonly string[]])[] =
  [
    [
      "two equal statements",
      "identity",
      [get, get],
      ["SUGGESTION REDUNDANT_STATEMENT Statement[1]"],
    ],
    [
      "equal but for Sid, case of the action and order",
      "identity",
      [
        { ...get, Sid: "a", Action: ["orders:GetOrder", "orders:PutOrder"] },
        { ...get, Sid: "b", Action: ["orders:PutOrder", "orders:getorder"] },
      ],
      ["SUGGESTION REDUNDANT_STATEMENT Statement[1]"],
    ],
    ["equal but for the effect", "identity", [get, { ...get, Effect: "Deny" }], []],
    [
      "equal but for the case of the resource",
      "identity",
      [on("orders:GetOrder", order), on("orders:GetOrder", order.replace("order/", "Order/"))],
      [],
    ],
    [
      "equal but for Not",
      "identity",
      [get, { Effect: "Allow", NotAction: "orders:GetOrder", Resource: "*" }],
      [],
    ],
    [
      "equal but for a condition",
      "identity",
      [get, { ...get, Condition: { Bool: { "aws:SecureTransport": "true" } } }],
      [],
    ],
    ["equal but for the principal", "trust", [trusts(roleArn), trusts("111111111111")], []],
    [
      "equal but for the principal's type",
      "resource",
      [
        { ...get, Principal: { AWS: "111111111111" } },
        { ...get, Principal: { AWS: "111111111111", Federated: "x.example" } },
      ],
      [],
    ],

    [
      "a resource of another service",
      "identity",
      [on("orders:*", [order, report])],
      ["WARNING ACTION_AND_RESOURCE_DO_NOT_FIT Statement[0].Resource[1]"],
    ],
    [
      "resources of other services alone",
      "identity",
      [on("orders:*", [report, report.replace("111111111111", "*")])],
      ["WARNING STATEMENT_NEVER_MATCHES Statement[0]"],
    ],
    ["actions of both services", "identity", [on(["orders:*", "reports:*"], [order, report])], []],
    [
      "an action of an unknown service",
      "identity",
      [on(["orders:*", "sts:AssumeRole"], [report, roleArn])],
      [],
    ],
    ["an action of every service", "identity", [on("*", report)], []],
    ["a service by wildcard", "identity", [on("orders:*", "arn:aws:*:*:*:report/*")], []],
    [
      "a service by variable",
      "identity",
      [on("orders:*", "arn:aws:${aws:PrincipalTag/s}:*:*:report/*")],
      [],
    ],
    ["a short form", "identity", [on("orders:*", "arn:aws:reports:*")], []],
    ["NotAction", "identity", [{ Effect: "Allow", NotAction: "orders:*", Resource: report }], []],
    ["NotResource", "identity", [{ Effect: "Allow", Action: "orders:*", NotResource: report }], []],

    [
      "the smaller of two upper bounds",
      "identity",
      [numbers("NumericLessThan", ["60", "3600"])],
      [
        "SUGGESTION REDUNDANT_CONDITION_VALUE_NUM Statement[0].Condition.NumericLessThan.aws:MultiFactorAuthAge[0]",
      ],
    ],
    [
      "the greater of two lower bounds",
      "identity",
      [numbers("NumericGreaterThanEquals", [60, 3600])],
      [
        "SUGGESTION REDUNDANT_CONDITION_VALUE_NUM Statement[0].Condition.NumericGreaterThanEquals.aws:MultiFactorAuthAge[1]",
      ],
    ],
    [
      "equal bounds",
      "identity",
      [numbers("NumericLessThanEquals", ["1.0", "1"])],
      [
        "SUGGESTION REDUNDANT_CONDITION_VALUE_NUM Statement[0].Condition.NumericLessThanEquals.aws:MultiFactorAuthAge[1]",
      ],
    ],
    ["several equals", "identity", [numbers("NumericEquals", ["1", "2"])], []],
    ["one bound", "identity", [numbers("NumericLessThan", "60")], []],

    [
      "BoolIfExists for MFA",
      "identity",
      [mfa("BoolIfExists")],
      [
        "SECURITY_WARNING MFA_CONDITION_THAT_DOES_NOT_REQUIRE_IT Statement[0].Condition.BoolIfExists.aws:MultiFactorAuthPresent",
      ],
    ],
    ["Bool for MFA", "identity", [mfa("Bool")], []],
    ["BoolIfExists in a Deny", "identity", [mfa("BoolIfExists", "Deny")], []],

    [
      "a session beside its role",
      "trust",
      [trusts(roleArn, sessionArn)],
      ["SUGGESTION REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY Statement[0].Principal.AWS[1]"],
    ],
    [
      "a session beside another role",
      "trust",
      [trusts("arn:aws:iam::111111111111:role/other", sessionArn)],
      [],
    ],
    [
      "a session of the role's namesake",
      "trust",
      [trusts("arn:aws:iam::222222222222:role/app", sessionArn)],
      [],
    ],
    [
      "a session and its role in two statements",
      "trust",
      [trusts(roleArn), trusts(sessionArn)],
      [],
    ],

    [
      "a set operator for the audience",
      "trust",
      [web(issuer, { "ForAnyValue:StringEquals": { [`${issuer}:aud`]: "mesh" } })],
      [
        "SUGGESTION CONFIRM_AUDIENCE_CLAIM_TYPE Statement[0].Condition.ForAnyValue:StringEquals.login.example.com:aud",
      ],
    ],
    [
      "the audience alone",
      "trust",
      [web(issuer, { StringEquals: { [`${issuer}:aud`]: "mesh" } })],
      [],
    ],

    [
      "every branch of a repository",
      "trust",
      [web(github, { StringLike: { [`${github}:sub`]: "repo:o/r:*" } })],
      [
        `WARNING SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED Statement[0].Condition.StringLike.${github}:sub`,
      ],
    ],
    [
      "every repository of an owner",
      "trust",
      [web(github, { StringLike: { [`${github}:sub`]: ["repo:o/*:ref:refs/heads/main"] } })],
      [
        `WARNING SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED Statement[0].Condition.StringLike.${github}:sub[0]`,
      ],
    ],
    [
      "one branch",
      "trust",
      [web(github, { StringLike: { [`${github}:sub`]: "repo:o/r:ref:refs/heads/main" } })],
      [],
    ],
    [
      "one environment",
      "trust",
      [web(github, { StringEquals: { [`${github}:sub`]: "repo:o/r:environment:prod" } })],
      [],
    ],
    [
      "a wildcard of another provider",
      "trust",
      [web(issuer, { StringLike: { [`${issuer}:sub`]: "team-*" } })],
      [],
    ],
  ];

const codes = [
  "REDUNDANT_STATEMENT",
  "ACTION_AND_RESOURCE_DO_NOT_FIT",
  "STATEMENT_NEVER_MATCHES",
  "REDUNDANT_CONDITION_VALUE_NUM",
  "MFA_CONDITION_THAT_DOES_NOT_REQUIRE_IT",
  "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY",
  "CONFIRM_AUDIENCE_CLAIM_TYPE",
  "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED",
];

test.each(rows)("10.1: %s", (_why, type, statements, want) => {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const found = validatePolicy(text, type, { services });
  expect(found.filter(({ code }) => code === "JSON_SYNTAX_ERROR")).toEqual([]);
  const told = found
    .filter(({ code }) => codes.includes(code))
    .map(({ severity, code, path }) => `${severity} ${code} ${path}`);
  expect(told).toEqual(want);
});

test("each of these checks is found by a row", () => {
  const told = rows.flatMap(([, , , want]) => want.map((finding) => finding.split(" ")[1]));
  expect(new Set(told)).toEqual(new Set(codes));
});
