import { expect, test } from "vitest";
import { type Caller, decide } from "../../../test/fakes/directory-decision.ts";
import { document, several, trust, wide } from "../../../test/fakes/document-texts.ts";
import {
  organizationFacts,
  policiesOfAccount,
  policiesOfRole,
  policiesOfService,
  policiesOfUser,
  policiesOfWorkload,
  trustPoliciesOfRole,
} from "./apply.ts";
import { formatDocumentProblem } from "./document-problem.ts";
import { readDocuments } from "./documents.ts";
import { fullAccess } from "./full-access.ts";
import { createLookup, type DirectoryLookup } from "./lookup.ts";
import type { Directory } from "./model.ts";
import type { AppliedPolicy } from "./policies.ts";

const A = "111111111111";
const B = "222222222222";
const M = "999999999999";

function directoryOf(...documents: readonly string[]): Directory {
  const loaded = readDocuments([{ path: "a.yaml", text: several(...documents) }]);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return loaded.value;
}

const statement = (effect: string, action: string, more = "") =>
  `{ Version: "2012-10-17", Statement: [{ Effect: ${effect}, Action: "${action}", Resource: "*"${more} }] }`;
const of = (account: string) => `, account: "${account}"`;
const organization = [
  wide("Organization", "acme", `managementAccountId: "${M}"\nid: o-acme123456\nrootId: r-acme`),
  wide("OrganizationalUnit", "prod", "parentId: /\nid: ou-acme-prod0001"),
  wide("Account", "m", `accountId: "${M}"`),
  wide("Account", "a", `accountId: "${A}"\nparentIds: [/prod]`),
  wide("Account", "b", `accountId: "${B}"`),
];
const ids = (policies: readonly AppliedPolicy[]) =>
  policies.map((one) => ("text" in one ? one.id.split(":").at(-1) : `!${one.id}`));

const people = [
  ...["r1", "r2", "r3", "edge"].map((name) =>
    document("ManagedPolicy", name, `policyDocument: ${statement("Allow", "s3:Get*")}`, of(A)),
  ),
  document(
    "Group",
    "g1",
    `managedPolicyArns: [r2, r1]\npolicies: [{ policyName: z, policyDocument: ${statement("Allow", "s3:*")} }]`,
    of(A),
  ),
  document("Group", "g2", "managedPolicyArns: [r1]", of(A)),
  document(
    "User",
    "bob",
    `groups: [g1, g2]\nmanagedPolicyArns: [r3, r1]\npermissionsBoundary: edge\npolicies: [{ policyName: a, policyDocument: ${statement("Deny", "s3:Put*")} }]`,
    of(A),
  ),
  document(
    "Role",
    "app",
    `assumeRolePolicyDocument: ${trust}\nmanagedPolicyArns: [r1]\npermissionsBoundary: edge`,
    of(A),
  ),
  wide("TrustDomain", "td.example", `accounts: [{ account: "${A}" }]`),
  document(
    "Workload",
    "w",
    "spiffeId: spiffe://td.example/ns/x/sa/w\nmanagedPolicyArns: [r2]\npermissionsBoundary: edge",
    of(A),
  ),
  document(
    "Service",
    "s3",
    `resourcePolicy: ${statement("Allow", "s3:Get*", ', Principal: "*"')}`,
    of(A),
  ),
];
const directory = directoryOf(...people);
const lookup = createLookup(directory);
const must = <T>(value: T | null | undefined): T => {
  if (value === null || value === undefined) throw new Error("the fixture lacks it");
  return value;
};
const bob = must(lookup.userByName(A, "bob"));
const app = must(lookup.roleByName(A, "app"));
const w = must(lookup.workloadBySpiffeId("spiffe://td.example/ns/x/sa/w"));
const s3 = must(lookup.serviceByName(A, "s3"));

test("6.1: a user has its own and its groups' policies, attached before inline, none twice", () => {
  const { identity, permissionsBoundary, session, serviceControl } = policiesOfUser(lookup, bob);
  expect(ids(identity).slice(0, 3).sort()).toEqual(["policy/r1", "policy/r2", "policy/r3"]);
  expect(ids(identity).slice(3)).toEqual(["group/g1/z", "user/bob/a"]);
  const attached = identity
    .slice(0, 3)
    .map((one) => directory.managedPolicies.findIndex(({ policy }) => policy === one));
  expect(attached).toEqual(attached.toSorted((x, y) => x - y));
  expect(permissionsBoundary).toMatchObject({ id: `arn:aws:iam::${A}:policy/edge` });
  expect(session).toBeNull();
  expect(serviceControl).toBeNull();
});

