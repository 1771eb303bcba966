import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDocumentProblem } from "./document-problem.ts";
import { type DocumentFile, readDocuments } from "./documents.ts";
import { formatDocuments } from "./format.ts";
import type { Directory } from "./model.ts";

function directoryOf(files: readonly DocumentFile[]): Directory {
  const loaded = readDocuments(files, { readFile: () => ({ ok: true, value: '{"keys":[]}' }) });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return loaded.value;
}

/** Everything but where policies were read. */
function withoutSource(value: unknown): unknown {
  if (value instanceof Map)
    return new Map([...value].map(([key, item]) => [key, withoutSource(item)]));
  if (Array.isArray(value)) return value.map(withoutSource);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== "source");
  return Object.fromEntries(members.map(([name, item]) => [name, withoutSource(item)]));
}

function expectSameAgain(directory: Directory): string {
  const text = formatDocuments(directory);
  const again = directoryOf([{ path: "again.yaml", text }]);
  expect(withoutSource(again)).toEqual(withoutSource(directory));
  expect(formatDocuments(again)).toBe(text);
  return text;
}

const here = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("a directory with everything in it is the same after writing and reading", () => {
  const text = expectSameAgain(directoryOf([{ path: "a.yaml", text: here("every-kind.yaml") }]));
  expect(text.split("---\n")).toHaveLength(25);
  expect(text).toContain('managementAccountId: "999988887777"');
  expect(text).toContain("parentId: /prod\n");
});

test("the quickstart's documents are the same after writing and reading", () => {
  const folder = "../../../examples/quickstart/";
  const names = readdirSync(new URL(folder, import.meta.url)).filter(
    (name) => name.endsWith(".yaml") && !name.endsWith("_test.yaml"),
  );
  expect(names.length).toBeGreaterThan(5);
  expectSameAgain(directoryOf(names.map((path) => ({ path, text: here(folder + path) }))));
});

test("texts that other readers take for dates or booleans are quoted", () => {
  const policyDocument = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "a:Get",
        Resource: "*",
        Condition: { StringEquals: { "a:B": "no" } },
      },
    ],
  };
  const document = {
    apiVersion: "mesh-iam.io/v1",
    kind: "ManagedPolicy",
    metadata: { name: "yes", account: "111122223333" },
    spec: { policyDocument },
  };
  const text = expectSameAgain(directoryOf([{ path: "a.json", text: JSON.stringify(document) }]));
  expect(text).toContain('Version: "2012-10-17"');
  expect(text).toContain('name: "yes"');
  expect(text).toContain('"no"');
});

test("nothing is written of an empty directory", () => {
  expect(formatDocuments(directoryOf([]))).toBe("");
});

// --- random organizations, written as JSON ---

const A = "111122223333";
const B = "444455556666";
const tricky = [
  "true",
  "null",
  "123",
  "1e3",
  "0x1",
  "no",
  "-",
  "--",
  "=",
  "@a",
  ",",
  ".",
  "2012-10-17",
  "1.0",
  "y",
  "__proto__",
];
const name = fc.oneof(fc.constantFrom(...tricky), fc.stringMatching(/^[\w+=,.@-]{1,20}$/));
const displayName = fc.oneof(
  fc.constantFrom(...tricky, "a: b", "# a", "é 😀", "[x]", "'"),
  fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/),
);
const path = fc.constantFrom("/", "/a/", "/people/x/", "/#/", "/{}/");
const account = fc.constantFrom(A, B);
const tagText = fc.oneof(
  fc.constantFrom("", " ", "true", "0123", "- a", "a: b", "é", "12:30:45"),
  fc.stringMatching(/^[\w .:/=+@-]{0,12}$/),
);
const tags = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[\w .:/=+@-]{1,8}$/), tagText), {
    maxLength: 3,
    selector: ([key]) => key.toLowerCase(),
  })
  .map((entries) =>
    Object.fromEntries(entries.filter(([key]) => !/^aws:/i.test(key) && key !== "__proto__")),
  );
const latin = fc
  .string({
    unit: fc.constantFrom(..."aé \t\n\r\"\\'#:-{}[]%&*!|>?,\u00a0\u00ff\u0085"),
    maxLength: 12,
  })
  .map((text) => text.replaceAll("\u0085", "").replace(/\$\{/g, ""));

/** A policy as a mapping, or as JSON text with white space of all sorts. */
const policy = fc
  .record({
    action: fc.constantFrom("orders:Get", ["orders:Get", "orders:List"]),
    values: fc.array(latin, { minLength: 1, maxLength: 3 }),
    number: fc.constantFrom(1, -2.5, 100),
    sid: fc.constantFrom("", "Sid1"),
  })
  .map(({ action, values, number, sid }) => ({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: sid,
        Effect: "Allow",
        Action: action,
        Resource: "*",
        Condition: { StringEquals: { "orders:X": values }, NumericEquals: { "orders:N": number } },
      },
    ],
  }))
  .chain((mapping) =>
    fc.constantFrom<unknown>(
      mapping,
      JSON.stringify(mapping),
      JSON.stringify(mapping, null, 2),
      JSON.stringify(mapping, null, "\t"),
      JSON.stringify(mapping, null, "\t").replaceAll("\n", "\r\n"),
      ` ${JSON.stringify(mapping)} \n\n`,
      JSON.stringify(mapping)
        .replace("Version", "\\u0056ersion")
        .replace('"orders:N":1', '"orders:N":1.0'),
    ),
  );

