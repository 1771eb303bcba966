import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCases } from "../../../test/corpus/cases.ts";
import type { ValidateOptions } from "./checks/check.ts";
import { parsePolicyDocument } from "./parse.ts";
import type { DocumentType } from "./policy-type.ts";
import { validatePolicy } from "./validate.ts";

const account = "111111111111";
const user = `arn:aws:iam::${account}:user/bob`;

type Elements = Readonly<Record<string, unknown>>;

const base: Readonly<Record<DocumentType, Elements>> = {
  identity: { Effect: "Allow", Action: "*", Resource: "*" },
  permissionsBoundary: { Effect: "Allow", Action: "*", Resource: "*" },
  session: { Effect: "Allow", Action: "*", Resource: "*" },
  serviceControl: { Effect: "Allow", Action: "*", Resource: "*" },
  resource: { Effect: "Allow", Action: "*", Resource: "*", Principal: { AWS: account } },
  trust: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: user } },
  resourceControl: { Effect: "Deny", Action: "sts:*", Resource: "*", Principal: "*" },
};

function textOf(type: DocumentType, statements: readonly Elements[]): string {
  const Statement = statements.map((elements) => ({ ...base[type], ...elements }));
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

function findings(
  type: DocumentType,
  statements: readonly Elements[],
  options?: ValidateOptions,
): readonly string[] {
  return validatePolicy(textOf(type, statements), type, options).map(
    ({ severity, code }) => `${severity} ${code}`,
  );
}

const deny = { Effect: "Deny" };
const when = (operator: string, keys: Elements) => ({ Condition: { [operator]: keys } });
const github = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
const saml = `arn:aws:iam::${account}:saml-provider/idp`;
const web = "sts:AssumeRoleWithWebIdentity";

const rows: readonly (readonly [
  why: string,
  type: DocumentType,
  statements: readonly Elements[],
  want: readonly string[],
])[] = [
  ["a clean document", "identity", [{}], []],
  ["T-DOC-16", "identity", [{ Sid: "a-b" }], ["ERROR UNSUPPORTED_SID"]],
  ["T-DOC-17", "identity", [{ Sid: "a" }, { ...deny, Sid: "a" }], ["ERROR UNIQUE_SIDS_REQUIRED"]],
  [
    "T-DOC-18",
    "resource",
    [{ Sid: "my sid" }, { ...deny, Sid: "my sid" }],
    ["WARNING UNIQUE_SIDS_RECOMMENDED"],
  ],
  ["Sids of a trust policy are IAM's", "trust", [{ Sid: "my sid" }], ["ERROR UNSUPPORTED_SID"]],
  [
    "T-DOC-19",
    "identity",
    [{ Sid: "" }, { ...deny, Sid: "" }],
    ["SUGGESTION EMPTY_SID_VALUE", "SUGGESTION EMPTY_SID_VALUE"],
  ],
  [
    "T-DOC-41 without condition",
    "trust",
    [{ Principal: "*" }],
    ["ERROR ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  ],
  [
    "T-DOC-41 with condition",
    "trust",
    [{ Principal: { AWS: "*" }, ...when("StringEquals", { "aws:PrincipalOrgID": "o-1" }) }],
    ["SECURITY_WARNING ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  ],
  ["everybody in a Deny of a trust policy", "trust", [{ ...deny, Principal: "*" }], []],
  [
    "T-STS-18",
    "trust",
    [
      {
        Principal: { Federated: "accounts.google.com" },
        ...when("StringEquals", { "accounts.google.com:sub": "1" }),
      },
    ],
    ["ERROR MISMATCHED_ACTION_FOR_PRINCIPAL"],
  ],
  [
    "STS-8 SAML",
    "trust",
    [{ Principal: { Federated: saml }, Action: web }],
    ["ERROR MISMATCHED_ACTION_FOR_PRINCIPAL"],
  ],
  [
    "STS-8 SAML, its own",
    "trust",
    [{ Principal: { Federated: saml }, Action: "sts:assumerolewithsaml" }],
    [],
  ],
  [
    "STS-7 no condition",
    "trust",
    [{ Principal: { Federated: "accounts.google.com" }, Action: web }],
    ["SECURITY_WARNING MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL"],
  ],
  [
    "STS-7 the audience alone, of GitHub",
    "trust",
    [
      {
        Principal: { Federated: github },
        Action: web,
        ...when("StringEquals", { "token.actions.githubusercontent.com:aud": "x" }),
      },
    ],
    ["SECURITY_WARNING MISSING_GITHUB_REPO_CONDITION_KEY"],
  ],
  [
    "STS-7 a repository",
    "trust",
    [
      {
        Principal: { Federated: github },
        Action: web,
        ...when("StringLike", {
          "token.actions.githubusercontent.com:sub": "repo:x/y:ref:refs/heads/main",
        }),
      },
    ],
    [],
  ],
  [
    "STS-2 transitive tags without tagging",
    "trust",
    [when("ForAllValues:StringEquals", { "sts:TransitiveTagKeys": "a" })],
    [
      "ERROR MISSING_ACTION_FOR_CONDITION_KEY",
      "SECURITY_WARNING FORALLVALUES_IN_ALLOW_WITHOUT_NULL",
      "SECURITY_WARNING SPOOFABLE_KEY_IN_ALLOW",
    ],
  ],
  [
    "STS-2 with tagging",
    "trust",
    [
      { ...deny, ...when("ForAnyValue:StringEquals", { "sts:TransitiveTagKeys": "a" }) },
      { Action: ["sts:AssumeRole", "sts:TagSession"] },
    ],
    [],
  ],
  [
    "NPR-5",
    "resource",
    [{ ...deny, Principal: undefined, NotPrincipal: { AWS: user } }],
    ["WARNING NOT_PRINCIPAL_WITHOUT_ACCOUNT"],
  ],
  [
    "NPR-5 with the account",
    "resource",
    [{ ...deny, Principal: undefined, NotPrincipal: { AWS: [user, account] } }],
    [],
  ],
  [
    "a NotPrincipal of services",
    "resource",
    [{ ...deny, Principal: undefined, NotPrincipal: { Service: "sns.amazonaws.com" } }],
    [],
  ],
  [
    "a service for anybody",
    "resource",
    [{ Principal: { Service: "sns.amazonaws.com" } }],
    ["SECURITY_WARNING RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL"],
  ],
  [
    "a service for one account",
    "resource",
    [
      {
        Principal: { Service: "sns.amazonaws.com" },
        ...when("StringEquals", { "aws:SourceAccount": account }),
      },
    ],
    [],
  ],
  ["a service in a trust policy", "trust", [{ Principal: { Service: "sns.amazonaws.com" } }], []],
  [
    "T-ACT-15 an unknown prefix",
    "identity",
    [{ Action: "s3:GetObject" }],
    ["WARNING INVALID_SERVICE_IN_ACTION"],
  ],
  [
    "T-ACT-15 an unknown action",
    "identity",
    [{ Action: "orders:GetOrders" }],
    ["ERROR INVALID_ACTION"],
  ],
  ["an unknown action of sts", "identity", [{ Action: "sts:Assume" }], ["ERROR INVALID_ACTION"]],
  [
    "a known action in any case",
    "identity",
    [{ Action: ["Orders:getorder", "orders:List*", "*:GetOrder"] }],
    ["SUGGESTION REDUNDANT_ACTION", "SUGGESTION WILDCARD_IN_SERVICE_NAME"],
  ],
  [
    "a wildcard that takes in nothing",
    "identity",
    [{ Action: "orders:Put*" }],
    ["ERROR INVALID_ACTION"],
  ],
  [
    "a redundant action",
    "identity",
    [{ Action: ["orders:*", "ORDERS:GetOrder"] }],
    ["SUGGESTION REDUNDANT_ACTION"],
  ],
  [
    "an action twice",
    "identity",
    [{ Action: ["orders:GetOrder", "orders:getorder"] }],
    ["SUGGESTION REDUNDANT_ACTION"],
  ],
  [
    "a question mark makes nothing redundant",
    "identity",
    [{ Action: ["orders:?etOrder", "orders:GetOrder"] }],
    [],
  ],
  [
    "T-RES-22",
    "identity",
    [{ Resource: "arn:aws-cn:s3:::bkt/*" }],
    ["ERROR INVALID_ARN_PARTITION"],
  ],
  ["any partition", "identity", [{ Resource: "arn:*:s3:::bkt/*" }], []],
  [
    "a redundant resource",
    "identity",
    [{ Resource: ["arn:aws:s3:::b/*", "arn:aws:s3:::b/x*"] }],
    ["SUGGESTION REDUNDANT_RESOURCE"],
  ],
  [
    "a variable makes nothing redundant",
    "identity",
    [{ Resource: ["arn:aws:s3:::${aws:username}*", "arn:aws:s3:::${aws:username}*"] }],
    [],
  ],
  [
    "T-KEY-19",
    "identity",
    [when("StringEquals", { "aws:Foo": "x" })],
    ["ERROR INVALID_GLOBAL_CONDITION_KEY"],
  ],
  [
    "T-KEY-19 of ours",
    "identity",
    [when("StringEquals", { "mesh:Foo": "x" })],
    ["ERROR INVALID_GLOBAL_CONDITION_KEY"],
  ],
  [
    "T-KEY-13",
    "identity",
    [{ ...deny, ...when("StringNotEquals", { "mesh:RequestHeader/Authorization": "x" }) }],
    ["ERROR INVALID_GLOBAL_CONDITION_KEY"],
  ],
  [
    "KEY-4 a key that is never filled",
    "identity",
    [when("StringEquals", { "aws:SourceVpc": "x" })],
    [],
  ],
  [
    "a key of sts that is none",
    "identity",
    [when("StringEquals", { "sts:Foo": "x" })],
    ["ERROR INVALID_SERVICE_CONDITION_KEY"],
  ],
  ["a key of a known service", "identity", [when("StringEquals", { "orders:Channel": "x" })], []],
  [
    "a key that the service does not have",
    "identity",
    [when("StringEquals", { "orders:Chanel": "x" })],
    ["ERROR INVALID_SERVICE_CONDITION_KEY"],
  ],
  ["a key of an unknown service", "identity", [when("StringEquals", { "s3:prefix": "x" })], []],
  [
    "a tag key without name",
    "identity",
    [when("StringEquals", { "aws:PrincipalTag/": "x" })],
    ["ERROR MISSING_TAG_KEY_IN_CONDITION"],
  ],
  [
    "T-CON-24, SET-6",
    "identity",
    [when("ForAllValues:StringEquals", { "aws:PrincipalTag/T": "a" })],
    ["SECURITY_WARNING FORALLVALUES_WITH_SINGLE_VALUED_KEY"],
  ],
  [
    "SET-7",
    "identity",
    [when("ForAllValues:StringEquals", { "aws:PrincipalOrgPaths": "a" })],
    ["SECURITY_WARNING FORALLVALUES_IN_ALLOW_WITHOUT_NULL"],
  ],
  [
    "SET-7 with a Null check",
    "identity",
    [
      {
        Condition: {
          "ForAllValues:StringEquals": { "aws:PrincipalOrgPaths": "a" },
          Null: { "AWS:principalorgpaths": false },
        },
      },
    ],
    [],
  ],
  [
    "SET-7 in a Deny",
    "identity",
    [{ ...deny, ...when("ForAllValues:StringEquals", { "aws:PrincipalOrgPaths": "a" }) }],
    [],
  ],
  [
    "CON-6",
    "identity",
    [{ ...deny, ...when("Bool", { "aws:MultiFactorAuthPresent": "False" }) }],
    ["WARNING DENY_WITH_BOOL_WITHOUT_IF_EXISTS"],
  ],
  [
    "CON-7",
    "resourceControl",
    [when("Bool", { "aws:PrincipalIsAWSService": "false" })],
    ["WARNING DENY_WITH_BOOL_WITHOUT_IF_EXISTS"],
  ],
  [
    "CON-6 with IfExists",
    "identity",
    [{ ...deny, ...when("BoolIfExists", { "aws:MultiFactorAuthPresent": false }) }],
    [],
  ],
  [
    "CON-6 waiting for true",
    "identity",
    [{ ...deny, ...when("Bool", { "aws:MultiFactorAuthPresent": true }) }],
    [],
  ],
  ["CON-6 in an Allow", "identity", [when("Bool", { "aws:MultiFactorAuthPresent": false })], []],
  [
    "KEY-11",
    "identity",
    [{ ...deny, ...when("StringEquals", { "mesh:RequestHeader/X": "a" }) }],
    ["SECURITY_WARNING CLIENT_KEY_IN_DENY"],
  ],
  [
    "KEY-11 a query key",
    "identity",
    [{ ...deny, ...when("ForAnyValue:StringEquals", { "mesh:RequestQueryString/x": "a" }) }],
    ["SECURITY_WARNING CLIENT_KEY_IN_DENY"],
  ],
  [
    "KEY-11 negated",
    "identity",
    [{ ...deny, ...when("StringNotEquals", { "mesh:RequestHeader/X": "a" }) }],
    [],
  ],
  [
    "KEY-2",
    "identity",
    [when("StringEquals", { "aws:UserAgent": "a", "mesh:RequestHeader/X": "b" })],
    ["SECURITY_WARNING SPOOFABLE_KEY_IN_ALLOW"],
  ],
  [
    "KEY-2 beside a proven key",
    "identity",
    [when("StringEquals", { "aws:UserAgent": "a", "aws:username": "b" })],
    [],
  ],
  [
    "KEY-2 what is executed",
    "identity",
    [when("StringEquals", { "mesh:RequestMethod": "GET" })],
    [],
  ],
  [
    "DOC-16",
    "identity",
    [when("StringEquals", { "aws:username": [] })],
    ["SUGGESTION EMPTY_ARRAY_CONDITION"],
  ],
  [
    "DOC-16 ForAllValues",
    "identity",
    [{ ...deny, ...when("ForAllValues:StringEqualsIfExists", { "aws:PrincipalOrgPaths": [] }) }],
    ["SUGGESTION EMPTY_ARRAY_CONDITION_FORALLVALUES"],
  ],
  [
    "DOC-16 ForAnyValue",
    "identity",
    [when("ForAnyValue:StringEquals", { "aws:PrincipalOrgPaths": [] })],
    ["SUGGESTION EMPTY_ARRAY_CONDITION_FORANYVALUE"],
  ],
  [
    "DOC-16 IfExists",
    "identity",
    [when("StringEqualsIfExists", { "aws:username": [] })],
    ["SUGGESTION EMPTY_ARRAY_CONDITION_IFEXISTS"],
  ],
  [
    "T-CON-41",
    "identity",
    [when("Bool", { "aws:SecureTransport": ["true", "false"] })],
    ["ERROR INVALID_CONDITION_MULTIPLE_BOOLEAN"],
  ],
  [
    "T-CON-44",
    "identity",
    [when("IpAddress", { "aws:SourceIp": "10.9.9.9/8" })],
    ["SUGGESTION IMPROVE_IP_RANGE"],
  ],
  [
    "a clean range",
    "identity",
    [when("NotIpAddress", { "aws:SourceIp": ["10.0.0.0/8", "::1"] })],
    [],
  ],
  [
    "VAL-2 a date that is no full date",
    "identity",
    [when("DateLessThan", { "aws:CurrentTime": ["2024", "1735689600", "2024-01-01T00:00Z"] })],
    Array(3).fill("WARNING INVALID_DATE_VALUE"),
  ],
  [
    "VAL-2 full dates",
    "identity",
    [
      when("DateLessThan", {
        "aws:CurrentTime": ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5+01:00"],
      }),
    ],
    [],
  ],
  [
    "a number against a date",
    "identity",
    [when("NumericLessThan", { "aws:CurrentTime": "1" })],
    ["WARNING TYPE_MISMATCH"],
  ],
  [
    "8.2 a number against epoch seconds",
    "identity",
    [when("NumericLessThan", { "aws:EpochTime": "1" })],
    [],
  ],
  [
    "an address against a text",
    "identity",
    [when("IpAddress", { "aws:username": "10.0.0.1" })],
    ["WARNING TYPE_MISMATCH"],
  ],
  [
    "a text operator fits every key",
    "identity",
    [when("StringEquals", { "aws:SourceIp": "10.0.0.1" })],
    [],
  ],
  [
    "a claim may have any type",
    "identity",
    [when("NumericLessThan", { "mesh:JwtClaim/level": "1" })],
    [],
  ],
  ["Null fits every key", "identity", [when("Null", { "aws:SourceIp": "true" })], []],
  [
    "a star that is no wildcard",
    "identity",
    [when("StringEquals", { "aws:username": "bob*" })],
    ["WARNING WILDCARD_WITHOUT_LIKE_OPERATOR"],
  ],
  ["an escaped star", "identity", [when("StringEquals", { "aws:username": "bob${*}" })], []],
];

const services: ValidateOptions["services"] = new Map([
  ["orders", { actions: ["GetOrder", "ListOrders"], conditionKeys: ["orders:Channel"] }],
]);

describe("10.1 findings", () => {
  test.each(rows)("%s", (_why, type, statements, want) => {
    expect(findings(type, statements, { services })).toEqual(want);
  });

  test("a refused document has its refusals only", () => {
    expect(findings("identity", [{ Action: "GetObject", Sid: "a-b" }])).toEqual([
      "ERROR INVALID_ACTION",
    ]);
  });

  test("the partition is the installation's", () => {
    const statements = [{ Resource: "arn:aws-cn:s3:::b" }];
    expect(findings("identity", statements, { partition: "aws-cn" })).toEqual([]);
  });

  test("findings of the loader and of the validator stand in the order of the text, with paths", () => {
    const text = `{"Statement": {"Sid": "a-b", "Effect": "Allow", "Action": [], "Resource": "*",
      "Condition": {"Bool": {"aws:SecureTransport": [true, false]}, "IpAddress": {"aws:SourceIp": "10.9.9.9/8"}}}}`;
    expect(validatePolicy(text, "identity").map(({ code, path }) => [code, path])).toEqual([
      ["MISSING_VERSION", ""],
      ["UNSUPPORTED_SID", "Statement.Sid"],
      ["EMPTY_ARRAY_ACTION", "Statement.Action"],
      ["INVALID_CONDITION_MULTIPLE_BOOLEAN", "Statement.Condition.Bool.aws:SecureTransport"],
      ["IMPROVE_IP_RANGE", "Statement.Condition.IpAddress.aws:SourceIp"],
    ]);
  });

  test("an unknown name comes with the nearest known one", () => {
    const [action, key] = validatePolicy(
      textOf("identity", [
        {
          Action: "orders:GetOrdr",
          ...when("StringEquals", { "aws:PrincipalOrgId": "x", "aws:Usernam": "x" }),
        },
      ]),
      "identity",
      { services },
    );
    expect(action?.message).toContain("did you mean `orders:GetOrder`");
    expect(key?.message).toContain("did you mean `aws:username`");
  });
});

describe("2.5 sizes", () => {
  const filled = (type: DocumentType, characters: number, blanks: number): string => {
    const text = textOf(type, [{}]);
    return text.replace(
      '"Effect"',
      `${" ".repeat(blanks)}"Sid":"${"a".repeat(characters - text.length - 9)}","Effect"`,
    );
  };

  test.each([
    ["T-DOC-37 blanks do not count", "identity", 6144, 1000, []],
    [
      "T-DOC-37 one too many",
      "identity",
      6145,
      0,
      ["WARNING POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"],
    ],
    ["a trust policy", "trust", 2049, 0, ["WARNING POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA"]],
    [
      "a resource policy",
      "resource",
      20_480,
      1,
      ["WARNING POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"],
    ],
    [
      "T-DOC-38 an SCP, blanks count",
      "serviceControl",
      10_240,
      1,
      ["ERROR SCP_SYNTAX_ERROR_POLICY_SIZE"],
    ],
    ["an SCP that just fits", "serviceControl", 10_240, 0, []],
    ["an RCP", "resourceControl", 5121, 0, ["ERROR RCP_SYNTAX_ERROR_POLICY_SIZE"]],
  ] as const)("%s", (_why, type, characters, blanks, want) => {
    const text = filled(type, characters, blanks);
    expect(text).toHaveLength(characters + blanks);
    const found = validatePolicy(text, type).map(({ severity, code }) => `${severity} ${code}`);
    expect(found).toEqual(want);
  });

  test("the quota is an option", () => {
    const text = textOf("identity", [{}]);
    expect(validatePolicy(text, "identity", { maxCharacters: 10 })).toHaveLength(1);
  });
});

test("LOAD-2 nothing the loader accepts makes the validator throw or refuse", () => {
  const documents = readCases().flatMap((given) => {
    const { identity = [], session = [] } = given.policies as Record<
      string,
      readonly { document: unknown }[] | undefined
    >;
    return [...(identity ?? []), ...(session ?? [])].map((each) => JSON.stringify(each.document));
  });
  expect(documents.length).toBeGreaterThan(500);
  for (const text of documents) {
    const parsed = parsePolicyDocument(text, "identity");
    const found = validatePolicy(text, "identity");
    if (parsed.ok) expect(found).toEqual(expect.arrayContaining([...parsed.findings]));
    else expect(found).toEqual(parsed.problems);
  }
});

test("any text is answered", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom(...(Object.keys(base) as DocumentType[])),
      (text, type) => {
        expect(validatePolicy(text, type).length).toBeGreaterThan(0);
      },
    ),
  );
});