test("6.1: role sessions have the role's policies and boundary, workloads their own", () => {
  expect(ids(policiesOfRole(lookup, app).identity)).toEqual(["policy/r1"]);
  expect(policiesOfRole(lookup, app).permissionsBoundary).not.toBeNull();
  expect(ids(policiesOfWorkload(lookup, w, A).identity)).toEqual(["policy/r2"]);
  expect(policiesOfWorkload(lookup, w, A).permissionsBoundary).not.toBeNull();
  expect(policiesOfWorkload(lookup, null, A)).toMatchObject({
    identity: [],
    permissionsBoundary: null,
  });
});

test("6.1: root has neither identity policies nor a boundary", () => {
  expect(policiesOfAccount(lookup, A)).toMatchObject({ identity: [], permissionsBoundary: null });
});

test("EXC-5: a service-linked role has no boundary", () => {
  expect(policiesOfRole(lookup, { ...app, serviceLinked: true }).permissionsBoundary).toBeNull();
});

test("a policy is the same record wherever it applies, so that it is compiled once", () => {
  const [r1] = policiesOfRole(lookup, app).identity;
  expect(policiesOfUser(lookup, bob).identity).toContain(r1);
  expect(policiesOfUser(lookup, bob).permissionsBoundary).toBe(
    policiesOfRole(lookup, app).permissionsBoundary,
  );
});

test("a service has its resource policy, a role its trust policy in the class role-trust", () => {
  expect(policiesOfService(lookup, s3)).toMatchObject({
    account: A,
    class: "ordinary",
    resource: { id: `arn:aws:mesh-iam::${A}:service/s3/resourcePolicy` },
    resourceControl: null,
    organization: null,
  });
  expect(trustPoliciesOfRole(lookup, app)).toMatchObject({
    account: A,
    class: "role-trust",
    resource: { id: `arn:aws:iam::${A}:role/app/assumeRolePolicyDocument` },
  });
  expect(policiesOfService(lookup, { ...s3, resourcePolicy: null }).resource).toBeNull();
});

test("facts and levels are those of the account's place", () => {
  const own = createLookup(
    directoryOf(
      ...organization,
      ...people,
      wide(
        "ServiceControlPolicy",
        "s",
        `targetIds: [/prod]\ncontent: ${statement("Deny", "s3:Put*")}`,
      ),
      wide(
        "ResourceControlPolicy",
        "r",
        `targetIds: [/]\ncontent: ${statement("Deny", "s3:Put*", ', Principal: "*"')}`,
      ),
    ),
  );
  const policies = policiesOfUser(own, must(own.userByName(A, "bob")));
  expect(policies.organization).toEqual({
    id: "o-acme123456",
    managementAccount: M,
    path: "o-acme123456/r-acme/ou-acme-prod0001/",
    serviceControlEnabled: true,
  });
  expect(policies.organization).toBe(organizationFacts(own, A));
  expect(policies.serviceControl).toMatchObject([[fullAccess], [fullAccess, {}], [fullAccess]]);
  expect(policiesOfAccount(own, A).serviceControl).toBe(policies.serviceControl);
  const { resourceControl } = policiesOfService(own, must(own.serviceByName(A, "s3")));
  expect(resourceControl?.map((level) => level.length)).toEqual([1, 0, 0]);
  expect(trustPoliciesOfRole(own, must(own.roleByName(A, "app"))).resourceControl).toBe(
    resourceControl,
  );
});

const lost = (kind: string, objectId: string) =>
  createLookup({ ...directory, poison: [{ kind, objectId, reason: "too large" }] });

