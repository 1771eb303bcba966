import { expect, test } from "vitest";
import {
  lookupOf,
  mapToken,
  oidcProvider,
  provider,
  role,
  shop,
  textsOf,
  toRole,
} from "../../../test/fakes/principals.ts";

test.each([
  ["a@b.c", { email: "a@b.c" }, "a@b.c"],
  ["an id with a bar", { email: "auth0|123" }, /^s-[0-9a-f]{32}$/],
  ["the same with a dash", { email: "auth0-123" }, "auth0-123"],
  ["absent", {}, /^s-[0-9a-f]{32}$/],
  ["one character", { email: "a" }, /^s-[0-9a-f]{32}$/],
  ["65 characters", { email: "a".repeat(65) }, /^s-[0-9a-f]{32}$/],
  ["a path", { email: "../admin" }, /^s-[0-9a-f]{32}$/],
  ["a variable", { email: "$" + "{aws:username}" }, /^s-[0-9a-f]{32}$/],
  ["a wildcard", { email: "a*" }, /^s-[0-9a-f]{32}$/],
  ["a letter beyond ASCII", { email: "jörg" }, /^s-[0-9a-f]{32}$/],
  ["a newline at the end", { email: "alice\n" }, /^s-[0-9a-f]{32}$/],
  ["several", { email: ["a@b.c", "d@e.f"] }, /^s-[0-9a-f]{32}$/],
])("T-STS-29 session name from %s", (_why, claims, want) => {
  const lookup = lookupOf(
    oidcProvider([toRole("app", { sessionName: { claim: "email" } })]),
    role("app", {}),
  );
  const mapping = mapToken(lookup, claims);
  if (typeof mapping === "string") throw new Error(mapping);
  const { principal } = mapping.mapped;
  if (principal.type !== "assumed-role") throw new Error(principal.type);
  expect(principal.sessionName).toMatch(want instanceof RegExp ? want : new RegExp(`^${want}$`));
  expect(principal.arn).toBe(`arn:aws:sts::${shop}:assumed-role/app/${principal.sessionName}`);
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
  ["TAG-2 a transitive key of no tag", { [tags]: { transitive_tag_keys: ["team"] } }, null],
  [
    "TAG-2 a transitive key of another tag",
    { ...flat, [`${tags}/transitive_tag_keys`]: ["x"] },
    null,
  ],
  [
    "TAG-2 a transitive key twice",
    { ...flat, [`${tags}/transitive_tag_keys`]: ["team", "Team"] },
    null,
  ],
  [
    "a transitive key in another case",
    { ...flat, [`${tags}/transitive_tag_keys`]: ["Team"] },
    "blue",
  ],
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

test("TAG-2 a transitive key may name a tag that the rule makes", () => {
  const lookup = lookupOf(
    oidcProvider([toRole("app", { tags: { dept: { claim: "dept" } } })]),
    role("app", { Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] }),
  );
  const claims = { [tags]: { transitive_tag_keys: ["dept"] } };
  expect(textsOf(mapToken(lookup, { ...claims, dept: "a" }), "aws:principaltag/dept")).toEqual([
    "a",
  ]);
  expect(mapToken(lookup, claims)).toBe("token-claims session-tags");
});

test("a trust policy that only allows to tag does not allow the session", () => {
  const lookup = lookupOf(oidcProvider([toRole("app")]), role("app", { Action: "sts:TagSession" }));
  expect(mapToken(lookup, flat)).toBe("principal-not-mapped trust");
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
