import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  A,
  document,
  inOrganization,
  management,
  organization,
  read,
  several,
  trust,
  wide,
} from "../../../test/fakes/document-texts.ts";
import type { DocumentOptionsInput } from "./document-options.ts";
import { formatDocumentProblem } from "./document-problem.ts";
import { type DocumentFile, readDocuments } from "./documents.ts";
import type { Directory } from "./model.ts";

const everyKind = {
  path: "every-kind.yaml",
  text: readFileSync(new URL("every-kind.yaml", import.meta.url), "utf8"),
};

function directoryOf(files: readonly DocumentFile[], options?: DocumentOptionsInput): Directory {
  const loaded = readDocuments(files, options);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return loaded.value;
}

function linesOf(
  files: readonly DocumentFile[] | string,
  options?: DocumentOptionsInput,
): string[] {
  const given = typeof files === "string" ? [{ path: "a.yaml", text: files }] : files;
  const loaded = readDocuments(given, options);
  return loaded.ok ? [] : loaded.problems.map(formatDocumentProblem);
}

test("one document of every kind, with every member, is read", () => {
  const directory = directoryOf([everyKind]);
  expect(directory).toMatchObject({
    org: "o-acme123456",
    partition: "aws",
    organization: { id: "o-acme123456", rootId: "r-acme", managementAccountId: "999988887777" },
    poison: [],
  });
  const counts = Object.entries(directory).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.length : null,
  ]);
  expect(Object.fromEntries(counts.filter(([, count]) => count !== null))).toEqual({
    organizationalUnits: 2,
    accounts: 3,
    serviceControlPolicies: 2,
    resourceControlPolicies: 1,
    users: 1,
    groups: 2,
    roles: 2,
    workloads: 1,
    managedPolicies: 3,
    oidcProviders: 3,
    trustDomains: 2,
    services: 2,
    poison: 0,
  });
});

test("references are unique ids, ARNs are AWS's, tags are sorted, sources are kept", () => {
  const directory = directoryOf([everyKind]);
  const policy = directory.managedPolicies.find(({ name }) => name === "orders-read");
  const boundary = directory.managedPolicies.find(({ name }) => name === "dev-boundary");
  const devs = directory.groups.find(({ name }) => name === "devs");
  expect(devs).toMatchObject({ attachedPolicyIds: [policy?.id] });
  expect(boundary).toMatchObject({
    arn: `arn:aws:iam::${A}:policy/boundaries/dev-boundary`,
    policy: {
      id: `arn:aws:iam::${A}:policy/boundaries/dev-boundary`,
      source: "every-kind.yaml:83",
    },
  });
  expect(directory.users[0]).toMatchObject({
    arn: `arn:aws:iam::${A}:user/people/bob`,
    groupIds: [devs?.id],
    attachedPolicyIds: [policy?.id],
    permissionsBoundaryId: boundary?.id,
    inlinePolicies: [{ id: `arn:aws:iam::${A}:user/people/bob/own` }],
  });
  expect([...(directory.users[0]?.tags ?? [])]).toEqual([
    ["Cost Center", ""],
    ["team", "blue"],
  ]);
  expect(directory.workloads[0]).toMatchObject({
    arn: `arn:aws:iam::${A}:workload/cluster.local/ns/shop/sa/orders`,
    state: "disabled",
  });
  expect(directory.services.map(({ arn }) => arn).sort()).toEqual([
    `arn:aws:mesh-iam::${A}:service/orders`,
    `arn:aws:mesh-iam::${A}:service/stock`,
  ]);
  expect([...directory.serviceIdentities]).toEqual([
    ["spiffe://cluster.local/ns/shop/sa/orders", `arn:aws:mesh-iam::${A}:service/orders`],
  ]);
});

