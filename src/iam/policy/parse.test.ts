import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PolicyDocument } from "./document.ts";
import { parsePolicyDocument } from "./parse.ts";
import type { DocumentType } from "./policy-type.ts";

const account = "111111111111";
const user = `arn:aws:iam::${account}:user/bob`;

type Elements = Record<string, unknown>;

const allow: Elements = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const base: Record<DocumentType, Elements> = {
  identity: allow,
  permissionsBoundary: allow,
  session: allow,
  serviceControl: allow,
  resource: { ...allow, Principal: "*" },
  trust: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: user } },
  resourceControl: { Effect: "Deny", Action: "s3:*", Resource: "*", Principal: "*" },
};

// The base statement of the type with elements replaced; undefined removes one.
function policy(type: DocumentType, elements: Elements, top: Elements = {}): string {
  const statement = { ...base[type], ...elements };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement], ...top });
}

function refusalsOf(text: string, type: DocumentType): readonly string[] {
  const parsed = parsePolicyDocument(text, type);
  return parsed.ok ? [] : parsed.problems.map((problem) => problem.code);
}

function load(text: string, type: DocumentType = "identity"): PolicyDocument {
  const parsed = parsePolicyDocument(text, type);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function findingsOf(text: string, type: DocumentType): readonly string[] {
  const parsed = parsePolicyDocument(text, type);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.findings.map((finding) => `${finding.severity} ${finding.code}`);
}

const when = (operator: string, condition: unknown) => ({ Condition: { [operator]: condition } });

interface Row {
  readonly why: string;
  readonly type?: DocumentType;
  readonly elements?: Elements;
  readonly top?: Elements;
  readonly codes: readonly string[];
}

const refused: readonly Row[] = [
  {
    why: "T-DOC-02 an effect in lower case",
    elements: { Effect: "allow" },
    codes: ["INVALID_EFFECT"],
  },
  { why: "a number as effect", elements: { Effect: 1 }, codes: ["DATA_TYPE_MISMATCH"] },
  { why: "no effect", elements: { Effect: undefined }, codes: ["MISSING_EFFECT"] },
  {
    why: "T-DOC-03 an element in lower case",
    elements: { Effect: undefined, effect: "Allow" },
    codes: ["INVALID_POLICY_ELEMENT", "MISSING_EFFECT"],
  },
  {
    why: "T-DOC-04 Action and NotAction",
    elements: { NotAction: "a:b" },
    codes: ["UNSUPPORTED_ELEMENT_COMBINATION"],
  },
  {
    why: "T-DOC-05 Resource and NotResource",
    elements: { NotResource: "arn:aws:s3:::x" },
    codes: ["UNSUPPORTED_ELEMENT_COMBINATION"],
  },
  {
    why: "T-DOC-06 Principal and NotPrincipal",
    type: "resource",
    elements: { Effect: "Deny", NotPrincipal: { AWS: user } },
    codes: ["UNSUPPORTED_ELEMENT_COMBINATION"],
  },
  { why: "T-DOC-07 no action", elements: { Action: undefined }, codes: ["MISSING_ACTION"] },
  { why: "T-DOC-08 no resource", elements: { Resource: undefined }, codes: ["MISSING_RESOURCE"] },
  { why: "T-DOC-09 a principal", elements: { Principal: "*" }, codes: ["UNSUPPORTED_PRINCIPAL"] },
  {
    why: "NotPrincipal in a boundary",
    type: "permissionsBoundary",
    elements: { Effect: "Deny", NotPrincipal: { AWS: user } },
    codes: ["UNSUPPORTED_PRINCIPAL"],
  },
  {
    why: "a principal in a session policy",
    type: "session",
    elements: { Principal: "*" },
    codes: ["UNSUPPORTED_PRINCIPAL"],
  },
  { why: "T-DOC-10 no statement", top: { Statement: undefined }, codes: ["MISSING_STATEMENT"] },
  { why: "T-DOC-11 no statements", top: { Statement: [] }, codes: ["MISSING_STATEMENT"] },
  { why: "a text as statement", top: { Statement: "x" }, codes: ["DATA_TYPE_MISMATCH"] },
  { why: "a text among statements", top: { Statement: ["x"] }, codes: ["DATA_TYPE_MISMATCH"] },
  { why: "T-DOC-12 an unknown element", top: { Foo: 1 }, codes: ["INVALID_POLICY_ELEMENT"] },
  { why: "T-DOC-13 another version", top: { Version: "2015-01-01" }, codes: ["INVALID_VERSION"] },
  { why: "a number as version", top: { Version: 2012 }, codes: ["DATA_TYPE_MISMATCH"] },
  { why: "a number as Id", top: { Id: 1 }, codes: ["DATA_TYPE_MISMATCH"] },
  {
    why: "a variable in the Id",
    top: { Id: "${aws:x}" },
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  { why: "a number as Sid", elements: { Sid: 1 }, codes: ["DATA_TYPE_MISMATCH"] },
  {
    why: "a variable in the Sid",
    elements: { Sid: "${aws:x}" },
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  {
    why: "T-DOC-23 an empty NotAction",
    elements: { Action: undefined, NotAction: [] },
    codes: ["EMPTY_ARRAY_ACTION"],
  },
  {
    why: "T-DOC-23 an empty NotResource",
    elements: { Resource: undefined, NotResource: [] },
    codes: ["EMPTY_ARRAY_RESOURCE"],
  },
  {
    why: "T-DOC-23 an empty NotPrincipal",
    type: "resource",
    elements: { Effect: "Deny", Principal: undefined, NotPrincipal: {} },
    codes: ["EMPTY_OBJECT_PRINCIPAL"],
  },
  {
    why: "T-DOC-23 a NotPrincipal of an empty list",
    type: "resource",
    elements: { Effect: "Deny", Principal: undefined, NotPrincipal: { AWS: [] } },
    codes: ["EMPTY_ARRAY_PRINCIPAL"],
  },
  {
    why: "T-DOC-26 a condition value null",
    elements: when("StringEquals", { "a:b": null }),
    codes: ["DATA_TYPE_MISMATCH"],
  },
  {
    why: "T-DOC-26 a condition value that is an object",
    elements: when("StringEquals", { "a:b": {} }),
    codes: ["DATA_TYPE_MISMATCH"],
  },
  {
    why: "a list in a list of condition values",
    elements: when("StringEquals", { "a:b": [["x"]] }),
    codes: ["DATA_TYPE_MISMATCH"],
  },
  { why: "a text as condition", elements: { Condition: "x" }, codes: ["DATA_TYPE_MISMATCH"] },
  {
    why: "a text as operator block",
    elements: when("StringEquals", "x"),
    codes: ["DATA_TYPE_MISMATCH"],
  },
  {
    why: "T-DOC-28 one key in two cases",
    elements: when("StringEquals", { "aws:username": "a", "AWS:Username": "b" }),
    codes: ["DUPLICATE_KEYS_WITH_DIFFERENT_CASE"],
  },
  {
    why: "T-DOC-30 an unknown operator",
    elements: when("StringFoo", { "a:b": "x" }),
    codes: ["INVALID_CONDITION_OPERATOR"],
  },
  {
    why: "an operator named __proto__",
    elements: JSON.parse('{"Condition":{"__proto__":{"a:b":"x"}}}'),
    codes: ["INVALID_CONDITION_OPERATOR"],
  },
  {
    why: "POL-030 an operator named constructor",
    elements: when("constructor", { "a:b": "x" }),
    codes: ["INVALID_CONDITION_OPERATOR"],
  },
  {
    why: "a prefix of no operator",
    elements: when("ForSomeValues:StringEquals", { "a:b": "x" }),
    codes: ["INVALID_CONDITION_OPERATOR"],
  },
  {
    why: "a suffix in the wrong place",
    elements: when("IfExistsStringEquals", { "a:b": "x" }),
    codes: ["INVALID_CONDITION_OPERATOR"],
  },
  {
    why: "T-DOC-31 NullIfExists",
    elements: when("NullIfExists", { "a:b": "true" }),
    codes: ["NULL_WITH_IF_EXISTS"],
  },
  {
    why: "T-CON-61 ForAllValues:Null",
    elements: when("ForAllValues:Null", { "a:b": "true" }),
    codes: ["NULL_WITH_QUALIFIER"],
  },
  {
    why: "T-CON-61 ForAnyValue:Null",
    elements: when("ForAnyValue:Null", { "a:b": "true" }),
    codes: ["NULL_WITH_QUALIFIER"],
  },
  {
    why: "VAL-7 Null with two values",
    elements: when("Null", { "a:b": ["true", "false"] }),
    codes: ["INVALID_CONDITION_NULL_VALUE"],
  },
  {
    why: "VAL-7 Null without value",
    elements: when("Null", { "a:b": [] }),
    codes: ["INVALID_CONDITION_NULL_VALUE"],
  },
  {
    why: "VAL-7 Null with another word",
    elements: when("Null", { "a:b": "yes" }),
    codes: ["INVALID_CONDITION_VALUE"],
  },
  {
    why: "T-DOC-39 a trust policy with Resource",
    type: "trust",
    elements: { Resource: "*" },
    codes: ["ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"],
  },
  {
    why: "a trust policy with NotResource",
    type: "trust",
    elements: { NotResource: "*" },
    codes: ["ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"],
  },
  {
    why: "T-DOC-40 a trust policy with NotPrincipal",
    type: "trust",
    elements: { Effect: "Deny", Principal: undefined, NotPrincipal: { AWS: user } },
    codes: ["ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL"],
  },
  {
    why: "a trust policy without principal",
    type: "trust",
    elements: { Principal: undefined },
    codes: ["MISSING_PRINCIPAL"],
  },
  {
    why: "T-DOC-43 an SCP with Principal",
    type: "serviceControl",
    elements: { Principal: "*" },
    codes: ["SCP_SYNTAX_ERROR_PRINCIPAL"],
  },
  {
    why: "an SCP with NotPrincipal",
    type: "serviceControl",
    elements: { Effect: "Deny", NotPrincipal: { AWS: user } },
    codes: ["SCP_SYNTAX_ERROR_PRINCIPAL"],
  },
  {
    why: "T-DOC-44 an RCP that allows",
    type: "resourceControl",
    elements: { Effect: "Allow" },
    codes: ["RCP_SYNTAX_ERROR_ALLOW"],
  },
  {
    why: "T-DOC-45 an RCP that names a principal",
    type: "resourceControl",
    elements: { Principal: { AWS: user } },
    codes: ["RCP_SYNTAX_ERROR_PRINCIPAL"],
  },
  {
    why: "an RCP without principal",
    type: "resourceControl",
    elements: { Principal: undefined },
    codes: ["RCP_SYNTAX_ERROR_PRINCIPAL"],
  },
  {
    why: "an RCP with NotPrincipal",
    type: "resourceControl",
    elements: { Principal: undefined, NotPrincipal: { AWS: user } },
    codes: ["RCP_SYNTAX_ERROR_NOTPRINCIPAL"],
  },
  {
    why: "T-DOC-46 an RCP on every action",
    type: "resourceControl",
    elements: { Action: "*" },
    codes: ["RCP_SYNTAX_ERROR_ACTION_WILDCARD"],
  },
  {
    why: "T-DOC-47 an RCP with NotAction",
    type: "resourceControl",
    elements: { Action: undefined, NotAction: "s3:*" },
    codes: ["RCP_SYNTAX_ERROR_NOTACTION"],
  },
  {
    why: "T-DOC-47 an RCP of 2008",
    type: "resourceControl",
    top: { Version: "2008-10-17" },
    codes: ["RCP_SYNTAX_ERROR_VERSION"],
  },
  {
    why: "T-DOC-48 an RCP on iam",
    type: "resourceControl",
    elements: { Action: "IAM:*" },
    codes: ["RCP_SYNTAX_ERROR_UNSUPPORTED_SERVICE"],
  },
  {
    why: "TYPE-1 an RCP on the control plane's API",
    type: "resourceControl",
    elements: { Action: "mesh-iam:PutPolicy" },
    codes: ["RCP_SYNTAX_ERROR_UNSUPPORTED_SERVICE"],
  },
  {
    why: "TYPE-1 an RCP whose wildcard reaches a service without RCPs",
    type: "resourceControl",
    elements: { Action: "*m:Get*" },
    codes: ["RCP_SYNTAX_ERROR_UNSUPPORTED_SERVICE"],
  },
  {
    why: "US-21 a short ARN in an RCP",
    type: "resourceControl",
    elements: { Resource: "arn:aws:s3:*" },
    codes: ["MISSING_ARN_FIELD"],
  },
  {
    why: "T-DOC-49 Allow with NotPrincipal",
    type: "resource",
    elements: { Principal: undefined, NotPrincipal: { AWS: user } },
    codes: ["ALLOW_WITH_NOT_PRINCIPAL"],
  },
  {
    why: "T-DOC-50 NotPrincipal *",
    type: "resource",
    elements: { Effect: "Deny", Principal: undefined, NotPrincipal: "*" },
    codes: ["UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  },
  {
    why: "T-DOC-50 NotPrincipal with an entry *",
    type: "resource",
    elements: { Effect: "Deny", Principal: undefined, NotPrincipal: { AWS: [user, "*"] } },
    codes: ["UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  },
  {
    why: "T-PRI-29 a resource policy without Principal",
    type: "resource",
    elements: { Principal: undefined },
    codes: ["MISSING_PRINCIPAL"],
  },
  {
    why: "T-DOC-54 a condition key without prefix",
    elements: when("StringEquals", { username: "bob" }),
    codes: ["INVALID_CONDITION_KEY_FORMAT"],
  },
  {
    why: "a condition key without name",
    elements: when("StringEquals", { "aws:": "bob" }),
    codes: ["INVALID_CONDITION_KEY_FORMAT"],
  },
  {
    why: "a variable in a condition key",
    elements: when("StringEquals", { "aws:PrincipalTag/${aws:username}": "x" }),
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  {
    why: "T-DOC-56 an SCP without Version",
    type: "serviceControl",
    top: { Version: undefined },
    codes: ["SCP_SYNTAX_ERROR_VERSION"],
  },
  {
    why: "T-DOC-56 an SCP of 2008",
    type: "serviceControl",
    top: { Version: "2008-10-17" },
    codes: ["SCP_SYNTAX_ERROR_VERSION"],
  },
  {
    why: "T-ACT-14 an action without colon",
    elements: { Action: "GetObject" },
    codes: ["INVALID_ACTION"],
  },
  {
    why: "an action without service",
    elements: { Action: ":GetObject" },
    codes: ["INVALID_ACTION"],
  },
  { why: "an action without name", elements: { Action: "s3:" }, codes: ["INVALID_ACTION"] },
  { why: "a number as action", elements: { Action: 1 }, codes: ["DATA_TYPE_MISMATCH"] },
  {
    why: "a number among actions",
    elements: { Action: ["s3:*", 1] },
    codes: ["DATA_TYPE_MISMATCH"],
  },
  {
    why: "T-VAR-14 a variable in an action",
    elements: { Action: "s3:${aws:username}" },
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  {
    why: "T-RES-07 five fields",
    elements: { Resource: "arn:aws:sqs:*:q1" },
    codes: ["MISSING_ARN_FIELD"],
  },
  {
    why: "T-RES-12 an upper-case service",
    elements: { Resource: "arn:aws:S3:::b" },
    codes: ["INVALID_ARN_SERVICE_CASE"],
  },
  {
    why: "T-RES-13 a wildcard service",
    elements: { Resource: "arn:aws:s?:::b" },
    codes: ["INVALID_ARN_SERVICE"],
  },
  {
    why: "RES-7 every service",
    elements: { Resource: "arn:aws:*:::b" },
    codes: ["INVALID_ARN_SERVICE"],
  },
  {
    why: "T-RES-14 a star inside the last field",
    elements: { Resource: "arn:aws:s3*" },
    codes: ["MISSING_ARN_FIELD"],
  },
  {
    why: "T-RES-14 three fields",
    elements: { Resource: "arn:aws:s3" },
    codes: ["MISSING_ARN_FIELD"],
  },
  { why: "T-RES-15 no ARN", elements: { Resource: "bucket" }, codes: ["INVALID_ARN_PREFIX"] },
  {
    why: "a star in the prefix",
    elements: { Resource: "arn*:aws:s3:::b" },
    codes: ["INVALID_ARN_PREFIX"],
  },
  { why: "the empty resource", elements: { Resource: "" }, codes: ["INVALID_ARN_PREFIX"] },
  {
    why: "an empty partition",
    elements: { Resource: "arn::s3:::b" },
    codes: ["INVALID_ARN_PARTITION"],
  },
  {
    why: "an empty service",
    elements: { Resource: "arn:aws::::b" },
    codes: ["INVALID_ARN_SERVICE"],
  },
  {
    why: "an empty resource field",
    elements: { Resource: "arn:aws:s3:::" },
    codes: ["INVALID_ARN_RESOURCE"],
  },
  {
    why: "T-VAR-14 a variable in the service field",
    elements: { Resource: "arn:aws:${aws:x}:::b" },
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  {
    why: "T-VAR-14 a variable in the region field",
    elements: { Resource: "arn:aws:s3:${aws:RequestedRegion}::b" },
    codes: ["VARIABLE_UNSUPPORTED_IN_ELEMENT"],
  },
  {
    why: "T-VAR-13 a malformed variable in a resource",
    elements: { Resource: "arn:aws:s3:::b/${aws:username" },
    codes: ["MISSING_BRACE_IN_VARIABLE"],
  },
  {
    why: "a malformed variable in a condition value",
    elements: when("StringEquals", { "aws:username": "${}" }),
    codes: ["EMPTY_VARIABLE"],
  },
  {
    why: "T-VAR-21 a variable in a number",
    elements: when("NumericEquals", { "aws:MultiFactorAuthAge": "${aws:PrincipalTag/T}" }),
    codes: ["INVALID_VARIABLE_FOR_OPERATOR"],
  },
  {
    why: "T-VAR-22 a variable in a Bool",
    elements: when("Bool", { "aws:SecureTransport": "${aws:PrincipalTag/T}" }),
    codes: ["INVALID_VARIABLE_FOR_OPERATOR"],
  },
  {
    why: "T-CON-20 a multivalued key without set operator",
    elements: when("StringEquals", { "aws:TagKeys": "a" }),
    codes: ["MISSING_QUALIFIER"],
  },
  {
    why: "SET-5 a multivalued key with a prefix of its own",
    elements: when("StringNotLikeIfExists", { "mesh:RequestQueryString/admin": "1" }),
    codes: ["MISSING_QUALIFIER"],
  },
  ...["1e3", "0x10", "10abc", " 10", "+1", "", "NaN", "1.", ".5", "1".repeat(65)].map((value) => ({
    why: `T-CON-28 the number \`${value.slice(0, 8)}\``,
    elements: when("NumericEquals", { "aws:MultiFactorAuthAge": value }),
    codes: ["INVALID_CONDITION_VALUE"],
  })),
  {
    why: "T-CON-28 a JSON number with an exponent",
    elements: when("NumericEquals", { "aws:MultiFactorAuthAge": 1e300 }),
    codes: ["INVALID_CONDITION_VALUE"],
  },
  ...[
    "Jan 1 2020",
    "2024-02-30",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:00:60Z",
    "2024-01-01T00:00:00",
    "1735689600000",
  ].map((value) => ({
    why: `T-CON-39 the date \`${value}\``,
    elements: when("DateLessThan", { "aws:CurrentTime": value }),
    codes: ["INVALID_CONDITION_VALUE"],
  })),
  ...["010.0.0.1", "127.1", "10.0.0.0/33", "10.0.0.0/08", "fe80::1%eth0", "0x7f.1", ""].map(
    (value) => ({
      why: `T-CON-50 the address \`${value}\``,
      elements: when("IpAddress", { "aws:SourceIp": value }),
      codes: ["INVALID_CONDITION_VALUE"],
    }),
  ),
  ...["*", "arn:*", "not-an-arn", "${aws:PrincipalArn}"].map((value) => ({
    why: `T-CON-54 the ARN \`${value}\``,
    elements: when("ArnLike", { "aws:SourceArn": value }),
    codes: ["INVALID_CONDITION_VALUE"],
  })),
  {
    why: "VAL-3 another truth value",
    elements: when("Bool", { "aws:SecureTransport": "yes" }),
    codes: ["INVALID_CONDITION_VALUE"],
  },
  {
    why: "VAL-6 base64 without padding",
    elements: when("BinaryEquals", { "a:b": "QQ" }),
    codes: ["INVALID_CONDITION_VALUE"],
  },
];

const principals: readonly (readonly [why: string, principal: unknown, code: string])[] = [
  ["T-DOC-51 a bare ARN", `arn:aws:iam::${account}:root`, "INVALID_PRINCIPAL_FORMAT"],
  ["a number", 1, "DATA_TYPE_MISMATCH"],
  ["a list", ["*"], "DATA_TYPE_MISMATCH"],
  ["a number in the map", { AWS: 1 }, "DATA_TYPE_MISMATCH"],
  ["T-DOC-52 the key aws", { aws: user }, "INVALID_PRINCIPAL_KEY"],
  ["T-DOC-53 a group", { AWS: `arn:aws:iam::${account}:group/g` }, "INVALID_PRINCIPAL_FORMAT"],
  ["an account of 11 digits", { AWS: "11111111111" }, "INVALID_PRINCIPAL_FORMAT"],
  ["an ARN with a region", { AWS: `arn:aws:iam:x:${account}:root` }, "INVALID_PRINCIPAL_FORMAT"],
  ["an ARN without account", { AWS: "arn:aws:iam:::root" }, "INVALID_PRINCIPAL_FORMAT"],
  ["an ARN without partition", { AWS: `arn::iam::${account}:root` }, "INVALID_PRINCIPAL_FORMAT"],
  ["a role without name", { AWS: `arn:aws:iam::${account}:role/` }, "INVALID_PRINCIPAL_FORMAT"],
  [
    "a workload without id",
    { AWS: `arn:aws:iam::${account}:workload/` },
    "INVALID_PRINCIPAL_FORMAT",
  ],
  ["a user of sts", { AWS: `arn:aws:sts::${account}:user/bob` }, "INVALID_PRINCIPAL_FORMAT"],
  [
    "a session with a path",
    { AWS: `arn:aws:sts::${account}:assumed-role/a/b/c` },
    "INVALID_PRINCIPAL_FORMAT",
  ],
  [
    "a federated session with a path",
    { AWS: `arn:aws:sts::${account}:federated-user/a/b` },
    "INVALID_PRINCIPAL_FORMAT",
  ],
  [
    "a service name that is too long",
    { Service: `${"a.".repeat(130)}com` },
    "INVALID_SERVICE_PRINCIPAL_FORMAT",
  ],
  ["a user without name", { AWS: `arn:aws:iam::${account}:user/` }, "INVALID_PRINCIPAL_FORMAT"],
  ["root with a path", { AWS: `arn:aws:iam::${account}:root/x` }, "INVALID_PRINCIPAL_FORMAT"],
  [
    "a session without name",
    { AWS: `arn:aws:sts::${account}:assumed-role/app` },
    "INVALID_PRINCIPAL_FORMAT",
  ],
  [
    "T-PRI-08 every role",
    { AWS: `arn:aws:iam::${account}:role/*` },
    "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
  ],
  ["every account", { AWS: "arn:aws:iam::*:root" }, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  [
    "a question mark",
    { AWS: `arn:aws:iam::${account}:user/bo?` },
    "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
  ],
  ["T-PRI-28 every service", { Service: "*" }, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
  [
    "T-PRI-28 every session",
    { AWS: `arn:aws:sts::${account}:assumed-role/app/*` },
    "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
  ],
  ["a service of one label", { Service: "sns" }, "INVALID_SERVICE_PRINCIPAL_FORMAT"],
  ["a service in upper case", { Service: "SNS.amazonaws.com" }, "INVALID_SERVICE_PRINCIPAL_FORMAT"],
  [
    "T-PRI-30 a provider outside a trust policy",
    { Federated: "accounts.google.com" },
    "FEDERATED_PRINCIPAL_NOT_SUPPORTED",
  ],
  ["a short canonical user", { CanonicalUser: "abc" }, "INVALID_PRINCIPAL_FORMAT"],
  [
    "T-VAR-14 a variable",
    { AWS: `arn:aws:iam::${account}:user/\${aws:username}` },
    "VARIABLE_UNSUPPORTED_IN_ELEMENT",
  ],
];

describe("the loader refuses", () => {
  test.each(refused)("$why", ({ type = "identity", elements = {}, top = {}, codes }) => {
    expect(refusalsOf(policy(type, elements, top), type)).toEqual(codes);
  });

  test.each(principals)("the principal: %s", (_why, Principal, code) => {
    expect(refusalsOf(policy("resource", { Principal }), "resource")).toEqual([code]);
  });

  test.each([
    "example.com",
    `arn:aws:iam::${account}:oidc-provider/`,
    `arn:aws:iam::${account}:user/bob`,
    `arn:aws:iam:r:${account}:oidc-provider/x`,
    `arn:aws:sts::${account}:oidc-provider/x`,
    `arn::iam::${account}:oidc-provider/x`,
    "arn:aws:iam::1:saml-provider/x",
  ])("%s is no provider of a trust policy", (Federated) => {
    const text = policy("trust", { Principal: { Federated } });
    expect(refusalsOf(text, "trust")).toEqual([
      "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
    ]);
  });

  test.each([
    ["a text", '"x"'],
    ["a list", "[]"],
    ["null", "null"],
  ])("%s instead of a document", (_why, text) => {
    expect(refusalsOf(text, "identity")).toEqual(["DATA_TYPE_MISMATCH"]);
  });

  test("T-DOC-20 characters beyond U+00FF outside resource policies", () => {
    const identity = policy("identity", { Sid: "Ā" });
    expect(refusalsOf(identity, "identity")).toEqual(["UNSUPPORTED_CHARACTER"]);
    expect(refusalsOf(identity.replace("Ā", "\\u0100"), "identity")).toEqual([
      "UNSUPPORTED_CHARACTER",
    ]);
    const resource = policy("resource", { Sid: "Ā" });
    expect(refusalsOf(resource, "resource")).toEqual([]);
    expect(refusalsOf(resource.replace("Ā", "\u0085"), "resource")).toEqual([
      "UNSUPPORTED_CHARACTER",
    ]);
  });

  test.each([
    ["10,000 actions", { Action: Array(10_000).fill("a:b") }, "LIST_LENGTH_LIMIT"],
    ["5,000 resources", { Resource: Array(5_000).fill("*") }, "LIST_LENGTH_LIMIT"],
    ["5,000 values", when("StringEquals", { "a:b": Array(5_000).fill("x") }), "LIST_LENGTH_LIMIT"],
    ["an ARN of 1 MB", { Resource: `arn:aws:s3:::${"a".repeat(1 << 20)}` }, "TEXT_SIZE_LIMIT"],
  ])("POL-026 %s", (_why, elements, code) => {
    expect(refusalsOf(policy("identity", elements), "identity")).toEqual([code]);
  });

  test("POL-026 too many principals and statements", () => {
    const Principal = { AWS: Array(5_000).fill(account) };
    expect(refusalsOf(policy("resource", { Principal }), "resource")).toEqual([
      "LIST_LENGTH_LIMIT",
    ]);
    const Statement = Array(1_025).fill(base.identity);
    expect(refusalsOf(JSON.stringify({ Statement }), "identity")).toEqual([
      "STATEMENT_COUNT_LIMIT",
    ]);
  });

  test("every mistake of a document, each with its place", () => {
    const text = `{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": ["s3:GetObject", "GetObject"], "Resource": "bucket" },
    { "Effect": "Perhaps", "Action": "s3:*", "Resource": "*",
      "Condition": { "StringLike": { "aws:username": ["x", "\${aws:username"] } } }
  ]
}`;
    const parsed = parsePolicyDocument(text, "identity");
    if (parsed.ok) throw new Error("expected refusals");
    expect(parsed.problems).toMatchObject([
      { path: "Statement[0].Action[1]", position: { line: 4, column: 53 } },
      { path: "Statement[0].Resource", position: { line: 4, column: 67 } },
      { path: "Statement[1].Effect", position: { line: 5, column: 7 } },
      {
        path: "Statement[1].Condition.StringLike.aws:username[1]",
        position: { line: 6, column: 60 },
      },
    ]);
  });
});

describe("the loader accepts", () => {
  const accepted: readonly [why: string, type: DocumentType, elements: Elements][] = [
    ["an account number", "resource", { Principal: { AWS: account } }],
    ["a list of principals", "resource", { Principal: { AWS: [user, account], Service: "a.b" } }],
    ["a mesh service principal", "resource", { Principal: { Service: "gateway.svc.mesh" } }],
    [
      "a workload",
      "resource",
      { Principal: { AWS: `arn:aws:iam::${account}:workload/td/ns/x/sa/y` } },
    ],
    ["a session", "resource", { Principal: { AWS: `arn:aws:sts::${account}:assumed-role/app/s` } }],
    [
      "a federated session",
      "resource",
      { Principal: { AWS: `arn:aws:sts::${account}:federated-user/bob` } },
    ],
    ["a canonical user", "resource", { Principal: { CanonicalUser: "0a".repeat(32) } }],
    ["a built-in provider", "trust", { Principal: { Federated: "accounts.google.com" } }],
    [
      "an OIDC provider",
      "trust",
      { Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/login.example.com/x` } },
    ],
    [
      "NotPrincipal in a Deny",
      "resource",
      { Effect: "Deny", Principal: undefined, NotPrincipal: { AWS: [user, account] } },
    ],
    ["a short ARN", "identity", { Resource: ["arn:*", "arn:aws:*", "arn:aws:s3:*"] }],
    ["a short ARN in an SCP", "serviceControl", { Resource: "arn:aws:s3:*" }],
    ["the SCP forms of 2025", "serviceControl", { Action: undefined, NotAction: "s3:*Object" }],
    ["an RCP with NotResource", "resourceControl", { Resource: undefined, NotResource: "*" }],
    ["an RCP on sts", "resourceControl", { Action: ["sts:*", "orders:*", "s3*:*"] }],
    ["trailing blanks in an action", "identity", { Action: "s3:GetObject " }],
    ["a colon in an action's name", "identity", { Action: "a:b:c" }],
    [
      "a variable in every field of an ARN value",
      "identity",
      when("ArnLike", { "a:b": "arn:${a:b}:${a:b}:*:*:${a:b}" }),
    ],
    ["Null on a multivalued key", "identity", when("Null", { "aws:TagKeys": "false" })],
    ["Null with a JSON boolean", "identity", when("Null", { "aws:TagKeys": true })],
    ["an unqualified claim", "identity", when("StringEquals", { "mesh:JwtClaim/groups": "x" })],
    ["an empty value list", "identity", when("StringEquals", { "a:b": [] })],
    ["an empty operator", "identity", when("StringEquals", {})],
    [
      "a key with an issuer's prefix",
      "trust",
      when("StringEquals", { "login.example.com/x:sub": "s" }),
    ],
  ];

  test.each(accepted)("%s", (_why, type, elements) => {
    expect(refusalsOf(policy(type, elements), type)).toEqual([]);
  });

  test("one statement without a list, with everything as written", () => {
    const document = load(
      policy(
        "identity",
        {},
        {
          Statement: {
            Sid: "One",
            Effect: "Deny",
            NotAction: "S3:Get*",
            NotResource: ["arn:aws:s3:::b/${aws:username}"],
            Condition: { stringnotlikeifexists: { "AWS:UserName": "a" }, Bool: { "b:c": true } },
          },
        },
      ),
    );
    expect(document).toMatchObject({
      version: "2012-10-17",
      statements: [
        {
          sid: "One",
          effect: "Deny",
          principal: null,
          action: { negated: true, entries: [{ text: "S3:Get*" }] },
          resource: { negated: true, entries: [{ text: "arn:aws:s3:::b/${aws:username}" }] },
          conditions: [
            {
              operator: "StringNotLikeIfExists",
              base: "StringLike",
              negated: true,
              ifExists: true,
              quantifier: null,
              key: "AWS:UserName",
              keyLower: "aws:username",
              values: [{ text: "a" }],
            },
            { operator: "Bool", base: "Bool", values: [{ text: "true" }] },
          ],
        },
      ],
    });
  });

  test("US-06, DOC-12 a JSON number is its source text", () => {
    const text =
      '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":[1.0,9007199254740993]}}}}';
    expect(load(text).statements[0]?.conditions[0]?.values.map((value) => value.text)).toEqual([
      "1.0",
      "9007199254740993",
    ]);
  });

  test("ArnEquals and ArnLike are one operator, spelled as written", () => {
    const Condition = { ArnNotEquals: { "aws:SourceArn": "arn:aws:sns:*:*:*" } };
    expect(load(policy("identity", { Condition })).statements[0]?.conditions).toMatchObject([
      { operator: "ArnNotEquals", base: "ArnLike", negated: true },
    ]);
  });

  test("* and {AWS: *} are the same principal", () => {
    const text = policy("resource", { Principal: { AWS: ["*", user] } });
    expect(load(text, "resource").statements[0]?.principal).toMatchObject({
      negated: false,
      entries: [{ type: "any" }, { type: "AWS", text: user }],
    });
    expect(load(policy("resource", {}), "resource").statements[0]?.principal).toMatchObject({
      entries: [{ type: "any", text: "*" }],
    });
  });

  test("the document is frozen to its leaves", () => {
    const document = load(policy("identity", when("StringEquals", { "a:b": "x" })));
    expect(Object.isFrozen(document)).toBe(true);
    expect(Object.isFrozen(document.statements)).toBe(true);
    expect(Object.isFrozen(document.statements[0]?.conditions[0]?.values[0]?.position)).toBe(true);
  });

  test("DOC-9 without a version variables are text, whatever they look like", () => {
    const text = policy("identity", { Resource: "arn:aws:s3:::b/${" }, { Version: undefined });
    expect(load(text).version).toBe("2008-10-17");
    expect(findingsOf(text, "identity")).toContain("ERROR VARIABLE_UNSUPPORTED_IN_VERSION");
  });
});

describe("findings that go with an accepted document", () => {
  const rows: readonly (readonly [string, DocumentType, Elements, Elements, string])[] = [
    ["T-DOC-14 no version", "identity", {}, { Version: undefined }, "WARNING MISSING_VERSION"],
    ["T-DOC-15 an Id", "identity", {}, { Id: "x" }, "WARNING UNSUPPORTED_ID"],
    ["T-DOC-21", "identity", { Action: [] }, {}, "SUGGESTION EMPTY_ARRAY_ACTION"],
    ["T-DOC-22", "identity", { Resource: [] }, {}, "SUGGESTION EMPTY_ARRAY_RESOURCE"],
    ["T-DOC-22", "resource", { Principal: {} }, {}, "SUGGESTION EMPTY_OBJECT_PRINCIPAL"],
    [
      "an empty list",
      "resource",
      { Principal: { AWS: [] } },
      {},
      "SUGGESTION EMPTY_ARRAY_PRINCIPAL",
    ],
    ["T-DOC-24", "identity", { Condition: {} }, {}, "SUGGESTION EMPTY_OBJECT_CONDITION"],
    ["T-DOC-25", "identity", when("StringEquals", {}), {}, "SUGGESTION EMPTY_OBJECT_CONDITION"],
    [
      "T-DOC-27",
      "identity",
      when("StringEquals", { "a:b": ["a", 1] }),
      {},
      "ERROR INVALID_CONDITION_DATA_TYPE",
    ],
    ["T-DOC-42", "trust", { Action: "s3:GetObject" }, {}, "ERROR UNSUPPORTED_ACTION_IN_POLICY"],
    ["T-ACT-04", "identity", { Action: "s*:GetObject" }, {}, "SUGGESTION WILDCARD_IN_SERVICE_NAME"],
    [
      "T-CON-06",
      "identity",
      when("stringequals", { "a:b": "x" }),
      {},
      "WARNING CONDITION_OPERATOR_CASE",
    ],
    [
      "T-VAR-26",
      "identity",
      { Resource: "arn:*:sqs:*:${aws:PrincipalAccount}:q1" },
      {},
      "WARNING VARIABLE_IN_ARN_ACCOUNT",
    ],
    [
      "T-RES-10",
      "identity",
      { Resource: `arn:aws:iam::${account}:*/app` },
      {},
      "WARNING WILDCARD_IN_RESOURCE_TYPE",
    ],
    [
      "PRIN-3 a dangling role",
      "resource",
      { Principal: { AWS: "AROAEXAMPLE123" } },
      {},
      "WARNING INVALID_ROLE_REFERENCE",
    ],
    [
      "PRIN-3 a dangling user",
      "resource",
      { Principal: { AWS: "AIDAEXAMPLE123" } },
      {},
      "WARNING INVALID_USER_REFERENCE",
    ],
    [
      "2008 variables in a condition",
      "identity",
      when("StringEquals", { "a:b": "${aws:x}" }),
      { Version: "2008-10-17" },
      "ERROR VARIABLE_UNSUPPORTED_IN_VERSION",
    ],
  ];

  test.each(rows)("%s %#", (_why, type, elements, top, finding) => {
    expect(findingsOf(policy(type, elements, top), type)).toContain(finding);
  });

  test("a clean document has none", () => {
    expect(findingsOf(policy("identity", {}), "identity")).toEqual([]);
    expect(findingsOf(policy("trust", {}, { Id: "x" }), "trust")).toEqual([]);
  });

  test("an unknown operator names the nearest one", () => {
    const parsed = parsePolicyDocument(
      policy("identity", when("StringEqual", { "a:b": "x" })),
      "identity",
    );
    expect(parsed).toMatchObject({
      problems: [{ message: expect.stringContaining("did you mean `StringEquals`") }],
    });
  });
});

test("T-PROP-08 no document throws, and an accepted one reads the same when written again", () => {
  const word = fc.constantFrom(
    "*",
    "s3:Get*",
    "arn:aws:s3:::b/${aws:username}",
    "${",
    "2012-10-17",
    "Allow",
    "Deny",
    user,
    "x",
    "",
  );
  const value = fc.oneof(
    word,
    fc.array(word, { maxLength: 3 }),
    fc.constantFrom(null, 1, true, {}),
  );
  const condition = fc.dictionary(
    fc.constantFrom("StringLike", "ForAnyValue:StringEquals", "Null", "NumericEquals", "x"),
    fc.dictionary(fc.constantFrom("aws:username", "aws:TagKeys", "x"), value),
  );
  const statement = fc.record(
    {
      Effect: fc.constantFrom("Allow", "Deny", "x"),
      Action: value,
      Resource: value,
      Principal: fc.oneof(value, fc.record({ AWS: value })),
      NotPrincipal: fc.record({ AWS: value }),
      Sid: value,
      Condition: condition,
    },
    { requiredKeys: ["Effect", "Action"] },
  );
  const types = Object.keys(base) as DocumentType[];
  fc.assert(
    fc.property(
      fc.array(statement, { maxLength: 2 }),
      fc.constantFrom(...types),
      (Statement, type) => {
        const parsed = parsePolicyDocument(
          JSON.stringify({ Version: "2012-10-17", Statement }),
          type,
        );
        if (!parsed.ok) {
          expect(parsed.problems.length).toBeGreaterThan(0);
          return;
        }
        const again = parsePolicyDocument(
          JSON.stringify({ Version: "2012-10-17", Statement }, null, 1),
          type,
        );
        if (!again.ok) throw new Error("expected the same text to be accepted again");
        expect(withoutPositions(again.value)).toEqual(withoutPositions(parsed.value));
      },
    ),
    { numRuns: 500 },
  );
});

function withoutPositions(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member) => (key === "position" ? 0 : member)));
}
