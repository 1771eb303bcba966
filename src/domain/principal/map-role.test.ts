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
  textsOf,
  tokenOf,
  toRole,
} from "../../../test/fakes/principals.ts";
import { createReferenceTrust } from "../../../test/fakes/reference-trust.ts";
import type { ContextValue } from "../../iam/request-context.ts";
import { createLookup } from "../directory/lookup.ts";
import { isDenied } from "../request/denied.ts";
import { checkTrust, mapPrincipal } from "./map.ts";

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

test("two subjects never share a session name, not even one that claims another's", () => {
  const lookup = lookupOf(
    oidcProvider([toRole("app", { sessionName: { claim: "email" } })]),
    role("app", {}),
  );
  const nameOf = (claims: object): string => {
    const mapping = mapToken(lookup, claims);
    if (typeof mapping === "string") throw new Error(mapping);
    const { principal } = mapping.mapped;
    return principal.type === "assumed-role" ? principal.sessionName : "";
  };
  const alice = nameOf({ sub: "alice" });
  expect(nameOf({ sub: "alice" })).toBe(alice);
  expect(nameOf({ sub: "bob" })).not.toBe(alice);
  expect(nameOf({ sub: "bob", email: alice })).not.toBe(alice);
});

const tags = "https://aws.amazon.com/tags";
const nested = { [tags]: { principal_tags: { team: ["blue"] }, transitive_tag_keys: ["team"] } };
const flat = { [`${tags}/principal_tags/team`]: "blue", [`${tags}/transitive_tag_keys`]: ["team"] };

test.each([
  ["T-STS-27 flattened", flat, "blue"],
  ["T-STS-27 nested", nested, "blue"],
  ["T-STS-27 both, equal", { ...flat, ...nested }, "blue"],
  ["T-STS-27 both, different", { ...nested, [`${tags}/principal_tags/team`]: "red" }, null],
  [
    "both, the flattened one with a tag more",
    { ...nested, ...flat, [`${tags}/principal_tags/x`]: "1" },
    null,
  ],
  ["nested, a plain text", { [tags]: { principal_tags: { team: "blue" } } }, "blue"],
  ["flattened, a list of one", { [`${tags}/principal_tags/team`]: ["blue"] }, "blue"],
  ["nested, two values", { [tags]: { principal_tags: { team: ["blue", "red"] } } }, null],
  ["nested, no value", { [tags]: { principal_tags: { team: [] } } }, null],
  ["nested, a number", { [tags]: { principal_tags: { team: 7 } } }, null],
  ["nested, a list of numbers", { [tags]: { principal_tags: { team: [7] } } }, null],
  ["flattened, two values", { [`${tags}/principal_tags/team`]: ["blue", "red"] }, null],
  ["flattened, an object", { [`${tags}/principal_tags/team`]: {} }, null],
  [
    "two keys that differ in case",
    { [tags]: { principal_tags: { team: ["a"], Team: ["b"] } } },
    null,
  ],
  ["an empty key", { [tags]: { principal_tags: { "": ["a"] } } }, null],
  ["a reserved key", { [tags]: { principal_tags: { "aws:x": ["a"] } } }, null],
  ["a key with a star", { [tags]: { principal_tags: { "te*m": ["a"] } } }, null],
  ["a value with a variable", { [tags]: { principal_tags: { team: ["$" + "{x}"] } } }, null],
  ["a value of 257", { [tags]: { principal_tags: { team: ["a".repeat(257)] } } }, null],
  ["a text for the claim", { [tags]: "team=blue" }, null],
  ["a list for the claim", { [tags]: ["team"] }, null],
  ["transitive keys that are a number", { [tags]: { transitive_tag_keys: 7 } }, null],
  ["a malformed source identity", { "https://aws.amazon.com/source_identity": "a b" }, null],
  [
    "51 tags",
    {
      [tags]: {
        principal_tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ["v"]])),
      },
    },
    null,
  ],
])("TAG-5 session tags in claims: %s", (_why, claims, want) => {
  const lookup = lookupOf(
    oidcProvider([toRole("app")]),
    role("app", { Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] }),
  );
  const mapping = mapToken(lookup, claims);
  if (want === null)
    return void expect(mapping).toMatch(/^token-claims (session-tags|source-identity)$/);
  expect(textsOf(mapping, "aws:principaltag/team")).toEqual([want]);
});

