import { expect, test } from "vitest";
import {
  A,
  document,
  read,
  refusals,
  several,
  trust,
} from "../../../../test/fakes/document-texts.ts";

const policy = document("ManagedPolicy", "read", `policyDocument: ${read}`);

test.each([
  {
    why: "an unknown member that is near a known one",
    text: document("User", "bob", "grups: [devs]"),
    want: ["a.yaml:5:3 User/bob spec: unknown member `grups`, did you mean `groups`?"],
  },
  {
    why: "an unknown member",
    text: document("User", "bob", "zzzzzz: 1"),
    want: ["a.yaml:5:3 User/bob spec: unknown member `zzzzzz`"],
  },
  {
    why: "a spec that is no mapping",
    text: document("User", "bob", "- a"),
    want: ["a.yaml:5:3 User/bob spec: expected a mapping, got a list"],
  },
  {
    why: "a member without value",
    text: document("User", "bob", "groups:"),
    want: ["a.yaml:5:10 User/bob spec.groups: expected a list, got nothing"],
  },
  {
    why: "a text instead of a list",
    text: document("User", "bob", "groups: devs"),
    want: ["a.yaml:5:11 User/bob spec.groups: expected a list, got the text `devs`"],
  },
  {
    why: "an item of the wrong type",
    text: document("User", "bob", "groups: [1]"),
    want: [
      'a.yaml:5:12 User/bob spec.groups[0]: expected a name or an ARN, got the number `1`: quote it, "1"',
    ],
  },
  {
    why: "a reference given twice",
    text: several(document("User", "bob", "groups: [devs, devs]"), document("Group", "devs", "{}")),
    want: ["a.yaml:5:18 User/bob spec.groups[1]: `devs` is already item 0"],
  },
  {
    why: "a required member missing",
    text: document("Role", "app", "maxSessionDuration: 3600"),
    want: ["a.yaml:5:3 Role/app spec: expected the member `assumeRolePolicyDocument`"],
  },
  {
    why: "an unknown state",
    text: several(document("User", "bob", "state: activ")),
    want: [
      "a.yaml:5:10 User/bob spec.state: expected one of `active`, `disabled`, got the text `activ`, did you mean `active`?",
    ],
  },
  {
    why: "TAG-1, tag keys that differ in case",
    text: document("User", "bob", "tags: { Team: a, team: b }"),
    want: ["a.yaml:5:20 User/bob spec.tags.team: `team` and `Team` differ in case only"],
  },
  {
    why: "TAG-1, the same in a list of tags",
    text: document("User", "bob", "tags: [{ key: Team, value: a }, { key: team, value: b }]"),
    want: ["a.yaml:5:35 User/bob spec.tags[1]: `team` is already item 0"],
  },
  {
    why: "a tag key of AWS",
    text: document("User", "bob", "tags: { aws:x: a }"),
    want: [
      'a.yaml:5:9 User/bob spec.tags["aws:x"]: tag keys that begin with `aws:` are AWS\'s own',
    ],
  },
  {
    why: "a tag value that is a number",
    text: document("User", "bob", "tags: { level: 3 }"),
    want: [
      'a.yaml:5:18 User/bob spec.tags.level: expected a tag value of at most 256 letters, digits, spaces and `_.:/=+@-`, got the number `3`: quote it, "3"',
    ],
  },
  {
    why: "tags that are a text",
    text: document("User", "bob", "tags: blue"),
    want: ["a.yaml:5:9 User/bob spec.tags: expected tags as a mapping, got the text `blue`"],
  },
  {
    why: "51 tags",
    text: document(
      "User",
      "bob",
      `tags: { ${Array.from({ length: 51 }, (_, i) => `k${i}: v`).join(", ")} }`,
    ),
    want: ["a.yaml:5:9 User/bob spec.tags: expected a mapping of at most 50 members, got 51"],
  },
  {
    why: "a tag key with a forbidden character",
    text: document("User", "bob", `tags: { "a#b": v }`),
    want: [
      'a.yaml:5:11 User/bob spec.tags["a#b"]: expected a tag key of 1 to 128 letters, digits, spaces and `_.:/=+@-`, got `a#b`',
    ],
  },
  {
    why: "an unknown group",
    text: document("User", "bob", "groups: [devs]"),
    want: [`a.yaml:5:12 User/bob spec.groups[0]: unknown group \`devs\` in account \`${A}\``],
  },
  {
    why: "an unknown policy",
    text: several(document("User", "bob", "managedPolicyArns: [raed]"), policy),
    want: [
      `a.yaml:5:23 User/bob spec.managedPolicyArns[0]: unknown managed policy \`raed\` in account \`${A}\`, did you mean \`read\`?`,
    ],
  },
  {
    why: "an unknown boundary",
    text: several(document("User", "bob", "permissionsBoundary: reed"), policy),
    want: [
      `a.yaml:5:24 User/bob spec.permissionsBoundary: unknown managed policy \`reed\` in account \`${A}\`, did you mean \`read\`?`,
    ],
  },
  {
    why: "a policy of another account",
    text: document("User", "bob", `managedPolicyArns: ["arn:aws:iam::444455556666:policy/read"]`),
    want: [
      `a.yaml:5:23 User/bob spec.managedPolicyArns[0]: expected a managed policy of the own account \`${A}\`, got \`arn:aws:iam::444455556666:policy/read\``,
    ],
  },
  {
    why: "a policy of AWS",
    text: document("User", "bob", `managedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]`),
    want: [
      `a.yaml:5:23 User/bob spec.managedPolicyArns[0]: expected a managed policy of the own account \`${A}\`, got \`arn:aws:iam::aws:policy/ReadOnlyAccess\``,
    ],
  },
  {
    why: "an ARN with the wrong path",
    text: several(
      document("User", "bob", `managedPolicyArns: ["arn:aws:iam::${A}:policy/x/read"]`),
      policy,
    ),
    want: [
      `a.yaml:5:23 User/bob spec.managedPolicyArns[0]: expected the ARN of a managed policy that exists, \`arn:aws:iam::${A}:policy/<path and name>\`, got \`arn:aws:iam::${A}:policy/x/read\``,
    ],
  },
  {
    why: "STO-76, names that differ in case",
    text: several(document("User", "bob", "{}"), document("User", "Bob", "{}")),
    want: [
      "a.yaml:9:19 User/Bob metadata.name: `Bob` is the same object as User/bob at a.yaml:3:19",
    ],
  },
  {
    why: "two inline policies of one name",
    text: document(
      "User",
      "bob",
      `policies:\n  - { policyName: own, policyDocument: ${read} }\n  - { policyName: Own, policyDocument: ${read} }`,
    ),
    want: ["a.yaml:7:7 User/bob spec.policies[1]: `own` is already item 0"],
  },
  {
    why: "a policy that is a number",
    text: document("ManagedPolicy", "p", "policyDocument: 1"),
    want: [
      "a.yaml:5:19 ManagedPolicy/p spec.policyDocument: expected a policy document, got the number `1`",
    ],
  },
  {
    why: "a number that JSON has no form for",
    text: document(
      "ManagedPolicy",
      "p",
      `policyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "a:Get", Resource: "*", Condition: { NumericEquals: { "a:N": 0x1F } } }] }`,
    ),
    want: [
      "a.yaml:5:142 ManagedPolicy/p spec.policyDocument: expected a number as JSON writes it, got `0x1F`: quote it",
    ],
  },
  {
    why: "DOC-2, a doubled key in a policy",
    text: document(
      "ManagedPolicy",
      "p",
      `policyDocument: { Version: "2012-10-17", Version: "2012-10-17", Statement: [] }`,
    ),
    want: [
      "a.yaml:5:44 ManagedPolicy/p: the key `Version` is already at 5:21",
      "a.yaml:5:67 ManagedPolicy/p spec.policyDocument.Statement: expected at least one statement",
    ],
  },
  {
    why: "a session of a minute",
    text: document("Role", "app", `assumeRolePolicyDocument: ${trust}\nmaxSessionDuration: 60`),
    want: [
      "a.yaml:6:23 Role/app spec.maxSessionDuration: expected a whole number from 3600 to 43200, got the number `60`",
    ],
  },
  {
    why: "a number in quotes",
    text: document("Role", "app", `assumeRolePolicyDocument: ${trust}\nmaxSessionDuration: "3600"`),
    want: [
      "a.yaml:6:23 Role/app spec.maxSessionDuration: expected a whole number from 3600 to 43200, got the text `3600`",
    ],
  },
])("$why is refused", ({ text, want }) => {
  expect(refusals(text)).toEqual(want);
});