test("BUN-5: what cannot be used stands in the list", () => {
  const [r1 = "", g1 = ""] = [app.attachedPolicyIds[0], bob.groupIds[0]];
  expect(ids(policiesOfRole(lost("managedPolicy", r1), app).identity)).toEqual([`!${r1}`]);
  expect(ids(policiesOfUser(lost("group", g1), bob).identity)).toContain(`!${g1}`);
  expect(ids(policiesOfUser(lost("user", bob.id), bob).identity)).toContain(`!${bob.id}`);
  const boundary = must(bob.permissionsBoundaryId);
  expect(policiesOfUser(lost("managedPolicy", boundary), bob).permissionsBoundary).toEqual({
    id: boundary,
    poisoned: "too large",
  });
  expect(policiesOfService(lost("service", s3.id), s3).resource).toEqual({
    id: s3.id,
    poisoned: "too large",
  });
  expect(trustPoliciesOfRole(lost("role", app.id), app).resource).toEqual({
    id: app.id,
    poisoned: "too large",
  });
});

test("BUN-5: while a workload is lost, an identity without record may be that one", () => {
  const poisoned = lost("workload", "AWLDX");
  expect(ids(policiesOfWorkload(poisoned, null, A).identity)).toEqual(["!AWLDX"]);
  expect(ids(policiesOfWorkload(poisoned, w, A).identity)).toEqual(["policy/r2"]);
});

test("what is referred to and not there stands in the list too", () => {
  const gone = createLookup({ ...directory, groups: [], managedPolicies: [] });
  expect(ids(policiesOfUser(gone, bob).identity).filter((id) => id?.startsWith("!"))).toHaveLength(
    4,
  );
  expect(policiesOfUser(gone, bob).permissionsBoundary).toMatchObject({
    poisoned: expect.any(String),
  });
});

// --- iam-semantics 12.7: the layers of a directory, judged by the reference evaluator ---

const all = statement("Allow", "*");
const other = statement("Allow", "sqs:*");
const user: Caller = { type: "user", account: A, name: "bob" };
const root: Caller = { type: "root", account: A };
const anonymous: Caller = { type: "anonymous" };
const everybody = statement("Allow", "s3:*", ', Principal: "*"');
const bobIn = (account: string, policy: string | null) =>
  document(
    "User",
    "bob",
    policy === null ? "{}" : `policies: [{ policyName: p, policyDocument: ${policy} }]`,
    of(account),
  );
const bucket = (account: string, policy: string | null) =>
  document("Service", "s3", policy === null ? "{}" : `resourcePolicy: ${policy}`, of(account));
const bobMay = (account: string) =>
  statement("Allow", "s3:*", `, Principal: { AWS: "arn:aws:iam::${account}:user/bob" }`);
const scp = (name: string, target: string, content: string) =>
  wide("ServiceControlPolicy", name, `targetIds: ["${target}"]\ncontent: ${content}`);
const rcp = (target: string, more = "") =>
  wide(
    "ResourceControlPolicy",
    "r",
    `targetIds: ["${target}"]\ncontent: ${statement("Deny", "s3:*", `, Principal: "*"${more}`)}`,
  );
const fullAt = (...targets: string[]) =>
  wide(
    "ServiceControlPolicy",
    "FullAWSAccess",
    `targetIds: [${targets.map((one) => `"${one}"`).join(", ")}]`,
  );
const outside = (operator: string) =>
  `, Condition: { StringNotEqualsIfExists: { "aws:PrincipalOrgID": o-acme123456 }, ${operator}: { "aws:PrincipalIsAWSService": false } }`;
const managed = (account: string) => ({ type: "user", account, name: "bob" }) as const;