test("OUs are found by path, their parents by unique id", () => {
  const { organizationalUnits, accounts, serviceControlPolicies } = directoryOf([everyKind]);
  const prod = organizationalUnits.find(({ name }) => name === "prod");
  const eu = organizationalUnits.find(({ name }) => name === "eu");
  expect(prod).toMatchObject({
    parentId: "r-acme",
    id: expect.stringMatching(/^ou-acme-[a-z2-7]{24}$/),
  });
  expect(eu).toMatchObject({ parentId: prod?.id, id: "ou-acme-prodeu001" });
  expect(accounts.map(({ parentId }) => parentId)).toEqual([eu?.id, "r-acme", "r-acme"]);
  const full = serviceControlPolicies.find(({ policy }) => policy === null);
  expect(full).toMatchObject({ id: "p-FullAWSAccess", name: "FullAWSAccess" });
  expect(full?.targetIds).toEqual(
    [A, "999988887777", "ou-acme-prodeu001", prod?.id, "r-acme"].sort(),
  );
});

test("a service keeps its routes, keys and options in the model's words", () => {
  const service = directoryOf([everyKind]).services.find(({ name }) => name === "orders");
  expect(service?.routes).toMatchObject([
    {
      match: { type: "http", method: "GET", template: "/v1/orders/{orderId}" },
      accessLevel: "Read",
    },
    { match: { type: "grpc", service: "shop.orders.v1.Orders", method: "Cancel" } },
    { match: { type: "http", template: "/files/{path=**}" }, accessLevel: "Write", authType: null },
    { authType: "NONE" },
  ]);
  expect(service?.contextKeys).toEqual([
    {
      key: "orders:Amount",
      source: { type: "query", name: "amount" },
      valueType: "number",
      multivalued: false,
    },
    {
      key: "orders:Channel",
      source: { type: "header", name: "x-channel" },
      valueType: "string",
      multivalued: false,
    },
    {
      key: "orders:Id",
      source: { type: "path", variable: "orderId" },
      valueType: "string",
      multivalued: false,
    },
    {
      key: "orders:Labels",
      source: { type: "query", name: "label" },
      valueType: "string",
      multivalued: true,
    },
  ]);
  expect(service?.request).toMatchObject({
    trailingSlash: "ignore",
    maxSegments: 32,
    encodedSlash: "deny",
  });
});

test("a provider's rules and claims are in the model's words", () => {
  const { oidcProviders } = directoryOf([everyKind]);
  const login = oidcProviders.find(({ rules }) => rules.length > 0);
  expect(login).toMatchObject({
    arn: `arn:aws:iam::${A}:oidc-provider/login.example.com`,
    multivaluedClaims: ["amr", "aud", "groups", "roles", "scope", "teams"],
    keys: { type: "uri", uri: "https://login.example.com/keys" },
  });
  expect(login?.rules.map(({ when }) => when)).toEqual([
    { claim: "groups", test: "contains", value: "admins" },
    { claim: "sub", test: "matches", value: "job-*" },
    { claim: "email_verified", test: "exists", value: "false" },
    { claim: "iss", test: "equals", value: "https://login.example.com" },
    null,
  ]);
  expect(login?.rules[0]?.role?.tags).toEqual(
    new Map([
      ["team", { type: "claim", claim: "team" }],
      ["stage", { type: "text", text: "prod" }],
    ]),
  );
  const pinned = oidcProviders.find(({ name }) => name === "cluster");
  expect(pinned?.keys).toEqual({
    type: "keys",
    json: '{"keys":[{"kty":"RSA","kid":"b","alg":"RS256","use":"sig","n":"AA","e":"AQAB"}]}',
  });
});

test("the directory is frozen through and through", () => {
  const directory = directoryOf([everyKind]);
  expect(Object.isFrozen(directory)).toBe(true);
  expect(Object.isFrozen(directory.services[0]?.routes[0]?.match)).toBe(true);
  expect(Object.isFrozen(directory.oidcProviders[0]?.audiences)).toBe(true);
});

test("a policy written as a mapping is JSON in the order of the file, as a text byte for byte", () => {
  const text = several(
    document(
      "ManagedPolicy",
      "map",
      `policyDocument:\n  Statement:\n    - Resource: "*"\n      Action: [a:Get]\n      Effect: Allow\n      Condition: { NumericEquals: { "a:N": [1.0, -1.50] } }\n  Version: 2012-10-17`,
    ),
    document(
      "ManagedPolicy",
      "text",
      `policyDocument: |\n  { "Statement" : [ {"Effect":"Allow",\n  \t"Action":"a:Get" , "Resource":"*"} ] }`,
    ),
  );
  const texts = new Map(
    directoryOf([{ path: "a.yaml", text }]).managedPolicies.map(({ name, policy }) => [
      name,
      policy.text,
    ]),
  );
  expect(texts.get("map")).toBe(
    '{"Statement":[{"Resource":"*","Action":["a:Get"],"Effect":"Allow","Condition":{"NumericEquals":{"a:N":[1.0,-1.50]}}}],"Version":"2012-10-17"}',
  );
  expect(texts.get("text")).toBe(
    '{ "Statement" : [ {"Effect":"Allow",\n\t"Action":"a:Get" , "Resource":"*"} ] }\n',
  );
});

