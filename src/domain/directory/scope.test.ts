import fc from "fast-check";
import { expect, test } from "vitest";
import { type Caller, decide } from "../../../test/fakes/directory-decision.ts";
import { document, several, trust, wide } from "../../../test/fakes/document-texts.ts";
import { formatDocumentProblem } from "./document-problem.ts";
import { readDocuments } from "./documents.ts";
import { createLookup } from "./lookup.ts";
import type { Directory } from "./model.ts";
import { scopeOf, servicesOf } from "./scope.ts";

const accounts = ["111111111111", "222222222222", "333333333333", "444444444444"] as const;
const [A, B, C] = accounts;

function directoryOf(...documents: readonly string[]): Directory {
  const loaded = readDocuments([{ path: "a.yaml", text: several(...documents) }]);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return loaded.value;
}

const of = (account: string) => `, account: "${account}"`;
const policyOf = (statements: readonly unknown[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (more: object = {}) => ({ Effect: "Allow", Action: "*", Resource: "*", ...more });

/** An organization whose accounts each have a user, a role, a workload and a managed policy. */
const organization = [
  wide("Organization", "acme", `managementAccountId: "${A}"\nid: o-acme123456\nrootId: r-acme`),
  wide("OrganizationalUnit", "prod", "parentId: /"),
  ...accounts.map((id, i) =>
    wide(
      "Account",
      `a${i}`,
      `accountId: "${id}"\nemail: a${i}@example.com\ntags: { stage: prod }\nparentIds: [${i === 2 ? "/prod" : "/"}]`,
    ),
  ),
  wide(
    "TrustDomain",
    "td.example",
    `accounts: [${accounts.map((id, i) => `{ namespace: n${i}, account: "${id}" }`).join(", ")}]`,
  ),
  ...accounts.flatMap((id) => [
    document("User", "u", "managedPolicyArns: [p]", of(id)),
    document("Role", "r", `assumeRolePolicyDocument: ${trust}\nmanagedPolicyArns: [p]`, of(id)),
    document("ManagedPolicy", "p", `policyDocument: ${policyOf([allow()])}`, of(id)),
  ]),
  ...accounts.map((id, i) =>
    document(
      "Workload",
      "w",
      `spiffeId: spiffe://td.example/ns/n${i}/sa/w\nmanagedPolicyArns: [p]`,
      of(id),
    ),
  ),
];
const service = (account: string, name: string, principals: readonly unknown[], more = "") =>
  document(
    "Service",
    name,
    `resourcePolicy: ${policyOf([...principals.map((Principal) => allow({ Principal })), { Effect: "Deny", Action: "a:Never", Resource: "*", Principal: "*" }])}\n${more}`,
    of(account),
  );

const inScope = (directory: Directory, name = "orders"): readonly string[] => {
  const scope = scopeOf(
    directory,
    directory.services.filter((one) => one.name === name),
  );
  return scope.users.map(({ account }) => account).sort();
};

test.each<{ why: string; principals: readonly unknown[]; want: readonly string[] }>([
  { why: "no Allow: the service's own account", principals: [], want: [A] },
  { why: "an account by its id", principals: [{ AWS: B }], want: [A, B] },
  {
    why: "an account by its root ARN",
    principals: [{ AWS: `arn:aws:iam::${B}:root` }],
    want: [A, B],
  },
  { why: "a user", principals: [{ AWS: `arn:aws:iam::${B}:user/u` }], want: [A, B] },
  {
    why: "a role and a session",
    principals: [{ AWS: [`arn:aws:iam::${B}:role/r`, `arn:aws:sts::${C}:assumed-role/r/s`] }],
    want: [A, B, C],
  },
  {
    why: "a workload",
    principals: [{ AWS: `arn:aws:iam::${C}:workload/td.example/ns/n2/sa/w` }],
    want: [A, C],
  },
  {
    why: "a unique id, which names nobody",
    principals: [{ AWS: "AIDAEXAMPLEEXAMPLE123" }],
    want: [A],
  },
  { why: "a service principal", principals: [{ Service: "gateway.svc.mesh" }], want: [A] },
  { why: "everybody", principals: ["*"], want: accounts },
  { why: "everybody as AWS", principals: [{ AWS: "*" }], want: accounts },
])("BUN-15, in scope is $why", ({ principals, want }) => {
  expect(inScope(directoryOf(...organization, service(A, "orders", principals)))).toEqual(want);
});

test("BUN-15: a Deny names nobody into scope, and conditions narrow nothing", () => {
  const statements = [
    { Effect: "Deny", Action: "*", Resource: "*", NotPrincipal: { AWS: [B] } },
    { Effect: "Deny", Action: "*", Resource: "*", Principal: { AWS: C } },
  ];
  const denying = document("Service", "orders", `resourcePolicy: ${policyOf(statements)}`, of(A));
  expect(inScope(directoryOf(...organization, denying))).toEqual([A]);
  const narrowed = allow({
    Principal: "*",
    Condition: { StringEquals: { "aws:PrincipalAccount": B } },
  });
  const allowing = document("Service", "orders", `resourcePolicy: ${policyOf([narrowed])}`, of(A));
  expect(inScope(directoryOf(...organization, allowing))).toEqual(accounts);
});

test("a slice has whole accounts and services, the places of all, and the names of nobody else", () => {
  const stock = service(C, "stock", [], "workloads: [spiffe://td.example/ns/n2/sa/stock]");
  const directory = directoryOf(...organization, service(A, "orders", [{ AWS: B }]), stock);
  const scope = scopeOf(
    directory,
    directory.services.filter(({ name }) => name === "orders"),
  );
  expect(scope.services.map(({ name }) => name)).toEqual(["orders"]);
  for (const list of [scope.users, scope.roles, scope.workloads, scope.managedPolicies]) {
    expect(list.map(({ account }) => account).sort()).toEqual([A, B]);
  }
  expect(scope.accounts.map(({ id }) => id)).toEqual(accounts);
  expect(scope.accounts[1]).toMatchObject({ name: "a1", email: "a1@example.com" });
  expect(scope.accounts[2]).toEqual({
    ...directory.accounts[2],
    name: "",
    email: "",
    tags: new Map(),
  });
  expect(scope.trustDomains).toBe(directory.trustDomains);
  expect(scope.organizationalUnits).toBe(directory.organizationalUnits);
  expect(createLookup(scope).serviceArnOfSpiffeId("spiffe://td.example/ns/n2/sa/stock")).toBe(
    `arn:aws:mesh-iam::${C}:service/stock`,
  );
});

test("a resource policy that this binary cannot read may name anybody", () => {
  const directory = directoryOf(...organization, service(A, "orders", []));
  const [orders] = directory.services;
  if (!orders?.resourcePolicy) throw new Error("the fixture lacks its service");
  const newer = { ...orders, resourcePolicy: { ...orders.resourcePolicy, text: "{" } };
  expect(scopeOf(directory, [newer]).users).toHaveLength(4);
});

test("the services of an identity are those of its workloads and gateways", () => {
  const directory = directoryOf(
    service(A, "orders", [], "workloads: [spiffe://td.example/a]"),
    service(A, "stock", [], "gateways: [spiffe://td.example/a, spiffe://td.example/b]"),
    service(B, "other", []),
  );
  const names = (id: string) =>
    servicesOf(directory, id)
      .map(({ name }) => name)
      .sort();
  expect(names("spiffe://td.example/a")).toEqual(["orders", "stock"]);
  expect(names("spiffe://td.example/b")).toEqual(["stock"]);
  expect(names("spiffe://td.example/A")).toEqual([]);
});

// --- BUN-38: scope ≡ everything ---

const account = fc.constantFrom(...accounts);
const principal = fc.oneof(
  fc.constantFrom<unknown>("*", { AWS: "*" }),
  account.map((id) => ({ AWS: id })),
  fc
    .tuple(account, fc.constantFrom("root", "user/u", "role/r"))
    .map(([id, name]) => ({ AWS: `arn:aws:iam::${id}:${name}` })),
  account.map((id) => ({ AWS: `arn:aws:sts::${id}:assumed-role/r/session` })),
  fc
    .nat({ max: 3 })
    .map((i) => ({ AWS: `arn:aws:iam::${accounts[i]}:workload/td.example/ns/n${i}/sa/w` })),
);
const action = fc.constantFrom("orders:Get", "orders:*", "*", "stock:*");
const condition = fc.constantFrom<object>(
  {},
  { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-acme123456" } } },
  { Condition: { StringNotEquals: { "aws:PrincipalAccount": B } } },
  { Condition: { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:user/*" } } },
);
const effect = fc.constantFrom("Allow", "Deny");
const identityPolicy = fc
  .array(
    fc
      .tuple(effect, action, condition)
      .map(([Effect, Action, more]) => ({ Effect, Action, Resource: "*", ...more })),
    { minLength: 1, maxLength: 2 },
  )
  .map(policyOf);
const resourcePolicy = fc
  .array(
    fc.tuple(effect, action, principal, condition).map(([Effect, Action, Principal, more]) => ({
      Effect,
      Action,
      Resource: "*",
      Principal,
      ...more,
    })),
    { minLength: 1, maxLength: 3 },
  )
  .map(policyOf);
const control = fc.option(
  fc.record({ target: fc.constantFrom("/", "/prod", ...accounts), policy: identityPolicy }),
);
const world = fc.record({
  organized: fc.boolean(),
  policies: fc.array(
    fc.record({
      user: identityPolicy,
      role: identityPolicy,
      workload: fc.option(identityPolicy),
      boundary: fc.option(identityPolicy),
    }),
    { minLength: 4, maxLength: 4 },
  ),
  orders: resourcePolicy,
  stock: resourcePolicy,
  scp: control,
  poisoned: fc.option(fc.constantFrom("workload", "serviceControlPolicy", "account")),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function build(given: World): Directory {
  const inline = (text: string) => `policies: [{ policyName: p, policyDocument: ${text} }]`;
  const tree = organization.slice(0, 2 + accounts.length);
  const scp =
    given.scp === null || !given.organized
      ? []
      : [
          wide(
            "ServiceControlPolicy",
            "s",
            `targetIds: ["${given.scp.target}"]\ncontent: ${given.scp.policy}`,
          ),
        ];
  const directory = directoryOf(
    ...(given.organized ? tree : []),
    ...scp,
    organization.find((one) => one.includes("kind: TrustDomain")) ?? "",
    ...given.policies.flatMap((policies, i) => {
      const own = of(accounts[i] ?? "");
      const bound = policies.boundary === null ? "" : "\npermissionsBoundary: b";
      return [
        ...(policies.boundary === null
          ? []
          : [document("ManagedPolicy", "b", `policyDocument: ${policies.boundary}`, own)]),
        document("User", "u", inline(policies.user) + bound, own),
        document(
          "Role",
          "r",
          `assumeRolePolicyDocument: ${trust}\n${inline(policies.role)}${bound}`,
          own,
        ),
        ...(policies.workload === null
          ? []
          : [
              document(
                "Workload",
                "w",
                `spiffeId: spiffe://td.example/ns/n${i}/sa/w\n${inline(policies.workload)}`,
                own,
              ),
            ]),
      ];
    }),
    document("Service", "orders", `resourcePolicy: ${given.orders}`, of(A)),
    document("Service", "stock", `resourcePolicy: ${given.stock}`, of(B)),
  );
  if (given.poisoned === null) return directory;
  return { ...directory, poison: [{ kind: given.poisoned, objectId: C, reason: "too large" }] };
}

const callers: readonly Caller[] = [
  { type: "anonymous" },
  ...accounts.flatMap((id, i): Caller[] => [
    { type: "root", account: id },
    { type: "user", account: id, name: "u" },
    { type: "role", account: id, name: "r" },
    { type: "workload", spiffeId: `spiffe://td.example/ns/n${i}/sa/w` },
    { type: "workload", spiffeId: `spiffe://td.example/ns/n${i}/sa/other` },
  ]),
  { type: "workload", spiffeId: "spiffe://foreign.example/ns/x/sa/w" },
];
const accountOf = (caller: Caller): string | null => {
  if (caller.type === "anonymous") return null;
  return caller.type === "workload"
    ? (accounts[Number(/\/n(\d)\//.exec(caller.spiffeId)?.[1])] ?? null)
    : caller.account;
};

test("BUN-38: a decision on the scope is allowed exactly if that on everything is", () => {
  let outside = 0;
  let allowed = 0;
  fc.assert(
    fc.property(world, (given) => {
      const directory = build(given);
      const everything = createLookup(directory);
      for (const target of directory.services) {
        const scope = scopeOf(directory, [target]);
        const slice = createLookup(scope);
        const known = new Set(scope.users.map((one) => one.account));
        for (const caller of callers) {
          const whole = decide(everything, caller, target, "Get", "order/1");
          const part = decide(slice, caller, target, "Get", "order/1");
          const from = accountOf(caller);
          if (from === null || known.has(from)) expect(part).toEqual(whole);
          else outside++;
          expect(part.decision === "allowed").toBe(whole.decision === "allowed");
          if (whole.decision === "allowed") allowed++;
        }
      }
    }),
    { numRuns: 40 },
  );
  // The property says something: callers out of scope and allowed ones both occurred.
  expect(outside).toBeGreaterThan(100);
  expect(allowed).toBeGreaterThan(100);
});