const inline = fc.uniqueArray(fc.record({ policyName: name, policyDocument: policy }), {
  maxLength: 2,
  selector: (one) => one.policyName.toLowerCase(),
});
const state = fc.constantFrom("active", "disabled");
const distinct = <T extends { name: string; account: string }>(one: fc.Arbitrary<T>) =>
  fc.uniqueArray(one, {
    maxLength: 3,
    selector: (given) => `${given.account} ${given.name.toLowerCase()}`,
  });
const pick = fc.array(fc.nat(), { maxLength: 3 });

/** Returns the distinct names of those of `entities` that are of `account`, chosen by `indexes`. */
function chosen(
  entities: readonly { name: string; account: string }[],
  account: string,
  indexes: readonly number[],
): string[] {
  const own = entities.filter((one) => one.account === account);
  return own.length === 0 ? [] : [...new Set(indexes.map((i) => own[i % own.length]?.name ?? ""))];
}

const identity = { account, name, path, inline, pick };
const principal = { ...identity, tags, state, boundary: fc.option(fc.nat()) };
const organization = fc.record({
  named: fc.boolean(),
  orgName: displayName,
  units: fc.uniqueArray(
    displayName.filter((text) => !text.includes("/")),
    { maxLength: 3, selector: (text) => text.toLowerCase() },
  ),
  scps: fc.uniqueArray(fc.record({ name: displayName, targets: pick, policy }), {
    maxLength: 2,
    selector: (one) => one.name.toLowerCase(),
  }),
  fullAccess: fc.option(pick),
  policies: distinct(fc.record({ account, name, path, policy })),
  groups: distinct(fc.record(identity)),
  users: distinct(fc.record({ ...principal, groups: pick })),
  roles: distinct(
    fc.record({
      ...principal,
      seconds: fc.integer({ min: 3600, max: 43_200 }),
      binding: fc.constantFrom("peer", "certificate", "none"),
    }),
  ),
  workloads: distinct(fc.record({ ...principal, sa: fc.stringMatching(/^[a-z]{8}$/) })),
  accountTags: tags,
});

type Organization = typeof organization extends fc.Arbitrary<infer T> ? T : never;

function documentsOf(given: Organization): readonly unknown[] {
  const make = (kind: string, metadata: object, spec: object) => ({
    apiVersion: "mesh-iam.io/v1",
    kind,
    metadata,
    spec,
  });
  const paths = ["/", ...given.units.map((unit) => `/${unit}`)];
  const target = (i: number) => [...paths, A, B][i % (paths.length + 2)];
  const attached = (one: { account: string; inline: unknown; pick: readonly number[] }) => ({
    policies: one.inline,
    managedPolicyArns: chosen(given.policies, one.account, one.pick),
  });
  const boundary = (one: { account: string; boundary: number | null }) => {
    const [found] =
      one.boundary === null ? [] : chosen(given.policies, one.account, [one.boundary]);
    return found === undefined ? {} : { permissionsBoundary: found };
  };
  const trust = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: A } },
  };
  const wide = !given.named
    ? []
    : [
        make("Organization", { name: given.orgName }, { managementAccountId: A }),
        make("Account", { name: "a" }, { accountId: A, tags: given.accountTags }),
        make(
          "Account",
          { name: "b" },
          { accountId: B, parentIds: [paths[paths.length - 1]], state: "disabled" },
        ),
        ...given.units.map((unit) => make("OrganizationalUnit", { name: unit }, { parentId: "/" })),
        ...given.scps.map((one) =>
          make(
            "ServiceControlPolicy",
            { name: one.name },
            { targetIds: [...new Set(one.targets.map(target))], content: one.policy },
          ),
        ),
        ...(given.fullAccess === null
          ? []
          : [
              make(
                "ServiceControlPolicy",
                { name: "FullAWSAccess" },
                { targetIds: [...new Set(given.fullAccess.map(target))] },
              ),
            ]),
      ];
  return [
    ...wide,
    make(
      "TrustDomain",
      { name: "td.example" },
      { accounts: [{ account: A }, { namespace: "b", account: B }] },
    ),
    ...given.policies.map((one) =>
      make(
        "ManagedPolicy",
        { name: one.name, account: one.account, path: one.path },
        { policyDocument: one.policy },
      ),
    ),
    ...given.groups.map((one) =>
      make("Group", { name: one.name, account: one.account, path: one.path }, attached(one)),
    ),
    ...given.users.map((one) =>
      make(
        "User",
        { name: one.name, account: one.account, path: one.path },
        {
          ...attached(one),
          ...boundary(one),
          tags: one.tags,
          state: one.state,
          groups: chosen(given.groups, one.account, one.groups),
        },
      ),
    ),
    ...given.roles.map((one) =>
      make(
        "Role",
        { name: one.name, account: one.account, path: one.path },
        {
          ...attached(one),
          ...boundary(one),
          tags: one.tags,
          state: one.state,
          assumeRolePolicyDocument: trust,
          maxSessionDuration: one.seconds,
          sessionBinding: one.binding,
        },
      ),
    ),
    ...given.workloads.map((one, i) =>
      make(
        "Workload",
        { name: one.name, account: one.account },
        {
          ...attached(one),
          ...boundary(one),
          tags: one.tags,
          state: one.state,
          spiffeId: `spiffe://td.example/ns/${one.account === A ? "a" : "b"}/sa/${one.sa}${i}`,
        },
      ),
    ),
  ];
}

test("documents → directory → documents → directory is the identity", () => {
  fc.assert(
    fc.property(organization, (given) => {
      const files = documentsOf(given).map((document, i) => ({
        path: `${i}.json`,
        text: JSON.stringify(document),
      }));
      expectSameAgain(directoryOf(files));
    }),
    { numRuns: 60 },
  );
});
