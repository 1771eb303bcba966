import { describe, expect, test } from "vitest";
import { document, lookupOf } from "../../../test/fakes/principals.ts";
import { parseArn } from "../../iam/arn.ts";
import type { Principal } from "../../iam/principal.ts";
import type { RequestResource } from "../../iam/request-context.ts";
import { parseScenario } from "../../iam/scenario.ts";
import { callerByArn } from "./caller-by-arn.ts";
import { targetByArn } from "./target-by-arn.ts";

const A = "111122223333";
const B = "444455556666";
const spiffeId = "spiffe://mesh.example/ns/shop/sa/web";

const allowAll = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};
const own = (name: string) => ({ policies: [{ policyName: name, policyDocument: allowAll }] });
const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: A } }],
};

const lookup = lookupOf(
  document("Group", "devs", own("devs"), A),
  document("User", "bob", { ...own("own"), groups: ["devs"] }, A),
  document("User", "gone", { state: "disabled" }, A),
  { ...document("User", "deep", {}, A), metadata: { name: "deep", account: A, path: "/team/" } },
  {
    ...document("Role", "app", { assumeRolePolicyDocument: trust, ...own("own") }, A),
    metadata: { name: "app", account: A, path: "/shop/" },
  },
  document("TrustDomain", "mesh.example", { accounts: [{ namespace: "shop", account: A }] }, null),
  document("Workload", "web", { spiffeId, ...own("own") }, A),
  document(
    "Service",
    "orders",
    {
      tags: { stage: "prod" },
      routes: [
        { http: "GET /orders", action: "ListOrders", resource: "orders", accessLevel: "List" },
        {
          http: "GET /health",
          action: "Probe",
          resource: "p",
          accessLevel: "Read",
          authType: "NONE",
        },
        { http: "GET /both", action: "Both", resource: "b", accessLevel: "Read", authType: "NONE" },
        { http: "POST /both", action: "Both", resource: "b", accessLevel: "Read" },
      ],
      resourcePolicy: { ...allowAll, Statement: [{ ...allowAll.Statement[0], Principal: "*" }] },
    },
    A,
  ),
  document("Account", "a", { accountId: A }, null),
  document("Account", "b", { accountId: B, state: "disabled" }, null),
  document("Account", "m", { accountId: "999988887777" }, null),
  document("Organization", "acme", { managementAccountId: "999988887777" }, null),
  document("User", "eve", {}, B),
  document(
    "ResourceControlPolicy",
    "guard",
    {
      targetIds: ["/"],
      content: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Principal: "*", Action: "orders:*", Resource: "*" }],
      },
    },
    null,
  ),
);