test("FILE-10: without an Organization every account that is named exists, in none", () => {
  const directory = directoryOf([
    {
      path: "a.yaml",
      text: several(
        document("User", "bob", "{}"),
        wide("TrustDomain", "td.example", 'accounts: [{ account: "444455556666" }]'),
      ),
    },
  ]);
  expect(directory).toMatchObject({ org: "local", organization: null });
  expect(directory.accounts).toEqual(
    [A, "444455556666"].map((id) => ({
      id,
      name: id,
      parentId: null,
      email: "",
      tags: new Map(),
      state: "active",
    })),
  );
});

test("FILE-10: with an Organization each account that is named needs its document", () => {
  const text = several(organization, management, document("User", "bob", "{}"));
  expect(linesOf(text)).toEqual([
    `a.yaml:15:33 User/bob metadata.account: unknown account \`${A}\`: expected an Account document for it`,
  ]);
});

test("order does not matter, neither of documents nor of files", () => {
  const documents = everyKind.text.split("---\n");
  const files = documents.map((text, i) => ({ path: `${i}.yaml`, text })).reverse();
  const bare = (directory: Directory) =>
    JSON.parse(
      JSON.stringify(directory, (key, value) =>
        key === "source" ? null : value instanceof Map ? [...value] : value,
      ),
    );
  // The anchor is used in no other document, so each stands alone.
  expect(bare(directoryOf(files))).toEqual(bare(directoryOf([everyKind])));
});

test("JSON documents are read like YAML ones", () => {
  const json = {
    apiVersion: "mesh-iam.io/v1",
    kind: "Group",
    metadata: { name: "devs", account: A },
    spec: {},
  };
  expect(directoryOf([{ path: "a.json", text: JSON.stringify(json) }]).groups).toHaveLength(1);
});

test("FILE-9: status is ignored, whatever is in it", () => {
  const text = `${document("Group", "devs", "{}")}status: { arn: [1, { x: ~ }] }\n`;
  expect(linesOf(text)).toEqual([]);
});

test("the partition is an option", () => {
  const [user] = directoryOf([{ path: "a.yaml", text: document("User", "bob", "{}") }], {
    partition: "aws-cn",
  }).users;
  expect(user?.arn).toBe(`arn:aws-cn:iam::${A}:user/bob`);
});

test("authType NONE of a service and of a route is told, and accepted", () => {
  const text = document(
    "Service",
    "orders",
    `authType: NONE\nroutes:\n  - { http: GET /healthz, action: Probe, resource: probe, authType: NONE }`,
  );
  const loaded = readDocuments([{ path: "a.yaml", text }]);
  expect(loaded).toMatchObject({
    ok: true,
    findings: [
      {
        code: "AUTHENTICATION_DISABLED",
        severity: "SECURITY_WARNING",
        path: "spec.authType",
        position: { line: 5, column: 13 },
      },
      {
        code: "AUTHENTICATION_DISABLED",
        severity: "SECURITY_WARNING",
        path: "spec.routes[0].authType",
      },
    ],
  });
});

test("an identity that two services name under workloads is told, and in neither's table row", () => {
  const service = (name: string) =>
    document("Service", name, "workloads: [spiffe://td.example/sa/x]");
  const loaded = readDocuments([
    { path: "a.yaml", text: several(service("orders"), service("stock")) },
  ]);
  expect(loaded).toMatchObject({
    ok: true,
    value: { serviceIdentities: new Map() },
    findings: [{ code: "AMBIGUOUS_WORKLOAD", severity: "WARNING", subject: "Service/stock" }],
  });
});

