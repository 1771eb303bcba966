import { expect, test } from "vitest";
import {
  document,
  lookupOf,
  map,
  mapToken,
  oidcProvider,
  partner,
  provider,
  role,
  shop,
  tokenOf,
  toRole,
} from "../../../test/fakes/principals.ts";
import { createReferenceTrust } from "../../../test/fakes/reference-trust.ts";
import type { ContextValue } from "../../iam/request-context.ts";
import { createLookup } from "../directory/lookup.ts";
import { isDenied } from "../request/denied.ts";
import { checkTrust, mapPrincipal } from "./map.ts";

test.each([
  ["sub, as it is", { StringEquals: { "login.example.com:sub": "alice" } }, {}, true],
  ["another sub", { StringEquals: { "login.example.com:sub": "bob" } }, {}, false],
  ["the key in another case", { StringEquals: { "LOGIN.example.com:SUB": "alice" } }, {}, true],
  ["aud", { StringEquals: { "login.example.com:aud": "mesh" } }, {}, true],
  [
    "one of several aud by a set operator",
    { "ForAnyValue:StringEquals": { "login.example.com:aud": "mesh" } },
    { aud: ["mesh", "other"] },
    true,
  ],
  [
    "oaud, which only google has",
    { Null: { "login.example.com:oaud": "true" } },
    { oaud: "x" },
    true,
  ],
  [
    "amr",
    { "ForAnyValue:StringEquals": { "login.example.com:amr": "mfa" } },
    { amr: ["pwd", "mfa"] },
    true,
  ],
  [
    "a number, by its source",
    { StringEquals: { "login.example.com:level": "3" } },
    { level: 3 },
    true,
  ],
  ["the provider", { StringEquals: { "aws:FederatedProvider": provider } }, {}, true],
  ["a role tag", { StringEquals: { "aws:ResourceTag/Team": "blue" } }, {}, true],
  ["a role tag of iam", { StringEquals: { "iam:ResourceTag/Team": "blue" } }, {}, true],
  ["the owner of the role", { StringEquals: { "aws:ResourceAccount": shop } }, {}, true],
  [
    "an external id, which nobody gave",
    { StringEquals: { "sts:ExternalId": "x" } },
    { "sts:ExternalId": "x" },
    false,
  ],
])("STS-3 trust can ask for %s", (_why, condition, claims, want) => {
  const lookup = lookupOf(
    oidcProvider([toRole("app")]),
    role("app", { Condition: condition }, { tags: { Team: "blue" } }),
  );
  const got = mapToken(lookup, claims);
  expect(typeof got === "string" ? got : got.trust).toBe(
    want ? null : "principal-not-mapped trust",
  );
});

test.each([
  ["silent", { Action: "sts:TagSession" }, "principal-not-mapped trust"],
  ["another provider", { Principal: { Federated: `${provider}/x` } }, "principal-not-mapped trust"],
  ["the account of the provider", { Principal: { AWS: shop } }, "principal-not-mapped trust"],
  [
    "everybody, who are not web identities (T-STS-25)",
    { Principal: "*" },
    "principal-not-mapped trust",
  ],
  ["another action", { Action: "sts:AssumeRole" }, "principal-not-mapped trust"],
  ["the provider", {}, "mapped"],
  ["all of sts", { Action: "sts:*" }, "mapped"],
])("STS-9 a trust policy that allows %s", (_why, trust, want) => {
  // The trust of `any` is read as written: what a loader would refuse must not be trusted either.
  const lookup = lookupOf(oidcProvider([toRole("app")]), role("app", {}));
  const [app] = lookup.directory.roles;
  if (app === undefined) throw new Error("no role");
  const [statement] = JSON.parse(app.trustPolicy.text).Statement;
  const text = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ ...statement, ...trust }],
  });
  const changed = createLookup({
    ...lookup.directory,
    roles: [{ ...app, trustPolicy: { ...app.trustPolicy, text } }],
  });
  const got = mapToken(changed, {});
  expect(typeof got === "string" ? got : got.type).toBe(want);
});

test.each([
  ["azp and aud", { azp: "mesh", aud: "project" }, "mesh", "project"],
  ["aud alone", {}, "mesh", "mesh"],
])("STS-6 under audienceRule google: %s", (_why, claims, aud, oaud) => {
  const condition = {
    StringEquals: { "login.example.com:aud": aud, "login.example.com:oaud": oaud },
  };
  const lookup = lookupOf(
    oidcProvider([toRole("app")], { audienceRule: "google" }),
    role("app", { Condition: condition }),
  );
  expect(mapToken(lookup, claims)).toMatchObject({ type: "mapped", trust: null });
});

test("a claim of the wrong shape is an error for a trust that reads it, and nothing for another", () => {
  const reads = { StringEquals: { "login.example.com:team": "blue" } };
  const rules = oidcProvider([toRole("app")]);
  const team = { team: ["blue", "red"] };
  expect(mapToken(lookupOf(rules, role("app", { Condition: reads })), team)).toBe(
    "evaluation-error trust",
  );
  expect(mapToken(lookupOf(rules, role("app", {})), team)).toMatchObject({ type: "mapped" });
});

