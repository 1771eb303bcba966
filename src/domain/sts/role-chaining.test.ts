import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  A,
  allowAll,
  assume,
  B,
  everything,
  identity,
  outcome,
  policyOf,
  role,
  roleArn,
  session,
  sessionOf,
  trusts,
  user,
  userArn,
  world,
} from "../../../test/fakes/assume-role.ts";
import { foldAscii } from "../../iam/ascii.ts";
import type { AssumeRoleRequest } from "./assume-role-call.ts";
import { stsErrorCodes } from "./refusal.ts";
import { chainTags, roleTagsInChain, sessionTagsOf } from "./tag-chain.ts";

const arnOf = (name: string, account = A): string => `arn:aws:iam::${account}:role/${name}`;
const anyone = trusts(A, { Action: everything });
const allowed = identity(allowAll);

/** Roles that trust account A with tags and source identity, each with these tags. */
function roles(tags: Readonly<Record<string, object>>) {
  const documents = Object.entries(tags).map(([name, own]) =>
    role(name, [anyone], { ...allowed, tags: own }),
  );
  return world(allowed, ...documents);
}

const tagsOf = (answer: Parameters<typeof sessionOf>[0]) =>
  Object.fromEntries(sessionOf(answer).principal.tags);

describe("durations", () => {
  test.each([
    ["T-STS-10 chained, 3601 s", "session", 3601, "duration-range"],
    ["chained, 3600 s", "session", 3600, 3600],
    ["chained, none asked for", "session", null, 3600],
    ["T-STS-11 899 s", "user", 899, "duration-range"],
    ["900 s", "user", 900, 900],
    ["the role's maximum", "user", 7200, 7200],
    ["T-STS-11 the role's maximum and one", "user", 7201, "duration-range"],
    ["more than any role allows", "user", 43_201, "duration-range"],
    ["none asked for", "user", null, 3600],
    ["half a second", "user", 1000.5, "duration-range"],
    ["no number", "user", Number.NaN, "duration-range"],
    ["without end", "user", Number.POSITIVE_INFINITY, "duration-range"],
    ["negative", "user", -3600, "duration-range"],
  ] as const)("%s", (_why, who, durationSeconds, want) => {
    const lookup = world(allowed, role("app", [anyone], { ...allowed, maxSessionDuration: 7200 }));
    const caller = who === "user" ? user(lookup) : session(lookup);
    const answer = assume(lookup, caller, { durationSeconds });
    if (typeof want === "string") expect(outcome(answer)).toBe(want);
    else expect(sessionOf(answer).durationSeconds).toBe(want);
  });
});