test("all problems of a run are told, in the order of files and lines, and nothing is applied", () => {
  const files = [
    {
      path: "b.yaml",
      text: several(
        document("User", "bob", "groups: [dves]\nstate: of"),
        document("Group", "devs", "{}"),
      ),
    },
    { path: "a.yaml", text: "kind: Role\n" },
    { path: "c.yaml", text: "a: [\n" },
  ];
  const loaded = readDocuments(files);
  expect(loaded).not.toHaveProperty("value");
  expect(linesOf(files)).toEqual([
    `b.yaml:5:12 User/bob spec.groups[0]: unknown group \`dves\` in account \`${A}\`, did you mean \`devs\`?`,
    "b.yaml:6:10 User/bob spec.state: expected one of `active`, `disabled`, got the text `of`",
    "a.yaml:1:1 Role: expected the member `apiVersion`",
    "a.yaml:1:1 Role: expected the member `metadata`",
    expect.stringMatching(/^c\.yaml:2:1: not valid YAML: /),
  ]);
});

test("policy problems stand at their line and column of the file", () => {
  const mapping = document(
    "Role",
    "app",
    `assumeRolePolicyDocument: ${trust}\npolicies:\n  - policyName: own\n    policyDocument:\n      Statement:\n        - { Effect: Allow, Action: "a:Get", Resource: "*" }\n        - { Effect: allow, Action: "a:Get", Resource: "*" }`,
  );
  expect(linesOf(mapping)).toEqual([
    expect.stringMatching(
      /^a\.yaml:11:15 Role\/app spec\.policies\[0\]\.policyDocument\.Statement\[1\]\.Effect: /,
    ),
  ]);
  const literal = document(
    "ManagedPolicy",
    "p",
    `policyDocument: |\n    {\n      "Statement": [\n        { "Effect": "allow", "Action": "a:Get", "Resource": "*" } ]\n    }`,
  );
  expect(linesOf(literal)).toEqual([
    expect.stringMatching(
      /^a\.yaml:8:13 ManagedPolicy\/p spec\.policyDocument\.Statement(\[0\])?\.Effect: /,
    ),
  ]);
  const quoted = document("ManagedPolicy", "p", `policyDocument: '{"Statement":[]}'`);
  expect(linesOf(quoted)).toEqual([
    expect.stringMatching(/^a\.yaml:5:19 ManagedPolicy\/p spec\.policyDocument\.Statement: /),
  ]);
});

test("a policy is read as what it is for", () => {
  const withPrincipal =
    '{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "a:Get", Resource: "*" }] }';
  expect(linesOf(document("ManagedPolicy", "p", `policyDocument: ${withPrincipal}`))).toHaveLength(
    1,
  );
  expect(linesOf(document("Service", "a", `resourcePolicy: ${withPrincipal}`))).toEqual([]);
  expect(linesOf(document("Service", "a", `resourcePolicy: ${read}`))).toHaveLength(1);
  expect(
    linesOf(document("Role", "app", `assumeRolePolicyDocument: ${read}`)).length,
  ).toBeGreaterThan(0);
  expect(
    linesOf(inOrganization(wide("ResourceControlPolicy", "r", `content: ${read}`))).length,
  ).toBeGreaterThan(0);
  expect(linesOf(inOrganization(wide("ServiceControlPolicy", "s", `content: ${read}`)))).toEqual(
    [],
  );
});

test("whatever stands in a file, reading answers with problems that have a place", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ..."[]{},:-?&*!|>'\"%@`#\n\t \u0000\ufeff\u2028",
      "---\n",
      "kind: Role\n",
      "- ",
      "<<: *a",
      "&a ",
      "*a",
      "!!str ",
      "%YAML 1.2\n",
    ),
    fc.string({ maxLength: 5, unit: "binary" }),
    fc.constantFrom(...everyKind.text.split("\n").map((line) => `${line}\n`)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const loaded = readDocuments([{ path: "a.yaml", text: pieces.join("") }]);
      for (const problem of loaded.ok ? [] : loaded.problems) {
        expect(problem.file).toBe("a.yaml");
        expect(problem.position?.line).toBeGreaterThan(0);
        expect(formatDocumentProblem(problem)).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 200 },
  );
});