test.each<{
  row: string;
  documents: readonly string[];
  caller?: Caller;
  at?: string;
  want: string;
}>([
  {
    row: "T-ORG-01 SCP levels that allow all",
    documents: [bobIn(A, all), bucket(A, null), scp("x", "/", all)],
    want: "allowed",
  },
  {
    row: "T-ORG-02 the second level allows something else",
    documents: [bobIn(A, all), bucket(A, null), fullAt("/", A), scp("x", "/prod", other)],
    want: "implicitDeny serviceControl 1",
  },
  {
    row: "T-ORG-03 a Deny at the root",
    documents: [bobIn(A, all), bucket(A, null), scp("x", "/", statement("Deny", "s3:GetObject"))],
    want: "explicitDeny serviceControl 0",
  },
  {
    row: "T-ORG-04 a resource policy that names the user does not pass an SCP",
    documents: [bobIn(A, null), bucket(A, bobMay(A)), fullAt("/", "/prod"), scp("x", A, other)],
    want: "implicitDeny serviceControl 2",
  },
  {
    row: "T-ORG-05 a level without policies",
    documents: [bobIn(A, all), bucket(A, null), fullAt("/", A)],
    want: "implicitDeny serviceControl 1",
  },
  {
    row: "T-ORG-09 an RCP",
    documents: [bobIn(A, all), bucket(A, null), rcp("/")],
    want: "explicitDeny resourceControl 0",
  },
  {
    row: "T-ORG-10 an RCP binds anonymous callers",
    documents: [bucket(A, everybody), rcp("/prod")],
    caller: anonymous,
    want: "explicitDeny resourceControl 1",
  },
  {
    row: "T-ORG-12 the caller's SCP binds it elsewhere",
    documents: [bobIn(A, all), bucket(B, bobMay(A)), fullAt("/", "/prod", B), scp("x", A, other)],
    at: B,
    want: "implicitDeny serviceControl 2",
  },
  {
    row: "T-ORG-13 the resource's SCP does not bind foreign callers",
    documents: [bobIn(A, all), bucket(B, bobMay(A)), scp("x", B, statement("Deny", "s3:*"))],
    at: B,
    want: "allowed",
  },
  {
    row: "T-ORG-14 an RCP that needs a key which anonymous callers lack",
    documents: [bucket(A, everybody), rcp("/", outside("Bool"))],
    caller: anonymous,
    want: "allowed",
  },
  {
    row: "T-ORG-15 the same with IfExists",
    documents: [bucket(A, everybody), rcp("/", outside("BoolIfExists"))],
    caller: anonymous,
    want: "explicitDeny resourceControl 0",
  },
  {
    row: "T-ORG-16 no SCP binds the management account",
    documents: [bobIn(M, all), bucket(M, null), scp("x", "/", statement("Deny", "*"))],
    caller: managed(M),
    at: M,
    want: "allowed",
  },
  {
    row: "T-ORG-17 no RCP binds its resources",
    documents: [bobIn(M, all), bucket(M, null), rcp("/")],
    caller: managed(M),
    at: M,
    want: "allowed",
  },
  {
    row: "T-ORG-19 an SCP binds root",
    documents: [bucket(A, null), fullAt("/", "/prod"), scp("x", A, other)],
    caller: root,
    want: "implicitDeny serviceControl 2",
  },
  { row: "T-ORG-20 no SCPs enabled", documents: [bobIn(A, all), bucket(A, null)], want: "allowed" },
])("$row", ({ documents, caller = user, at = A, want }) => {
  const own = createLookup(directoryOf(...organization, ...documents));
  const { decision, deniedBy, deniedLevel } = decide(
    own,
    caller,
    { account: at, name: "s3" },
    "GetObject",
    "x",
  );
  expect([decision, deniedBy, deniedLevel].filter((one) => one !== null).join(" ")).toBe(want);
});

test("T-ORG-18: SCP and RCP do not bind a service-linked role", () => {
  const read = directoryOf(
    ...organization,
    bucket(A, null),
    rcp("/"),
    scp("x", "/", statement("Deny", "*")),
    document(
      "Role",
      "app",
      `assumeRolePolicyDocument: ${trust}\npolicies: [{ policyName: p, policyDocument: ${all} }]`,
      of(A),
    ),
  );
  const linked: Directory = {
    ...read,
    roles: read.roles.map((role) => ({ ...role, serviceLinked: true })),
  };
  const ask = (given: Directory): string =>
    decide(
      createLookup(given),
      { type: "role", account: A, name: "app" },
      { account: A, name: "s3" },
      "GetObject",
      "x",
    ).decision;
  expect(ask(read)).toBe("explicitDeny");
  expect(ask(linked)).toBe("allowed");
});

test("BUN-5: a decision that a lost object touches is an error, others are not", () => {
  const base = directoryOf(...organization, bobIn(A, all), bobIn(B, all), bucket(A, bobMay(B)));
  const ask = (own: DirectoryLookup, account: string) =>
    decide(own, managed(account), { account: A, name: "s3" }, "GetObject", "x");
  const poisoned = createLookup({
    ...base,
    poison: [{ kind: "account", objectId: B, reason: "x" }],
  });
  expect(ask(createLookup(base), B).decision).toBe("allowed");
  expect(ask(poisoned, B)).toMatchObject({
    decision: "implicitDeny",
    deniedBy: null,
    errors: ["policy-unusable"],
  });
  expect(ask(poisoned, A).decision).toBe("allowed");
});
