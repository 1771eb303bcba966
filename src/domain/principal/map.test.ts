import { expect, test } from "vitest";
import {
  document,
  keysOf,
  lookupOf,
  map,
  mapToken,
  mtlsOf,
  oidcProvider,
  partner,
  role,
  shop,
  svidOf,
  textsOf,
  tokenOf,
  toRole,
  toUser,
} from "../../../test/fakes/principals.ts";
import { createLookup, type DirectoryLookup } from "../directory/lookup.ts";
import { isDenied } from "../request/denied.ts";

test("nobody is anonymous, in the words of the specification (T-KEY-15)", () => {
  const result = map(lookupOf(), null);
  if (isDenied(result)) throw new Error(result.reason);
  expect(result.mapped).toMatchObject({ principal: { type: "anonymous" }, authMethod: "none" });
  expect(textsOf(result, "aws:principaltype")).toEqual(["Anonymous"]);
  expect(textsOf(result, "aws:userid")).toEqual(["anonymous"]);
  expect(textsOf(result, "aws:principalaccount")).toEqual(["anonymous"]);
  expect(textsOf(result, "mesh:tokentype")).toEqual(["none"]);
  expect(textsOf(result, "aws:principalarn")).toBeUndefined();
  expect(textsOf(result, "aws:principalisawsservice")).toBeUndefined();
});

test("T-STS-28 the first rule that holds decides, and no rule is nobody", () => {
  const lookup = lookupOf(
    oidcProvider(
      [
        { when: { claim: "groups", contains: "admins" }, ...toRole("admin") },
        { when: { claim: "name", exists: true }, ...toUser },
      ],
      { multivaluedClaims: ["groups"] },
    ),
    role("admin", {}),
    document("User", "bob", {}),
  );
  expect(mapToken(lookup, { name: "bob", groups: ["devs", "admins"] })).toMatchObject({
    mapped: { principal: { type: "assumed-role", roleName: "admin" } },
    trust: null,
  });
  expect(mapToken(lookup, { name: "bob", groups: ["devs"] })).toMatchObject({
    mapped: { principal: { type: "user", name: "bob", arn: `arn:aws:iam::${shop}:user/bob` } },
  });
  expect(mapToken(lookup, {})).toBe("principal-not-mapped no-rule");
  expect(mapToken(lookup, { name: "eve" })).toBe("principal-not-mapped no-user");
  expect(mapToken(lookup, { name: "Bob" })).toBe("principal-not-mapped no-user");
});

test("T-KEY-25 MFA of a token: unknown, known to a user, never a session's", () => {
  const token = { name: "bob", amr: ["mfa"], auth_time: 1_799_999_000 };
  const users = [document("User", "bob", {}), role("app", {})];
  const plain = mapToken(lookupOf(oidcProvider([toUser]), ...users), token);
  expect(keysOf(plain).has("aws:multifactorauthpresent")).toBe(false);
  expect(plain).toMatchObject({ mapped: { multiFactorAuthAtMs: null } });

  const known = lookupOf(oidcProvider([toUser], { mfaFromAmr: true }), ...users);
  const mapped = mapToken(known, token);
  expect(textsOf(mapped, "aws:multifactorauthpresent")).toEqual(["true"]);
  expect(mapped).toMatchObject({ mapped: { multiFactorAuthAtMs: 1_799_999_000_000 } });
  const without = mapToken(known, { ...token, amr: ["pwd"] });
  expect(textsOf(without, "aws:multifactorauthpresent")).toEqual(["false"]);
  expect(without).toMatchObject({ mapped: { multiFactorAuthAtMs: null } });
  expect(mapToken(known, { ...token, auth_time: "then" })).toMatchObject({
    mapped: { multiFactorAuthAtMs: null },
  });

  const session = mapToken(
    lookupOf(oidcProvider([toRole("app")], { mfaFromAmr: true }), ...users),
    token,
  );
  expect(textsOf(session, "aws:multifactorauthpresent")).toEqual(["false"]);
  expect(session).toMatchObject({ mapped: { multiFactorAuthAtMs: null } });
  for (const one of [plain, mapped, session]) {
    expect(textsOf(one, "aws:tokenissuetime")).toEqual(["2027-01-15T08:00:00Z"]);
  }
});

const trustDomain = document(
  "TrustDomain",
  "td",
  { audiences: ["mesh"], accounts: [{ account: shop }, { namespace: "pay", account: partner }] },
  null,
);

