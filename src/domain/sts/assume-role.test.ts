import { describe, expect, test } from "vitest";
import {
  A,
  allowAll,
  allowOther,
  anonymous,
  assume,
  B,
  everything,
  federatedUser,
  identity,
  now,
  outcome,
  policyOf,
  role,
  roleArn,
  root,
  service,
  session,
  sessionArn,
  sessionOf,
  spiffeId,
  trusts,
  user,
  userArn,
  workload,
  world,
} from "../../../test/fakes/assume-role.ts";
import { document, lookupOf } from "../../../test/fakes/principals.ts";
import type { ContextValue } from "../../iam/request-context.ts";

const rootArn = `arn:aws:iam::${A}:root`;
const assumeDenied = (layer: string): string => `implicitDeny ${layer} sts:AssumeRole`;
const allowed = identity(allowAll);
const limited = { permissionsBoundary: "other" };

describe("who may assume", () => {
  test.each([
    ["T-STS-01 trust names the user, identity silent", {}, [trusts(userArn)], "allowed"],
    ["T-STS-02 trust names the account, identity silent", {}, [trusts(rootArn)], "identity"],
    ["T-STS-03 trust names the account, identity allows", allowed, [trusts(rootArn)], "allowed"],
    [
      "T-STS-04 trust names another, identity allows",
      allowed,
      [trusts(`arn:aws:iam::${A}:user/al`)],
      "resource",
    ],
    [
      "T-STS-07 trust names the user, his boundary is silent",
      limited,
      [trusts(userArn)],
      "permissionsBoundary",
    ],
    ["trust names the role id of nobody", allowed, [trusts("AIDA11111111")], "resource"],
  ])("%s", (_why, bob, trust, want) => {
    const lookup = world(bob, role("app", trust));
    const got = outcome(assume(lookup, user(lookup)));
    expect(got).toBe(want === "allowed" ? want : assumeDenied(want));
  });

  test.each([
    ["T-STS-05 cross account, trust names the user, identity silent", {}, "identity"],
    ["T-STS-05 cross account, trust names the user, identity allows", allowed, "allowed"],
  ])("%s", (_why, bob, want) => {
    const lookup = world(bob, role("app", [trusts(userArn)], {}, B));
    const got = outcome(assume(lookup, user(lookup), { roleArn: `arn:aws:iam::${B}:role/app` }));
    expect(got).toBe(want === "allowed" ? want : assumeDenied(want));
  });

  test("T-STS-06 a session cannot assume its own role that trusts a service only", () => {
    const trust = trusts(null, { Principal: { Service: "sns.amazonaws.com" } });
    const lookup = world({}, role("app", [trust], allowed));
    expect(outcome(assume(lookup, session(lookup)))).toBe(assumeDenied("resource"));
    expect(outcome(assume(lookup, service("sns.amazonaws.com")))).toBe("allowed");
    expect(outcome(assume(lookup, service("sqs.amazonaws.com")))).toBe(assumeDenied("resource"));
  });

  test("T-STS-08 a session policy that is silent limits, though trust names the session", () => {
    const lookup = world({}, role("app", [trusts(sessionArn)]));
    expect(outcome(assume(lookup, session(lookup, "app", policyOf(allowOther))))).toBe(
      assumeDenied("session"),
    );
    expect(outcome(assume(lookup, session(lookup, "app", policyOf(allowAll))))).toBe("allowed");
    expect(outcome(assume(lookup, session(lookup)))).toBe("allowed");
  });

  test("T-STS-09 an ExternalId that is asked for, absent, wrong and given; one not asked for", () => {
    const condition = { Condition: { StringEquals: { "sts:ExternalId": "kk" } } };
    const arn = `arn:aws:iam::${B}:role/app`;
    const lookup = world(
      allowed,
      role("app", [trusts(A, condition)], {}, B),
      role("open", [trusts(A)], {}, B),
    );
    const by = (externalId: string | null, roleName = arn) =>
      outcome(assume(lookup, user(lookup), { roleArn: roleName, externalId }));
    expect(by(null)).toBe(assumeDenied("resource"));
    expect(by("KK")).toBe(assumeDenied("resource"));
    expect(by("kk")).toBe("allowed");
    expect(by("kk", `arn:aws:iam::${B}:role/open`)).toBe("allowed");
  });

  test("T-STS-21 root cannot, whatever trust names", () => {
    const lookup = world({}, role("app", [trusts(rootArn)]), role("open", [trusts("*")]));
    for (const name of ["app", "open"]) {
      const call = { roleArn: `arn:aws:iam::${A}:role/${name}` };
      expect(outcome(assume(lookup, root(lookup), call))).toBe(assumeDenied("resource"));
    }
  });

  test("T-STS-23 a role assumes itself by its own name, or through its account", () => {
    const call = (trust: string, members: object) => {
      const lookup = world({}, role("app", [trusts(trust)], members));
      return outcome(assume(lookup, session(lookup)));
    };
    expect(call(rootArn, allowed)).toBe("allowed");
    expect(call(rootArn, {})).toBe(assumeDenied("identity"));
    expect(call(roleArn, {})).toBe("allowed");
    expect(call(userArn, allowed)).toBe(assumeDenied("resource"));
  });

  test("T-STS-24 neither anonymous nor a federated session can, whatever trust names", () => {
    const lookup = world(
      allowed,
      role("app", [trusts("*"), trusts(`arn:aws:sts::${A}:federated-user/bob`)]),
    );
    expect(outcome(assume(lookup, anonymous))).toBe(assumeDenied("resource"));
    expect(outcome(assume(lookup, federatedUser(lookup)))).toBe(assumeDenied("resource"));
    expect(outcome(assume(lookup, user(lookup)))).toBe("allowed");
  });

  test("a workload, with and without a document of its own", () => {
    const arn = `arn:aws:iam::${A}:workload/mesh.example/ns/shop/sa/web`;
    const domain = document("TrustDomain", "mesh.example", { accounts: [{ account: A }] }, null);
    const known = world({}, domain, role("app", [trusts(arn)]));
    expect(outcome(assume(known, workload(known)))).toBe("allowed");
    const own = document("Workload", "web", { spiffeId, permissionsBoundary: "other" }, A);
    const bound = world({}, domain, own, role("app", [trusts(arn)]));
    expect(outcome(assume(bound, workload(bound)))).toBe(assumeDenied("permissionsBoundary"));
  });

  test("an explicit deny in any layer", () => {
    const deny = { ...trusts("*"), Effect: "Deny" };
    const byTrust = world(allowed, role("app", [trusts(userArn), deny]));
    expect(outcome(assume(byTrust, user(byTrust)))).toBe("explicitDeny resource sts:AssumeRole");
    const own = identity({ Effect: "Deny", Action: "sts:*", Resource: "*" });
    const byIdentity = world(own, role("app", [trusts(userArn)]));
    expect(outcome(assume(byIdentity, user(byIdentity)))).toBe(
      "explicitDeny identity sts:AssumeRole",
    );
  });

  test.each([
    ["the caller's SCP, also in the own account", "ServiceControlPolicy", A, "serviceControl"],
    ["the RCP of the role's account", "ResourceControlPolicy", B, "resourceControl"],
    ["not the RCP of the caller's account", "ResourceControlPolicy", A, "allowed"],
    ["not the SCP of the role's account", "ServiceControlPolicy", B, "allowed"],
  ])("an organization's guardrails: %s", (_why, kind, target, want) => {
    const deny = { Effect: "Deny", Action: "sts:AssumeRole", Resource: "*" };
    const content = policyOf(kind === "ServiceControlPolicy" ? deny : { ...deny, Principal: "*" });
    const lookup = world(
      allowed,
      role("app", [trusts(userArn)], {}, B),
      document("Organization", "acme", { managementAccountId: "999988887777" }, null),
      document("Account", "management", { accountId: "999988887777" }, null),
      document("Account", "a", { accountId: A }, null),
      document("Account", "b", { accountId: B }, null),
      document(kind, "guard", { targetIds: [target], content }, null),
    );
    const got = outcome(assume(lookup, user(lookup), { roleArn: `arn:aws:iam::${B}:role/app` }));
    expect(got).toBe(want === "allowed" ? want : `explicitDeny ${want} sts:AssumeRole`);
  });
});

