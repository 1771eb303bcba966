import { expect, test } from "vitest";
import { A, document, refusals, trust } from "../../../test/fakes/document-texts.ts";

test.each([
  {
    why: "a list at the top",
    text: "- a\n",
    want: ["a.yaml:1:1: expected a mapping, got a list"],
  },
  {
    why: "another apiVersion",
    text: document("Group", "devs", "{}").replace("/v1", "/v2"),
    want: [
      "a.yaml:1:13 Group/devs apiVersion: expected `mesh-iam.io/v1`, got the text `mesh-iam.io/v2`",
    ],
  },
  {
    why: "an unknown kind",
    text: document("Rol", "app", "{}"),
    want: ["a.yaml:2:7 Rol/app kind: unknown kind `Rol`, did you mean `Role`?"],
  },
  {
    why: "a kind that is no text",
    text: document("[Role]", "app", "{}"),
    want: ["a.yaml:2:7 app kind: expected a kind like `User`, got a list"],
  },
  {
    why: "no kind",
    text: "apiVersion: mesh-iam.io/v1\nmetadata: { name: app }\n",
    want: ["a.yaml:1:1 app: expected the member `kind`"],
  },
  {
    why: "an unknown member at the top",
    text: `${document("Group", "devs", "{}")}specs: {}\n`,
    want: ["a.yaml:6:1 Group/devs: unknown member `specs`, did you mean `spec`?"],
  },
  {
    why: "an unknown member of metadata",
    text: document("Group", "devs", "{}", `, account: "${A}", paths: /a/`),
    want: ["a.yaml:3:50 Group/devs metadata: unknown member `paths`, did you mean `path`?"],
  },
  {
    why: "metadata that is no mapping",
    text: "apiVersion: mesh-iam.io/v1\nkind: Group\nmetadata: devs\n",
    want: ["a.yaml:3:11 Group metadata: expected a mapping, got the text `devs`"],
  },
  {
    why: "no name",
    text: 'apiVersion: mesh-iam.io/v1\nkind: Group\nmetadata: { account: "111122223333" }\n',
    want: ["a.yaml:3:11 Group metadata: expected the member `name`"],
  },
  {
    why: "no account where the kind needs one",
    text: document("Group", "devs", "{}", ""),
    want: ["a.yaml:3:11 Group/devs metadata: expected the member `account`"],
  },
  {
    why: "an account where the kind has none",
    text: document("Account", "shop", `accountId: "${A}"`),
    want: ["a.yaml:3:25 Account/shop metadata: unknown member `account`"],
  },
  {
    why: "an account id without quotes",
    text: document("Group", "devs", "{}", ", account: 111122223333"),
    want: [
      `a.yaml:3:34 Group/devs metadata.account: expected an account id of 12 digits, got the number \`${A}\`: quote it, "${A}"`,
    ],
  },
  {
    why: "an account id with a leading zero, without quotes",
    text: document("Group", "devs", "{}", ", account: 011122223333"),
    want: [
      'a.yaml:3:34 Group/devs metadata.account: expected an account id of 12 digits, got the number `011122223333`: quote it, "011122223333"',
    ],
  },
  {
    why: "an account id of 11 digits",
    text: document("Group", "devs", "{}", ', account: "11112222333"'),
    want: [
      "a.yaml:3:34 Group/devs metadata.account: expected an account id of 12 digits, got the text `11112222333`",
    ],
  },
  {
    why: "a path where the kind has none",
    text: document(
      "Workload",
      "w",
      "spiffeId: spiffe://td.example/a",
      `, account: "${A}", path: /a/`,
    ),
    want: [
      "a.yaml:3:47 Workload/w metadata: unknown member `path`",
      "a.yaml:5:13 Workload/w spec.spiffeId: unknown trust domain `td.example`: expected a TrustDomain document",
    ],
  },
  {
    why: "a path without end",
    text: document("Group", "devs", "{}", `, account: "${A}", path: /a`),
    want: [
      "a.yaml:3:56 Group/devs metadata.path: expected a path of at most 512 visible characters that begins and ends with `/`, got the text `/a`",
    ],
  },
  {
    why: "SSO-1, a reserved path",
    text: document(
      "Role",
      "r",
      `assumeRolePolicyDocument: ${trust}`,
      `, account: "${A}", path: /aws-service-role/x/`,
    ),
    want: [
      "a.yaml:3:53 Role/r metadata.path: the path `/aws-service-role/` can be written by the control plane only",
    ],
  },
  {
    why: "SSO-1, a reserved path in other case",
    text: document(
      "Role",
      "r",
      `assumeRolePolicyDocument: ${trust}`,
      `, account: "${A}", path: /AWS-Reserved/`,
    ),
    want: [
      "a.yaml:3:53 Role/r metadata.path: the path `/aws-reserved/` can be written by the control plane only",
    ],
  },
  {
    why: "a user name of 65 characters",
    text: document("User", "u".repeat(65), "{}"),
    want: [
      "a.yaml:3:19 User/uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu metadata.name: expected a name of 1 to 64 letters, digits and `_+=,.@-`, got the text `uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu`",
    ],
  },
  {
    why: "a name with a space",
    text: document("User", '"a b"', "{}"),
    want: [
      "a.yaml:3:19 User/a b metadata.name: expected a name of 1 to 64 letters, digits and `_+=,.@-`, got the text `a b`",
    ],
  },
  {
    why: "a name that is a number",
    text: document("User", "123", "{}"),
    want: [
      'a.yaml:3:19 User metadata.name: expected a name of 1 to 64 letters, digits and `_+=,.@-`, got the number `123`: quote it, "123"',
    ],
  },
  {
    why: "a label that is a number",
    text: document("Group", "devs", "{}", `, account: "${A}", labels: { team: 1 }`),
    want: [
      'a.yaml:3:66 Group/devs metadata.labels.team: expected a text of at most 253 characters on one line, got the number `1`: quote it, "1"',
    ],
  },
])("$why is refused", ({ text, want }) => {
  expect(refusals(text)).toEqual(want);
});
