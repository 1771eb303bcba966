import { expect, test } from "vitest";
import {
  A,
  document,
  inOrganization,
  read,
  several,
  trust,
  wide,
} from "../../../../test/fakes/document-texts.ts";
import type { Quotas } from "../document-options.ts";
import { defaultQuotas } from "../document-options.ts";
import { formatDocumentProblem } from "../document-problem.ts";
import { readDocuments } from "../documents.ts";
import { countCharacters, countWithoutWhiteSpace } from "../policy-size.ts";

/** A policy of exactly `characters` without white space, in one line; white space comes on top. */
function sized(characters: number, principal = ""): string {
  const around = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",${principal}"Action":"a:","Resource":"*"}]}`;
  const name = "x".repeat(characters - around.length);
  return `'${around.replace('"a:"', `"a:${name}"`).replaceAll(",", ", ")}'`;
}
function sizedControl(characters: number, effect: string, principal: string): string {
  const around = `{"Version":"2012-10-17","Statement":[{"Effect":"${effect}",${principal}"Action":"a:","Resource":"*"}]}`;
  return `'${around.replace('"a:"', `"a:${"x".repeat(characters - around.length)}"`)}'`;
}
const inline = (...policies: string[]) =>
  [
    "policies:",
    ...policies.map((text, i) => `  - { policyName: p${i}, policyDocument: ${text} }`),
  ].join("\n");
const many = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i));
const policies = (count: number) =>
  many(count, (i) => document("ManagedPolicy", `p${i}`, `policyDocument: ${read}`));
const names = (count: number) => many(count, (i) => `p${i}`).join(", ");
const domain = wide("TrustDomain", "td.example", `accounts: [{ account: "${A}" }]`);