test("an issuer that is called like a prefix of ours fills none of its keys", () => {
  const condition = { StringEquals: { "sts:ExternalId": "x" } };
  const lookup = lookupOf(oidcProvider([toRole("app")]), role("app", { Condition: condition }));
  const [login] = lookup.directory.oidcProviders;
  if (login === undefined) throw new Error("no provider");
  const changed = createLookup({
    ...lookup.directory,
    oidcProviders: [{ ...login, issuer: "https://sts" }],
  });
  const credential = { ...tokenOf(lookup, { ExternalId: "x" }), providerId: login.id };
  expect(map(changed, credential)).toMatchObject({ reason: "principal-not-mapped" });
});

test("T-STS-30 a trust that reads more than claims and role tags is asked on every Check", () => {
  const condition = { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } };
  const lookup = lookupOf(oidcProvider([toRole("app")]), role("app", { Condition: condition }));
  const evaluator = createReferenceTrust();
  const mapping = mapPrincipal({ principalCredential: tokenOf(lookup, {}) }, lookup, evaluator);
  if (isDenied(mapping) || mapping.trust === null) throw new Error("expected an open question");
  expect(evaluator.asked).toBe(0);
  const { trust } = mapping;
  const from = (address: string | null) =>
    checkTrust(
      trust,
      evaluator,
      new Map(
        address === null ? [] : [["aws:sourceip", { multivalued: false, values: [address] }]],
      ),
      null,
      1_800_000_000_000,
    );
  expect(from("10.1.2.3")).toBeNull();
  expect(from("192.168.1.1")).toMatchObject({ reason: "principal-not-mapped", detail: "trust" });
  expect(from(null)).toMatchObject({ reason: "principal-not-mapped" });
  expect(
    checkTrust(trust, evaluator, new Map(), new Map([["aws:sourceip", "evaluation-error"]]), 0),
  ).toMatchObject({ reason: "evaluation-error" });
});

test("KEY-3 a fault of the request is none of a key that the question fixes", () => {
  const condition = {
    StringEquals: { "aws:ResourceTag/team": "blue", "login.example.com:sub": "alice" },
    IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
  };
  const lookup = lookupOf(
    oidcProvider([toRole("app")]),
    role("app", { Condition: condition }, { tags: { team: "blue" } }),
  );
  const mapping = mapToken(lookup, {});
  if (typeof mapping === "string" || mapping.trust === null) throw new Error("expected a question");
  const { trust } = mapping;
  const keys = new Map([["aws:sourceip", { multivalued: false, values: ["10.0.0.1"] }]]);
  const faulty = (key: string) =>
    checkTrust(trust, createReferenceTrust(), keys, new Map([[key, "evaluation-error"]]), 0);
  expect(faulty("aws:resourcetag/team")).toBeNull();
  expect(faulty("login.example.com:sub")).toBeNull();
  expect(faulty("aws:sourceip")).toMatchObject({ reason: "evaluation-error" });
});

test("a request never fills keys about the caller, the session or the role", () => {
  const condition = {
    StringEquals: {
      "aws:PrincipalTag/team": "blue",
      "sts:ExternalId": "x",
      "login.example.com:team": "blue",
      "aws:ResourceTag/team": "blue",
    },
    IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
  };
  const names = Object.keys(condition.StringEquals);
  for (const name of names) {
    const one = { [name]: condition.StringEquals[name as "sts:ExternalId"] };
    const lookup = lookupOf(
      oidcProvider([toRole("app")]),
      role("app", { Condition: { ...condition, StringEquals: one } }),
    );
    const mapping = mapToken(lookup, {});
    if (typeof mapping === "string" || mapping.trust === null)
      throw new Error("expected a question");
    const keys = new Map([
      ["aws:sourceip", { multivalued: false, values: ["10.0.0.1"] }],
      ...names.map((key): [string, ContextValue] => [
        key.toLowerCase(),
        { multivalued: false, values: Object.values(one) },
      ]),
    ]);
    const got = checkTrust(mapping.trust, createReferenceTrust(), keys, null, 0);
    expect([name, got?.reason]).toEqual([name, "principal-not-mapped"]);
  }
});

test("an RCP of the role's account denies the session, whatever the trust policy says", () => {
  const organization = [
    { kind: "Organization", name: "acme", spec: { managementAccountId: partner } },
    {
      kind: "Account",
      name: "shop",
      spec: { accountId: shop, parentIds: ["/"], email: "a@b.example" },
    },
    {
      kind: "Account",
      name: "own",
      spec: { accountId: partner, parentIds: ["/"], email: "c@d.example" },
    },
    {
      kind: "ResourceControlPolicy",
      name: "no-strangers",
      spec: {
        targetIds: ["/"],
        content: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "sts:AssumeRoleWithWebIdentity",
              Resource: "*",
              Condition: { StringNotEquals: { "login.example.com:sub": "alice" } },
            },
          ],
        },
      },
    },
  ].map(({ kind, name, spec }) => document(kind, name, spec, null));
  const lookup = lookupOf(...organization, oidcProvider([toRole("app")]), role("app", {}));
  expect(mapToken(lookup, {})).toMatchObject({ type: "mapped" });
  expect(mapToken(lookup, { sub: "eve" })).toBe("principal-not-mapped trust");
});