describe("MFA", () => {
  const condition = { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } };
  const fresh = {
    Condition: { NumericLessThan: { "aws:MultiFactorAuthAge": "60" } },
  };

  test("T-STS-20 counts for the call itself, and the session it gives has none", () => {
    const lookup = world({}, role("app", [trusts([userArn, roleArn], condition)]));
    expect(outcome(assume(lookup, user(lookup)))).toBe(assumeDenied("resource"));
    const made = sessionOf(assume(lookup, user(lookup), { multiFactorAuthAgeSeconds: 0 }));
    expect(made.keys.get("aws:multifactorauthpresent")?.values).toEqual(["false"]);
    expect(made.keys.has("aws:multifactorauthage")).toBe(false);
    // the returned credentials are asked for MFA again
    expect(outcome(assume(lookup, made))).toBe(assumeDenied("resource"));
  });

  test("its age is told", () => {
    const lookup = world({}, role("app", [trusts(userArn, fresh)]));
    const by = (multiFactorAuthAgeSeconds: number | null) =>
      outcome(assume(lookup, user(lookup), { multiFactorAuthAgeSeconds }));
    expect(by(59)).toBe("allowed");
    expect(by(60)).toBe(assumeDenied("resource"));
    expect(by(null)).toBe(assumeDenied("resource"));
    expect(by(-1)).toBe("multi-factor-auth");
    expect(by(Number.NaN)).toBe("multi-factor-auth");
  });

  test("of a user's temporary credentials it is what they say", () => {
    const lookup = world({}, role("app", [trusts(userArn, condition)]));
    const said = (text: string) => {
      const keys = new Map<string, ContextValue>([
        ["aws:multifactorauthpresent", { multivalued: false, values: [text] }],
      ]);
      return outcome(assume(lookup, { ...user(lookup), keys }));
    };
    expect(said("true")).toBe("allowed");
    expect(said("false")).toBe(assumeDenied("resource"));
  });
});