const rows: readonly { quota: keyof Quotas; text: (size: number) => string }[] = [
  {
    quota: "managedPolicyCharacters",
    text: (size) => document("ManagedPolicy", "p", `policyDocument: ${sized(size)}`),
  },
  {
    quota: "userInlineCharacters",
    text: (size) => document("User", "bob", inline(sized(500), sized(size - 500))),
  },
  {
    quota: "groupInlineCharacters",
    text: (size) => document("Group", "devs", inline(sized(500), sized(size - 500))),
  },
  {
    quota: "roleInlineCharacters",
    text: (size) =>
      document(
        "Role",
        "app",
        `assumeRolePolicyDocument: ${trust}\n${inline(sized(500), sized(size - 500))}`,
      ),
  },
  {
    quota: "workloadInlineCharacters",
    text: (size) =>
      several(
        domain,
        document(
          "Workload",
          "w",
          `spiffeId: spiffe://td.example/w\n${inline(sized(500), sized(size - 500))}`,
        ),
      ),
  },
  {
    quota: "permissionSetInlineCharacters",
    text: (size) => wide("PermissionSet", "p", `inlinePolicy: ${sized(size)}`),
  },
  {
    quota: "trustPolicyCharacters",
    text: (size) => {
      const around = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"${A}"},"Action":"sts:AssumeRole","Sid":""}]}`;
      const sid = "x".repeat(size - around.length);
      return document(
        "Role",
        "app",
        `assumeRolePolicyDocument: '${around.replace('"Sid":""', `"Sid" :\t"${sid}"`)}'`,
      );
    },
  },
  {
    quota: "serviceControlPolicyCharacters",
    text: (size) =>
      inOrganization(
        wide("ServiceControlPolicy", "s", `content: ${sizedControl(size, "Allow", "")}`),
      ),
  },
  {
    quota: "resourceControlPolicyCharacters",
    text: (size) =>
      inOrganization(
        wide(
          "ResourceControlPolicy",
          "r",
          `content: ${sizedControl(size, "Deny", '"Principal":"*",')}`,
        ),
      ),
  },
  {
    quota: "resourcePolicyCharacters",
    text: (size) =>
      document(
        "Service",
        "a",
        `resourcePolicy: ${sizedControl(size, "Allow", '"Principal":"*",')}`,
      ),
  },
  {
    quota: "managedPoliciesPerUser",
    text: (size) =>
      several(...policies(size), document("User", "bob", `managedPolicyArns: [${names(size)}]`)),
  },
  {
    quota: "managedPoliciesPerGroup",
    text: (size) =>
      several(...policies(size), document("Group", "devs", `managedPolicyArns: [${names(size)}]`)),
  },
  {
    quota: "managedPoliciesPerRole",
    text: (size) =>
      several(
        ...policies(size),
        document(
          "Role",
          "app",
          `assumeRolePolicyDocument: ${trust}\nmanagedPolicyArns: [${names(size)}]`,
        ),
      ),
  },
  {
    quota: "managedPoliciesPerWorkload",
    text: (size) =>
      several(
        domain,
        ...policies(size),
        document(
          "Workload",
          "w",
          `spiffeId: spiffe://td.example/w\nmanagedPolicyArns: [${names(size)}]`,
        ),
      ),
  },
  {
    quota: "managedPoliciesPerPermissionSet",
    text: (size) =>
      wide(
        "PermissionSet",
        "p",
        `customerManagedPolicyReferences: [${many(size, (i) => `{ name: p${i} }`).join(", ")}]`,
      ),
  },
  {
    quota: "groupsPerUser",
    text: (size) =>
      several(
        ...many(size, (i) => document("Group", `p${i}`, "{}")),
        document("User", "bob", `groups: [${names(size)}]`),
      ),
  },
  {
    quota: "serviceControlPoliciesPerTarget",
    text: (size) =>
      inOrganization(
        ...many(size - 1, (i) =>
          wide("ServiceControlPolicy", `s${i}`, `targetIds: [/]\ncontent: ${read}`),
        ),
      ),
  },
  {
    quota: "resourceControlPoliciesPerTarget",
    text: (size) =>
      inOrganization(
        ...many(size - 1, (i) =>
          wide(
            "ResourceControlPolicy",
            `r${i}`,
            `targetIds: ["${A}"]\ncontent: ${sizedControl(200, "Deny", '"Principal":"*",')}`,
          ),
        ),
      ),
  },
  {
    quota: "organizationalUnitDepth",
    text: (size) =>
      inOrganization(
        ...many(size, (i) =>
          wide("OrganizationalUnit", "a", `parentId: /${many(i, () => "a").join("/")}`),
        ),
      ),
  },
];

function codes(text: string, quotas: Partial<Quotas> = {}): readonly string[] {
  const loaded = readDocuments([{ path: "a.yaml", text }], { quotas });
  return loaded.ok ? [] : loaded.problems.map((one) => `${one.code} ${formatDocumentProblem(one)}`);
}

test("every quota has a row", () => {
  expect(rows.map(({ quota }) => quota).sort()).toEqual(Object.keys(defaultQuotas).sort());
});

test.each(rows)(
  "$quota: the quota is accepted, one more is refused, and it is an option",
  ({ quota, text }) => {
    const max = defaultQuotas[quota];
    expect(codes(text(max))).toEqual([]);
    expect(codes(text(max + 1))).toEqual([
      expect.stringMatching(/^QUOTA_EXCEEDED a\.yaml:\d+:\d+ .*expected .*at most/),
    ]);
    expect(codes(text(max + 1), { [quota]: max + 1 })).toEqual([]);
  },
);

test("characters are code points; white space counts only where the text counts as stored", () => {
  expect(countCharacters("a é😀\n")).toBe(5);
  expect(countWithoutWhiteSpace("a é😀\n\t\r ")).toBe(3);
});

test("a FullAWSAccess that is attached elsewhere leaves its place at a target", () => {
  const text = (count: number) =>
    inOrganization(
      wide("ServiceControlPolicy", "FullAWSAccess", `targetIds: ["${A}"]`),
      ...many(count, (i) =>
        wide("ServiceControlPolicy", `s${i}`, `targetIds: [/]\ncontent: ${read}`),
      ),
    );
  expect(codes(text(10))).toEqual([]);
  expect(codes(text(11))).toHaveLength(1);
});