/** A principal as a scenario writes it. */
function principal(written: object): Principal {
  const loaded = parseScenario(
    JSON.stringify({
      id: "x",
      principal: written,
      action: "a:B",
      resource: { arn: `arn:aws:a::${A}:b` },
    }),
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.value.context.principal;
}

const user = (name: string, account = A) => ({
  type: "user",
  arn: `arn:aws:iam::${account}:user/${name}`,
});
const session = (name: string, path = "/shop/") => ({
  type: "assumed-role",
  arn: `arn:aws:sts::${A}:assumed-role/${name}/s1`,
  path,
});
const workload = (id: string, account = A) => ({
  type: "workload",
  arn: `arn:aws:iam::${account}:workload/${id.slice("spiffe://".length)}`,
});

describe("a caller by ARN", () => {
  test.each([
    [
      "a user with his groups",
      user("bob"),
      [`arn:aws:iam::${A}:group/devs/devs`, `arn:aws:iam::${A}:user/bob/own`],
    ],
    ["a user below a path", user("team/deep"), []],
    ["a session of a role", session("app"), [`arn:aws:iam::${A}:role/shop/app/own`]],
    ["a workload with a document", workload(spiffeId), ["own"]],
    ["a workload without one", workload("spiffe://mesh.example/ns/shop/sa/other"), []],
    ["one that is no service account", workload("spiffe://mesh.example/ns/shop/job/night"), []],
    [
      "a federated session of a user",
      { type: "federated-user", arn: `arn:aws:sts::${A}:federated-user/bob` },
      ["devs", "own"],
    ],
    ["root", { type: "root", arn: `arn:aws:iam::${A}:root` }, []],
    ["anonymous", { type: "anonymous" }, []],
    ["a service", { type: "service", name: "x.svc.mesh" }, []],
    ["a web identity", { type: "web-identity", provider: "login.example.com" }, []],
  ])("%s", (_why, written, ids) => {
    const found = callerByArn(lookup, principal(written));
    if (!found.ok) throw new Error(found.message);
    const given = found.value.policies.identity.map(({ id }) => id);
    expect(given.length).toBe(ids.length);
    for (const [index, id] of ids.entries()) expect(given[index]).toContain(id);
    expect(found.value.policies.session).toBeNull();
  });

  test.each([
    ["a user who is not there", user("bobb"), "unknown-principal", "did you mean `bob`?"],
    ["a user of another path", user("deep"), "unknown-principal", ":user/team/deep`?"],
    ["a name in another case", user("Bob"), "unknown-principal", "did you mean `bob`?"],
    ["a disabled user", user("gone"), "disabled-principal", "is disabled"],
    ["a user of a disabled account", user("eve", B), "disabled-principal", "is disabled"],
    ["a role that is not there", session("apps"), "unknown-principal", "did you mean `app`?"],
    ["a role without its path", session("app", "/"), "unknown-principal", ":role/shop/app`?"],
    [
      "a workload of another account",
      workload(spiffeId, B),
      "unknown-principal",
      "no trust domain",
    ],
    [
      "a workload of no trust domain",
      workload("spiffe://x.y/ns/a/sa/b"),
      "unknown-principal",
      "no trust domain",
    ],
    [
      "root of no account",
      { type: "root", arn: "arn:aws:iam::111122223334:root" },
      "unknown-principal",
      A,
    ],
  ])("refused: %s", (_why, written, code, says) => {
    const found = callerByArn(lookup, principal(written));
    expect(found).toMatchObject({ ok: false, code });
    expect(found.ok ? "" : found.message).toContain(says);
  });
});

function resource(text: string | null, given: Partial<RequestResource> = {}): RequestResource {
  const parsed = text === null ? null : parseArn(text);
  const arn = parsed?.ok ? parsed.value : null;
  return { arn, account: arn?.account ?? A, class: "ordinary", ...given };
}

describe("a resource by ARN", () => {
  const order = `arn:aws:orders:eu-west-1:${A}:order/42`;
  const role = `arn:aws:iam::${A}:role/shop/app`;

  test.each([
    ["of a service", "orders:ListOrders", resource(order), "policy", { stage: "prod" }, false],
    [
      "an action in another case",
      "Orders:listorders",
      resource(order),
      "policy",
      { stage: "prod" },
      false,
    ],
    ["an open route", "orders:Probe", resource(order), "policy", { stage: "prod" }, true],
    [
      "an action with one open route and one closed",
      "orders:Both",
      resource(order),
      "policy",
      { stage: "prod" },
      false,
    ],
    [
      "a role to be assumed",
      "sts:AssumeRole",
      resource(role, { class: "role-trust" }),
      "trust",
      {},
      false,
    ],
    ["a role to be managed", "iam:GetRole", resource(role), null, {}, false],
    ["the pseudo-resource", "orders:ListOrders", resource(null), null, {}, false],
  ] as const)("%s", (_why, action, asked, policy, tags, open) => {
    const found = targetByArn(lookup, action, asked);
    if (!found.ok) throw new Error(found.message);
    const { policies } = found.value;
    expect(policies.resource === null).toBe(policy === null);
    expect(policies.class).toBe(policy === "trust" ? "role-trust" : "ordinary");
    expect(Object.fromEntries(found.value.tags)).toEqual(tags);
    expect(found.value.open).toBe(open);
    expect(policies.resourceControl?.flat().length).toBe(1);
  });

  test.each([
    [
      "an unknown service",
      "order:ListOrders",
      resource(`arn:aws:order::${A}:x`),
      "unknown-resource",
      "`orders`",
    ],
    [
      "a service of another account",
      "orders:ListOrders",
      resource(`arn:aws:orders::${B}:x`),
      "unknown-resource",
      "`orders`",
    ],
    [
      "an action without a route",
      "orders:ListOrder",
      resource(order),
      "unknown-action",
      "`orders:ListOrders`",
    ],
    [
      "an action of another service",
      "s3:ListOrders",
      resource(order),
      "unknown-action",
      "s3:ListOrders",
    ],
    [
      "an unknown role",
      "sts:AssumeRole",
      resource(`arn:aws:iam::${A}:role/app`, { class: "role-trust" }),
      "unknown-resource",
      "role/app",
    ],
    [
      "no account",
      "orders:ListOrders",
      resource(null, { account: null }),
      "unknown-resource",
      "no account",
    ],
  ] as const)("refused: %s", (_why, action, asked, code, says) => {
    const found = targetByArn(lookup, action, asked);
    expect(found).toMatchObject({ ok: false, code });
    expect(found.ok ? "" : found.message).toContain(says);
  });
});