describe("tags", () => {
  test("T-STS-12 a tag cannot be passed over an inherited one, whatever its case", () => {
    const lookup = roles({ app: {} });
    const first = sessionOf(
      assume(lookup, user(lookup), { tags: [["Team", "blue"]], transitiveTagKeys: ["team"] }),
    );
    for (const key of ["Team", "team", "TEAM"]) {
      const again = assume(lookup, first, { tags: [[key, "red"]] });
      expect(again).toMatchObject({ ok: false, code: "session-tags", decision: null });
    }
    expect(outcome(assume(lookup, first, { tags: [["stage", "prod"]] }))).toBe("allowed");
  });

  test.each([
    ["the trust policy lacks it", ["sts:AssumeRole"], allowed, "resource"],
    ["trust has it through the account, identity lacks it", everything, "assume", "identity"],
    ["both have it", everything, allowed, "allowed"],
  ])("T-STS-13 tags need sts:TagSession: %s", (_why, actions, members, want) => {
    const own =
      members === "assume"
        ? identity({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" })
        : members;
    const lookup = world(own as object, role("app", [trusts(A, { Action: actions })]));
    const got = outcome(assume(lookup, user(lookup), { tags: [["team", "blue"]] }));
    expect(got).toBe(want === "allowed" ? want : `implicitDeny ${want} sts:TagSession`);
  });

  test("trust that names the user needs nothing of his identity policies for tags", () => {
    const lookup = world({}, role("app", [trusts(userArn, { Action: everything })]));
    expect(outcome(assume(lookup, user(lookup), { tags: [["team", "blue"]] }))).toBe("allowed");
    const bound = world(
      { permissionsBoundary: "other" },
      role("app", [trusts(userArn, { Action: everything })]),
    );
    expect(outcome(assume(bound, user(bound), { tags: [["team", "blue"]] }))).toBe(
      "implicitDeny permissionsBoundary sts:AssumeRole",
    );
  });

  test("across accounts the identity side needs it too, though trust names the user", () => {
    const own = identity({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" });
    const trust = trusts(userArn, { Action: everything });
    const lookup = world(own, role("app", [trust], {}, B));
    const call = { roleArn: arnOf("app", B) };
    expect(outcome(assume(lookup, user(lookup), call))).toBe("allowed");
    expect(outcome(assume(lookup, user(lookup), { ...call, tags: [["a", "b"]] }))).toBe(
      "implicitDeny identity sts:TagSession",
    );
    expect(outcome(assume(lookup, user(lookup), { ...call, sourceIdentity: "bob" }))).toBe(
      "implicitDeny identity sts:SetSourceIdentity",
    );
  });

  test("T-STS-14 inherited tags need sts:TagSession though none is passed", () => {
    const lookup = world(
      allowed,
      role("app", [anyone], allowed),
      role("next", [trusts(A)], allowed),
    );
    const plain = sessionOf(assume(lookup, user(lookup)));
    const tags = [["team", "blue"]] as const;
    const tagged = sessionOf(assume(lookup, user(lookup), { tags }));
    const carrying = sessionOf(assume(lookup, user(lookup), { tags, transitiveTagKeys: ["team"] }));
    const next = { roleArn: arnOf("next") };
    expect(outcome(assume(lookup, plain, next))).toBe("allowed");
    expect(outcome(assume(lookup, tagged, next))).toBe("allowed");
    expect(outcome(assume(lookup, carrying, next))).toBe("implicitDeny resource sts:TagSession");
  });

  test("T-STS-16 a session tag stands over the role's tag of another case", () => {
    const lookup = roles({ app: { Department: "Marketing", Stage: "prod" } });
    const tags = [["department", "engineering"]] as const;
    expect(tagsOf(assume(lookup, user(lookup), { tags }))).toEqual({
      Stage: "prod",
      department: "engineering",
    });
  });

  test("T-STS-17 the chain of Role1, Role2, Role3", () => {
    const lookup = roles({
      Role1: { Heart: "1" },
      Role2: { Sun: "2" },
      Role3: { Star: "3", Lightning: "3" },
    });
    const first = assume(lookup, user(lookup), {
      roleArn: arnOf("Role1"),
      tags: [
        ["Star", "1"],
        ["Heart", "1"],
      ],
      transitiveTagKeys: ["Star", "Heart"],
    });
    expect(tagsOf(first)).toEqual({ Star: "1", Heart: "1" });
    const second = assume(lookup, sessionOf(first), { roleArn: arnOf("Role2") });
    expect(tagsOf(second)).toEqual({ Star: "1", Heart: "1", Sun: "2" });
    const third = assume(lookup, sessionOf(second), { roleArn: arnOf("Role3") });
    expect(tagsOf(third)).toEqual({ Star: "1", Heart: "1", Lightning: "3" });
  });

  test("role tags are never carried on, passed ones only where asked for", () => {
    const lookup = roles({ app: { own: "1" }, next: {} });
    const first = assume(lookup, user(lookup), {
      tags: [
        ["a", "1"],
        ["b", "2"],
      ],
      transitiveTagKeys: ["B"],
    });
    expect(Object.fromEntries(sessionOf(first).chain.transitiveTags)).toEqual({ b: "2" });
    const second = assume(lookup, sessionOf(first), {
      roleArn: arnOf("next"),
      tags: [["c", "3"]],
      transitiveTagKeys: ["c", "b"],
    });
    expect(Object.fromEntries(sessionOf(second).chain.transitiveTags)).toEqual({ b: "2", c: "3" });
  });

  test("TAG-3 trust sees an inherited value in place of the role's tag", () => {
    const asks = (key: string, value: string) => ({
      ...anyone,
      Condition: { StringEquals: { [key]: value } },
    });
    const tags = { Team: "red", stage: "prod" };
    const lookup = world(
      allowed,
      role("app", [anyone], allowed),
      role("inherited", [asks("aws:ResourceTag/team", "blue")], { tags }),
      role("own", [asks("iam:ResourceTag/team", "red")], { tags }),
      role("other", [asks("aws:ResourceTag/stage", "prod")], { tags }),
      role("none", [asks("aws:ResourceTag/team", "blue")]),
    );
    const call = { tags: [["team", "blue"]] as const, transitiveTagKeys: ["team"] };
    const first = sessionOf(assume(lookup, user(lookup), call));
    const at = (name: string) => outcome(assume(lookup, first, { roleArn: arnOf(name) }));
    expect([at("inherited"), at("own"), at("other")]).toEqual(["allowed", "allowed", "allowed"]);
    expect(at("none")).toBe("implicitDeny resource sts:AssumeRole");
  });

  test.each([
    ["a key beyond AWS's characters", [["te*m", "a"]], []],
    ["a reserved key", [["aws:x", "a"]], []],
    ["an empty key", [["", "a"]], []],
    ["a value of 257", [["k", "a".repeat(257)]], []],
    [
      "two keys that differ in case",
      [
        ["k", "a"],
        ["K", "b"],
      ],
      [],
    ],
    ["a transitive key that is not passed", [["k", "a"]], ["x"]],
    ["a transitive key twice", [["k", "a"]], ["k", "K"]],
    ["51 tags", Array.from({ length: 51 }, (_, i) => [`k${i}`, "v"]), []],
  ] as [string, [string, string][], string[]][])("TAG-2 refused: %s", (_why, tags, keys) => {
    const lookup = roles({ app: {} });
    const answer = assume(lookup, user(lookup), { tags, transitiveTagKeys: keys });
    expect(answer).toMatchObject({ ok: false, code: "session-tags" });
  });

  test("50 tags are the most, inherited ones among them", () => {
    const lookup = roles({ app: {} });
    const many = Array.from({ length: 50 }, (_, i) => [`k${i}`, "v"] as const);
    const call = { tags: many, transitiveTagKeys: many.map(([key]) => key) };
    const first = sessionOf(assume(lookup, user(lookup), call));
    expect(first.chain.transitiveTags.size).toBe(50);
    expect(outcome(assume(lookup, first))).toBe("allowed");
    expect(outcome(assume(lookup, first, { tags: [["one", "more"]] }))).toBe("session-tags");
  });

  test("laws: inherited tags win and stay, no key is there twice in any case", () => {
    const key = fc.constantFrom("a", "A", "b", "B", "c", "C", "d");
    const tags = fc
      .uniqueArray(fc.tuple(key, fc.constantFrom("1", "2")), { selector: ([k]) => foldAscii(k) })
      .map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(tags, tags, tags, fc.array(key), (own, inherited, passed, transitive) => {
        const chained = chainTags(inherited, [...passed], transitive);
        const clash = [...passed.keys()].some((k) => has(inherited, k));
        if (clash) return void expect(chained.ok).toBe(false);
        if (!chained.ok) return;
        const all = sessionTagsOf(own, passed, inherited);
        for (const [k, v] of inherited) expect(all.get(k)).toBe(v);
        for (const [k, v] of passed) expect(all.get(k)).toBe(v);
        for (const k of own.keys()) expect(has(all, k)).toBe(true);
        const folded = [...all.keys()].map(foldAscii);
        expect(new Set(folded).size).toBe(folded.length);
        for (const [k, v] of inherited) expect(chained.value.transitive.get(k)).toBe(v);
        for (const k of chained.value.transitive.keys()) {
          expect(has(inherited, k) || has(new Map(transitive.map((t) => [t, ""])), k)).toBe(true);
        }
        expect([...roleTagsInChain(own, inherited).keys()]).toEqual([...own.keys()]);
      }),
    );
  });
});

function has(tags: ReadonlyMap<string, string>, key: string): boolean {
  return [...tags.keys()].some((each) => foldAscii(each) === foldAscii(key));
}

describe("source identity", () => {
  test("T-STS-15 needs sts:SetSourceIdentity in the trust policy", () => {
    const lookup = world(
      allowed,
      role("app", [trusts(userArn, { Action: ["sts:AssumeRole", "sts:TagSession"] })]),
    );
    expect(outcome(assume(lookup, user(lookup), { sourceIdentity: "bob" }))).toBe(
      "implicitDeny resource sts:SetSourceIdentity",
    );
    expect(outcome(assume(lookup, user(lookup)))).toBe("allowed");
  });

  test("T-STS-15 is set once and carried on; a differing one is refused", () => {
    const lookup = world(
      allowed,
      role("app", [anyone], allowed),
      role("next", [anyone], allowed),
      role("plain", [trusts(A)], allowed),
    );
    const first = sessionOf(assume(lookup, user(lookup), { sourceIdentity: "bob" }));
    expect(first.keys.get("aws:sourceidentity")?.values).toEqual(["bob"]);
    const next = { roleArn: arnOf("next") };
    const second = sessionOf(assume(lookup, first, next));
    expect(second.chain.sourceIdentity).toBe("bob");
    expect(second.keys.get("aws:sourceidentity")?.values).toEqual(["bob"]);
    expect(outcome(assume(lookup, first, { ...next, sourceIdentity: "bob" }))).toBe("allowed");
    for (const sourceIdentity of ["Bob", "alice"]) {
      expect(outcome(assume(lookup, first, { ...next, sourceIdentity }))).toBe("source-identity");
    }
    // inherited needs the permission as well
    expect(outcome(assume(lookup, first, { roleArn: arnOf("plain") }))).toBe(
      "implicitDeny resource sts:SetSourceIdentity",
    );
  });

  test("trust sees the caller's and the session's", () => {
    const asks = (key: string) => ({ ...anyone, Condition: { StringEquals: { [key]: "bob" } } });
    const lookup = world(
      allowed,
      role("app", [anyone], allowed),
      role("callers", [asks("aws:SourceIdentity")]),
      role("sessions", [asks("sts:SourceIdentity")]),
    );
    const first = sessionOf(assume(lookup, user(lookup), { sourceIdentity: "bob" }));
    const at = (name: string, caller = first) =>
      outcome(assume(lookup, caller, { roleArn: arnOf(name) }));
    expect([at("callers"), at("sessions")]).toEqual(["allowed", "allowed"]);
    const plain = sessionOf(assume(lookup, user(lookup)));
    expect(at("callers", plain)).toBe("implicitDeny resource sts:AssumeRole");
    expect(at("sessions", plain)).toBe("implicitDeny resource sts:AssumeRole");
  });
});

describe("the session", () => {
  test("is the role's, under the name asked for", () => {
    const lookup = world(
      allowed,
      role("app", [anyone], { ...allowed, permissionsBoundary: "other", tags: { a: "1" } }),
    );
    const made = sessionOf(assume(lookup, user(lookup), { roleSessionName: "a@b.c" }));
    expect(made.principal).toEqual({
      type: "assumed-role",
      account: A,
      arn: `arn:aws:sts::${A}:assumed-role/app/a@b.c`,
      roleArn,
      roleName: "app",
      sessionName: "a@b.c",
      id: lookup.roleByArn(roleArn)?.id,
      serviceLinked: false,
      tags: new Map([["a", "1"]]),
    });
    expect(made.policies.identity.map(({ id }) => id)).toEqual([`${roleArn}/own`]);
    expect(made.policies.permissionsBoundary?.id).toBe(`arn:aws:iam::${A}:policy/other`);
    expect(made.policies.session).toBeNull();
    expect(made.keys.get("aws:principalarn")?.values).toEqual([roleArn]);
    expect(Object.isFrozen(made)).toBe(true);
  });

  test("keeps the provider that began the chain", () => {
    const lookup = roles({ app: {}, next: {} });
    const federatedProvider = `arn:aws:iam::${A}:oidc-provider/login.example.com`;
    const began = session(lookup);
    const first = { ...began, chain: { ...began.chain, federatedProvider } };
    const second = sessionOf(assume(lookup, first, { roleArn: arnOf("next") }));
    expect(second.keys.get("aws:federatedprovider")?.values).toEqual([federatedProvider]);
    const third = sessionOf(assume(lookup, second));
    expect(third.chain.federatedProvider).toBe(federatedProvider);
  });

  test("is limited by the session policies that were passed, inline and managed", () => {
    const lookup = roles({ app: {} });
    const policy = JSON.stringify(policyOf(allowAll));
    const made = sessionOf(
      assume(lookup, user(lookup), { policy, policyArns: [`arn:aws:iam::${A}:policy/other`] }),
    );
    expect(made.policies.session?.map(({ id }) => id)).toEqual([
      `arn:aws:iam::${A}:policy/other`,
      `arn:aws:sts::${A}:assumed-role/app/sess1/Policy`,
    ]);
    // they bind the next AssumeRole: the union allows it
    expect(outcome(assume(lookup, made))).toBe("allowed");
    const narrow = sessionOf(
      assume(lookup, user(lookup), { policyArns: [`arn:aws:iam::${A}:policy/other`] }),
    );
    expect(outcome(assume(lookup, narrow))).toBe("implicitDeny session sts:AssumeRole");
  });

  const policy = (size: number): string => {
    const bare = JSON.stringify(policyOf(allowAll));
    return bare + " ".repeat(size - bare.length);
  };

  test.each([
    ["2048 characters", { policy: policy(2048) }, "allowed"],
    ["2049 characters, white space counted", { policy: policy(2049) }, "session-policy-size"],
    [
      "ARNs and text together",
      { policy: policy(2048), policyArns: [`arn:aws:iam::${A}:policy/other`] },
      "session-policy-size",
    ],
    [
      "eleven ARNs",
      { policyArns: Array.from({ length: 11 }, (_, i) => `arn:aws:iam::${A}:policy/p${i}`) },
      "session-policy-size",
    ],
    ["no JSON", { policy: "{" }, "session-policy"],
    [
      "a doubled key",
      { policy: '{"Version":"2012-10-17","Version":"2012-10-17"}' },
      "session-policy",
    ],
    [
      "a Principal",
      { policy: JSON.stringify(policyOf({ ...allowAll, Principal: "*" })) },
      "session-policy",
    ],
    ["an ARN of nothing", { policyArns: [`arn:aws:iam::${A}:policy/none`] }, "session-policy"],
    [
      "an ARN of another account",
      { policyArns: [`arn:aws:iam::${B}:policy/foreign`] },
      "session-policy",
    ],
    [
      "an ARN twice",
      { policyArns: [`arn:aws:iam::${A}:policy/other`, `arn:aws:iam::${A}:policy/other`] },
      "session-policy",
    ],
  ] as [string, Partial<AssumeRoleRequest>, string][])(
    "session policies: %s",
    (_why, call, want) => {
      const lookup = roles({ app: {} });
      expect(outcome(assume(lookup, user(lookup), call))).toBe(want);
    },
  );
});

describe("parameters", () => {
  test.each([
    ["no ARN", { roleArn: "app" }, "role-arn"],
    [
      "an ARN of 2049 characters",
      { roleArn: arnOf("a".repeat(2049 - arnOf("").length)) },
      "role-arn",
    ],
    ["a session name of one", { roleSessionName: "a" }, "session-name"],
    ["a session name of 64", { roleSessionName: "a".repeat(64) }, "allowed"],
    ["a session name of 65", { roleSessionName: "a".repeat(65) }, "session-name"],
    ["a session name with a slash", { roleSessionName: "a/b" }, "session-name"],
    ["a session name with a newline", { roleSessionName: "alice\n" }, "session-name"],
    ["a megabyte of session name", { roleSessionName: "a".repeat(1 << 20) }, "session-name"],
    ["an ExternalId of one", { externalId: "a" }, "external-id"],
    ["an ExternalId of all its characters", { externalId: "aZ09_+=,.@:/-" }, "allowed"],
    ["an ExternalId of 1224", { externalId: "a".repeat(1224) }, "allowed"],
    ["an ExternalId of 1225", { externalId: "a".repeat(1225) }, "external-id"],
    ["an ExternalId with a space", { externalId: "a b" }, "external-id"],
    ["a source identity of one", { sourceIdentity: "a" }, "source-identity"],
    ["a reserved source identity", { sourceIdentity: "aws:me" }, "source-identity"],
    ["a source identity", { sourceIdentity: "Bob+1@x.y" }, "allowed"],
  ] as [string, Partial<AssumeRoleRequest>, string][])("%s", (_why, call, want) => {
    const lookup = roles({ app: {} });
    expect(outcome(assume(lookup, user(lookup), call))).toBe(want);
  });

  test("messages are short whatever is passed", () => {
    const lookup = roles({ app: {} });
    const long = "x".repeat(1 << 20);
    const calls: Partial<AssumeRoleRequest>[] = [
      { roleArn: long },
      { roleSessionName: long },
      { externalId: long },
      { sourceIdentity: long },
      { tags: [[long, long]] },
      { transitiveTagKeys: [long] },
      { policy: long },
      { policyArns: [long] },
    ];
    for (const call of calls) {
      const answer = assume(lookup, user(lookup), call);
      if (answer.ok) throw new Error(JSON.stringify(Object.keys(call)));
      expect(answer.message.length).toBeLessThan(400);
      expect(stsErrorCodes[answer.code]).toMatch(/^[A-Z][A-Za-z]+$/);
    }
  });
});