describe("what the question says", () => {
  const asks = (condition: object, action: unknown = everything) =>
    trusts([userArn, roleArn], { Condition: condition, Action: action });

  test.each([
    ["the session's name", { StringEquals: { "sts:RoleSessionName": "sess1" } }],
    ["the default duration", { NumericEquals: { "sts:DurationSeconds": "3600" } }],
    ["the role's tags", { StringEquals: { "aws:ResourceTag/stage": "prod" } }],
    ["the role's tags as iam says it", { StringEquals: { "iam:ResourceTag/stage": "prod" } }],
    ["the caller's tags", { StringEquals: { "aws:PrincipalTag/team": "blue" } }],
    ["the caller", { ArnEquals: { "aws:PrincipalArn": userArn } }],
    ["the time", { DateEquals: { "aws:CurrentTime": "2026-11-24T00:00:00Z" } }],
    ["the account of the role", { StringEquals: { "aws:ResourceAccount": A } }],
    ["no tags", { Null: { "aws:TagKeys": "true", "sts:TransitiveTagKeys": "true" } }],
    ["no source identity", { Null: { "sts:SourceIdentity": "true", "sts:ExternalId": "true" } }],
    ["the address", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }],
  ])("%s", (_why, condition) => {
    const lookup = world(
      { tags: { team: "blue" } },
      role("app", [asks(condition)], { tags: { Stage: "prod" } }),
    );
    const keys = new Map<string, ContextValue>([
      ["aws:sourceip", { multivalued: false, values: ["10.0.0.7"] }],
    ]);
    expect(outcome(assume(lookup, user(lookup), {}, { ...now, keys }))).toBe("allowed");
  });

  test("tags, keys and identity of the session asked for", () => {
    const condition = {
      StringEquals: { "aws:RequestTag/team": "blue", "sts:SourceIdentity": "bob" },
      "ForAllValues:StringEquals": { "aws:TagKeys": ["Team"], "sts:TransitiveTagKeys": ["team"] },
      NumericLessThanEquals: { "sts:DurationSeconds": "900" },
      Null: { "aws:TagKeys": "false", "sts:TransitiveTagKeys": "false" },
    };
    const lookup = world({}, role("app", [asks(condition)]));
    const call = {
      tags: [["Team", "blue"]] as const,
      transitiveTagKeys: ["team"],
      sourceIdentity: "bob",
      durationSeconds: 900,
    };
    expect(outcome(assume(lookup, user(lookup), call))).toBe("allowed");
    expect(outcome(assume(lookup, user(lookup), { ...call, durationSeconds: 901 }))).toBe(
      assumeDenied("resource"),
    );
  });

  test("a request never says who calls, nor what is asked for", () => {
    const lies = new Map<string, ContextValue>(
      [
        "aws:principalarn",
        "aws:principaltag/team",
        "aws:requesttag/team",
        "aws:resourcetag/team",
        "aws:sourceidentity",
        "aws:multifactorauthpresent",
        "sts:externalid",
        "sts:sourceidentity",
        "iam:resourcetag/team",
      ].map((key) => [key, { multivalued: false, values: ["true"] }]),
    );
    for (const key of lies.keys()) {
      const lookup = world({}, role("app", [asks({ StringEquals: { [key]: "true" } })]));
      const got = outcome(assume(lookup, user(lookup), {}, { ...now, keys: lies }));
      expect([key, got]).toEqual([key, assumeDenied("resource")]);
    }
  });

  test("credentials never say what is asked for", () => {
    for (const key of [
      "sts:externalid",
      "aws:requesttag/team",
      "iam:resourcetag/x",
      "aws:resourcetag/x",
    ]) {
      const lookup = world({}, role("app", [asks({ StringEquals: { [key]: "true" } })]));
      const keys = new Map<string, ContextValue>([[key, { multivalued: false, values: ["true"] }]]);
      const got = outcome(assume(lookup, { ...user(lookup), keys }));
      expect([key, got]).toEqual([key, assumeDenied("resource")]);
    }
  });

  test("a key that nobody can give is an error where trust reads it, not a no", () => {
    const lookup = world(
      {},
      role("app", [asks({ StringEquals: { "mesh:JwtClaim/x": "1" } })]),
      role("plain", [trusts(userArn)]),
    );
    const faults = new Map([["mesh:jwtclaim/x", "evaluation-error" as const]]);
    const circumstances = { ...now, faults };
    const answer = assume(lookup, user(lookup), {}, circumstances);
    expect(answer).toMatchObject({ ok: false, code: "evaluation-error" });
    const own = { ...now, faults: new Map([["aws:resourcetag/x", "evaluation-error" as const]]) };
    const tagged = world(
      {},
      role("app", [asks({ StringEquals: { "aws:ResourceTag/x": "1" } })], { tags: { x: "1" } }),
    );
    expect(outcome(assume(tagged, user(tagged), {}, own))).toBe("allowed");
    const plain = { roleArn: `arn:aws:iam::${A}:role/plain` };
    expect(outcome(assume(lookup, user(lookup), plain, circumstances))).toBe("allowed");
  });
});