test("T-STS-16 session tags stand over role tags, whatever their case; no tag is left twice", () => {
  const lookup = lookupOf(
    oidcProvider([toRole("app", { tags: { department: { claim: "dept" } } })]),
    role(
      "app",
      { Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] },
      { tags: { Department: "Marketing", Stage: "prod" } },
    ),
  );
  const mapping = mapToken(lookup, { dept: "engineering" });
  expect(textsOf(mapping, "aws:principaltag/department")).toEqual(["engineering"]);
  expect(textsOf(mapping, "aws:principaltag/stage")).toEqual(["prod"]);
  if (typeof mapping === "string" || mapping.mapped.principal.type !== "assumed-role")
    throw new Error();
  expect([...mapping.mapped.principal.tags.keys()].sort()).toEqual(["Stage", "department"]);
  // Without the claim there is no session tag, and nothing beyond the role is needed.
  expect(textsOf(mapToken(lookup, {}), "aws:principaltag/department")).toEqual(["Marketing"]);
  expect(mapToken(lookup, { dept: ["a", "b"] })).toBe("token-claims session-tags");
  expect(mapToken(lookup, { dept: {} })).toBe("token-claims session-tags");
});

test("a tag that claims and rule both set must be the same", () => {
  const lookup = lookupOf(
    oidcProvider([toRole("app", { tags: { team: { claim: "team" } } })]),
    role("app", { Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] }),
  );
  const claim = (value: string) => ({ [tags]: { principal_tags: { team: [value] } } });
  expect(
    textsOf(mapToken(lookup, { team: "blue", ...claim("blue") }), "aws:principaltag/team"),
  ).toEqual(["blue"]);
  expect(mapToken(lookup, { team: "blue", ...claim("red") })).toBe("token-claims session-tags");
});

test("T-STS-13, T-STS-15 tags need sts:TagSession, a source identity sts:SetSourceIdentity", () => {
  const identity = { "https://aws.amazon.com/source_identity": "alice" };
  const withActions = (...actions: readonly string[]) =>
    lookupOf(
      oidcProvider([toRole("app")]),
      role("app", { Action: ["sts:AssumeRoleWithWebIdentity", ...actions] }),
    );
  expect(mapToken(withActions(), flat)).toBe("principal-not-mapped trust");
  expect(mapToken(withActions(), identity)).toBe("principal-not-mapped trust");
  expect(mapToken(withActions("sts:TagSession"), identity)).toBe("principal-not-mapped trust");
  const mapping = mapToken(withActions("sts:TagSession", "sts:SetSourceIdentity"), {
    ...flat,
    ...identity,
  });
  expect(textsOf(mapping, "aws:sourceidentity")).toEqual(["alice"]);
});

test("STS-3 trust can ask for the tags, names and identity of the session", () => {
  const condition = {
    StringEquals: {
      "aws:RequestTag/team": "blue",
      "sts:RoleSessionName": "al",
      "sts:SourceIdentity": "alice",
    },
    "ForAllValues:StringEquals": { "aws:TagKeys": ["team"], "sts:TransitiveTagKeys": ["team"] },
    Null: { "aws:TagKeys": "false", "sts:TransitiveTagKeys": "false" },
  };
  const actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];
  const lookup = lookupOf(
    oidcProvider([toRole("app", { sessionName: "al" })]),
    role("app", { Action: actions, Condition: condition }),
  );
  const identity = { "https://aws.amazon.com/source_identity": "alice" };
  expect(mapToken(lookup, { ...flat, ...identity })).toMatchObject({ type: "mapped", trust: null });
  const other = { ...flat, ...identity, [`${tags}/principal_tags/x`]: "1" };
  expect(mapToken(lookup, other)).toBe("principal-not-mapped trust");
});

test("T-KEY-16 the keys of a session are the role's", () => {
  const lookup = lookupOf(oidcProvider([toRole("app", { sessionName: "al" })]), {
    ...role("app", {}),
    metadata: { name: "app", account: shop, path: "/shop/" },
  });
  const mapping = mapToken(lookup, {});
  const id = lookup.directory.roles[0]?.id;
  expect(textsOf(mapping, "aws:principalarn")).toEqual([`arn:aws:iam::${shop}:role/shop/app`]);
  expect(textsOf(mapping, "aws:userid")).toEqual([`${id}:al`]);
  expect(textsOf(mapping, "aws:principaltype")).toEqual(["AssumedRole"]);
  expect(textsOf(mapping, "aws:username")).toBeUndefined();
  expect(textsOf(mapping, "aws:federatedprovider")).toEqual([provider]);
  expect(textsOf(mapping, "mesh:tokentype")).toEqual(["jwt"]);
  expect(mapping).toMatchObject({ mapped: { expiresAtMs: 1_800_000_660_000 } });
});
