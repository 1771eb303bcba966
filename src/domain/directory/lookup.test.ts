import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { A, B } from "../../../test/fakes/document-texts.ts";
import { readDocuments } from "./documents.ts";
import { createLookup } from "./lookup.ts";

const text = readFileSync(new URL("every-kind.yaml", import.meta.url), "utf8");
const loaded = readDocuments([{ path: "every-kind.yaml", text }]);
if (!loaded.ok) throw new Error("every-kind.yaml is not read");
const directory = loaded.value;
const lookup = createLookup(directory);

test("entities are found by name, unique id and ARN", () => {
  const bob = lookup.userByName(A, "bob");
  expect(bob?.name).toBe("bob");
  expect(lookup.userById(bob?.id ?? "")).toBe(bob);
  const app = lookup.roleByName(A, "app");
  expect(lookup.roleById(app?.id ?? "")).toBe(app);
  expect(lookup.roleByArn(`arn:aws:iam::${A}:role/shop/app`)).toBe(app);
  expect(lookup.groupById(bob?.groupIds[0] ?? "")?.name).toBe("devs");
  expect(lookup.managedPolicyById(bob?.attachedPolicyIds[0] ?? "")?.name).toBe("orders-read");
  expect(lookup.accountById(B)?.state).toBe("disabled");
  expect(lookup.workloadBySpiffeId("spiffe://cluster.local/ns/shop/sa/orders")?.name).toBe(
    "orders",
  );
  expect(lookup.trustDomainByName("partner.example")?.keys?.type).toBe("keys");
  const orders = lookup.serviceByName(A, "orders");
  expect(lookup.serviceByArn(`arn:aws:mesh-iam::${A}:service/orders`)).toBe(orders);
});

test("FILE-20: of several providers of an issuer the one with rules judges tokens", () => {
  const judging = lookup.providerByIssuer("https://login.example.com");
  expect(judging).toMatchObject({ account: A, name: "login" });
  expect(lookup.providerById(judging?.id ?? "")).toBe(judging);
  expect(lookup.providerByArn(`arn:aws:iam::${B}:oidc-provider/login.example.com`)).toMatchObject({
    account: B,
  });
  expect(lookup.providerByIssuer("https://kubernetes.default.svc.cluster.local")).toBeNull();
});

test.each([
  { why: "other case", found: lookup.userByName(A, "Bob") },
  { why: "another account", found: lookup.userByName(B, "bob") },
  { why: "an account that is not there", found: lookup.roleByName("0", "app") },
  { why: "a name of every object", found: lookup.userByName(A, "constructor") },
  { why: "an account that every object has", found: lookup.serviceByName("__proto__", "orders") },
  { why: "a session's ARN", found: lookup.roleByArn(`arn:aws:sts::${A}:assumed-role/app/x`) },
  { why: "a role's ARN without its path", found: lookup.roleByArn(`arn:aws:iam::${A}:role/app`) },
  {
    why: "a SPIFFE id without document",
    found: lookup.workloadBySpiffeId("spiffe://cluster.local/ns/shop/sa/other"),
  },
  {
    why: "an issuer with a slash more",
    found: lookup.providerByIssuer("https://login.example.com/"),
  },
])("nothing is found under $why", ({ found }) => {
  expect(found).toBeNull();
});

test.each([
  { why: "the namespace's row", domain: "cluster.local", namespace: "shop", account: A },
  {
    why: "the domain's row for another namespace",
    domain: "cluster.local",
    namespace: "edge",
    account: B,
  },
  {
    why: "the domain's row for an id without namespace",
    domain: "cluster.local",
    namespace: null,
    account: B,
  },
  { why: "no row", domain: "partner.example", namespace: "shop", account: null },
  { why: "a foreign domain", domain: "evil.example", namespace: "shop", account: null },
  { why: "a domain in other case", domain: "Cluster.local", namespace: "shop", account: null },
])("PRIN-9, the account of a SPIFFE id by $why", ({ domain, namespace, account }) => {
  expect(lookup.accountOfSpiffeId(domain, namespace)).toBe(account);
});

test("the service of a SPIFFE id is that of its workloads, not of its gateways", () => {
  expect(lookup.serviceArnOfSpiffeId("spiffe://cluster.local/ns/shop/sa/orders")).toBe(
    `arn:aws:mesh-iam::${A}:service/orders`,
  );
  expect(lookup.serviceArnOfSpiffeId("spiffe://cluster.local/ns/edge/sa/gateway")).toBeNull();
});

test("poison is known by id and by kind, always by the same record", () => {
  const poisoned = createLookup({
    ...directory,
    poison: [
      { kind: "workload", objectId: "AWLDX", reason: "too large" },
      { kind: "Workload", objectId: "AWLDY", reason: "not UTF-8" },
    ],
  }).poison;
  expect(poisoned.byId("AWLDX")).toEqual({ id: "AWLDX", poisoned: "too large" });
  expect(poisoned.ofKind("workload")).toEqual([poisoned.byId("AWLDX"), poisoned.byId("AWLDY")]);
  expect(poisoned.ofKind("user")).toEqual([]);
  expect(poisoned.missing("AWLDX")).toBe(poisoned.byId("AWLDX"));
  expect(poisoned.missing("ANPAX")).toBe(poisoned.missing("ANPAX"));
  expect(poisoned.byId("ANPAX")).toBeNull();
});