describe("what strangers learn", () => {
  test("a role that is not there, disabled or of an unknown account reads like one without trust", () => {
    const disabled = document(
      "Role",
      "off",
      { assumeRolePolicyDocument: policyOf(trusts(userArn)), state: "disabled" },
      A,
    );
    const lookup = world(allowed, role("app", [trusts(rootArn.replace(A, B))]), disabled);
    const messages = ["app", "off", "none"].map((name) => {
      const answer = assume(lookup, user(lookup), { roleArn: `arn:aws:iam::${A}:role/${name}` });
      if (answer.ok) throw new Error(name);
      return [answer.code, answer.message.replace(`role/${name}`, "role/x"), answer.action];
    });
    expect(new Set(messages.map((each) => JSON.stringify(each))).size).toBe(1);
    const unknown = { roleArn: "arn:aws:iam::999999999999:role/app" };
    expect(assume(lookup, user(lookup), unknown)).toMatchObject({
      code: "access-denied",
      message: expect.stringMatching(/^User: .* is not authorized to perform: sts:AssumeRole on/),
      decision: null,
    });
  });

  test("a disabled account's roles are not assumed", () => {
    const off = document("Account", "a", { accountId: A, state: "disabled" }, null);
    const lookup = world(
      {},
      role("app", [trusts(userArn)]),
      document("Organization", "acme", { managementAccountId: "999988887777" }, null),
      document("Account", "management", { accountId: "999988887777" }, null),
      document("Account", "b", { accountId: B }, null),
      off,
    );
    expect(outcome(assume(lookup, user(lookup)))).toBe("access-denied");
  });

  test("neither the longest session nor the policies of a role that does not trust them", () => {
    const lookup = world(allowed, role("app", [trusts(`arn:aws:iam::${A}:user/al`)]));
    const call = { durationSeconds: 43_200, policyArns: [`arn:aws:iam::${A}:policy/none`] };
    expect(outcome(assume(lookup, user(lookup), call))).toBe(assumeDenied("resource"));
  });
});

test("an empty directory trusts nobody", () => {
  const lookup = lookupOf();
  expect(outcome(assume(lookup, anonymous))).toBe("access-denied");
});