test.each([
  ["spiffe://td/ns/pay/sa/y", partner],
  ["spiffe://td/ns/payments/sa/y", shop],
  ["spiffe://td/ns/pay/other", partner],
  ["spiffe://td/pay", shop],
])("T-KEY-23 %s is a workload of %s", (id, account) => {
  const lookup = lookupOf(trustDomain);
  for (const credential of [mtlsOf(id), svidOf(id)]) {
    const mapping = map(lookup, credential);
    const arn = `arn:aws:iam::${account}:workload/${id.slice("spiffe://".length)}`;
    expect(mapping).toMatchObject({
      mapped: {
        principal: { type: "workload", account, arn, id: null },
        authMethod: credential.type,
      },
    });
    if (isDenied(mapping)) continue;
    expect(textsOf(mapping, "aws:principalarn")).toEqual([arn]);
    expect(textsOf(mapping, "aws:userid")).toEqual([id]);
    expect(textsOf(mapping, "aws:principaltype")).toEqual(["Workload"]);
    expect(textsOf(mapping, "mesh:tokentype")).toEqual([credential.type]);
    expect(mapping.mapped.expiresAtMs).toBe(
      credential.type === "mtls" ? Number.POSITIVE_INFINITY : 1_800_000_660_000,
    );
  }
});

test("a JWT-SVID without a row in the account table is no anonymous caller", () => {
  const lookup = lookupOf(trustDomain);
  expect(map(lookup, svidOf("spiffe://other/ns/pay/sa/y"))).toMatchObject({
    reason: "principal-not-mapped",
    detail: "no-account",
  });
});

test("a workload's document gives policies and tags, in its own account alone", () => {
  const policy = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  };
  const lookup = lookupOf(
    trustDomain,
    document("Workload", "y", {
      spiffeId: "spiffe://td/ns/shop/sa/y",
      policies: [{ policyName: "all", policyDocument: policy }],
      tags: { team: "blue" },
    }),
  );
  const mapping = map(lookup, mtlsOf("spiffe://td/ns/shop/sa/y"));
  if (isDenied(mapping)) throw new Error(mapping.reason);
  expect(mapping.mapped.policies.identity.length).toBe(1);
  expect(textsOf(mapping, "aws:principaltag/team")).toEqual(["blue"]);
  const [workload] = lookup.directory.workloads;
  if (workload === undefined) throw new Error("no workload");
  const elsewhere = createLookup({
    ...lookup.directory,
    workloads: [{ ...workload, account: partner }],
  });
  const bare = map(elsewhere, mtlsOf("spiffe://td/ns/shop/sa/y"));
  expect(bare).toMatchObject({ mapped: { policies: { identity: [] } } });
});

test("POL-099 whoever is disabled is revoked, by every kind of credential", () => {
  const state = { state: "disabled" };
  const spiffeId = "spiffe://td/ns/shop/sa/y";
  const workload = lookupOf(trustDomain, document("Workload", "y", { spiffeId, ...state }));
  expect(map(workload, mtlsOf(spiffeId))).toMatchObject({ reason: "revoked" });
  expect(map(workload, svidOf(spiffeId))).toMatchObject({ reason: "revoked" });
  const user = lookupOf(oidcProvider([toUser]), document("User", "bob", state));
  expect(mapToken(user, { name: "bob" })).toBe("revoked user-disabled");
  const enabled = lookupOf(oidcProvider([toUser]), document("User", "bob", {}));
  expect(mapToken(enabled, { name: "bob" })).toMatchObject({ type: "mapped" });
  const app = lookupOf(oidcProvider([toRole("app")]), role("app", {}));
  const [one] = app.directory.roles;
  if (one === undefined) throw new Error("no role");
  const off = createLookup({ ...app.directory, roles: [{ ...one, state: "disabled" }] });
  expect(mapToken(off, {})).toBe("revoked role-disabled");
  const closed = (lookup: DirectoryLookup) =>
    createLookup({
      ...lookup.directory,
      accounts: lookup.directory.accounts.map((account) => ({ ...account, state: "disabled" })),
    });
  expect(mapToken(closed(app), {})).toBe("revoked account-disabled");
  expect(mapToken(closed(enabled), { name: "bob" })).toBe("revoked account-disabled");
  expect(map(closed(lookupOf(trustDomain)), mtlsOf(spiffeId))).toMatchObject({ reason: "revoked" });
});

test("a provider that this revision lacks maps nobody", () => {
  const lookup = lookupOf(oidcProvider([toUser]), document("User", "bob", {}));
  const credential = { ...tokenOf(lookup, { name: "bob" }), providerId: "gone" };
  expect(map(lookup, credential)).toMatchObject({ reason: "token-issuer" });
});
