import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountA,
  accountB,
  allowAll,
  allowOther,
  anonymous,
  denyAll,
  type Elements,
  federated,
  federatedArn,
  keysOf,
  type LayerStatements,
  layersOf,
  objectArn,
  policy,
  question,
  resourceOf,
  roleArn,
  root,
  rootArn,
  service,
  session,
  sessionArn,
  statement,
  user,
  userArn,
  webIdentity,
  workload,
} from "../../../test/fakes/question.ts";
import { compilePolicy, unusablePolicy } from "../compile/compile.ts";
import { compileLayers, type EngineLayers } from "../compile/layers.ts";
import { readSet } from "../compile/reads.ts";
import type { Decision } from "../decision.ts";
import { parsePolicyDocument } from "../policy/parse.ts";
import { denialOrder, type PolicyType } from "../policy/policy-type.ts";
import type { Principal } from "../principal.ts";
import type {
  ContextKeys,
  KeyFault,
  OrganizationFacts,
  PolicyLayers,
  RequestContext,
} from "../request-context.ts";
import { createScope, evaluate, maxSteps } from "./evaluate.ts";
import { layersThatApply } from "./layer.ts";
import { findMatches } from "./match.ts";
import { EveryMatch } from "./takers.ts";

const named = (name: unknown, elements: Elements = {}): Elements =>
  statement({ Principal: name, ...elements });
const aws = (text: string) => ({ AWS: text });

function decide(statements: LayerStatements, fields: Partial<RequestContext> = {}): Decision {
  return evaluate(question(fields), layersOf(statements));
}

/** `ALLOW`, `IMPL(identity)`, `EXPL(scp1)`, `ERROR(step-bound)`: the tables' shorthand. */
function short({ decision, deniedBy, deniedLevel, errors }: Decision): string {
  if (errors.length > 0) return `ERROR(${errors})`;
  const by = `${deniedBy ?? "-"}${deniedLevel ?? ""}`;
  return { allowed: "ALLOW", implicitDeny: `IMPL(${by})`, explicitDeny: `EXPL(${by})` }[decision];
}

const role = resourceOf(roleArn, accountA, "role-trust");
const roleOfB = resourceOf(`arn:aws:iam::${accountB}:role/b`, accountB, "role-trust");
const assume = { action: "sts:AssumeRole", resource: role };

interface Row {
  readonly why: string;
  readonly given: LayerStatements;
  readonly asks?: Partial<RequestContext>;
  readonly want: string;
  readonly reason: Decision["reason"];
}

const rows: readonly Row[] = [
  {
    why: "an identity policy",
    given: { identity: statement() },
    want: "ALLOW",
    reason: "identity-policy",
  },
  { why: "nothing at all", given: {}, want: "IMPL(identity)", reason: "implicit-deny" },
  {
    why: "T-DEC-24 root",
    given: {},
    asks: { principal: root },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-DEC-24 root under a Deny",
    given: { resource: { ...denyAll, Principal: "*" } },
    asks: { principal: root },
    want: "EXPL(resource)",
    reason: "explicit-deny",
  },
  {
    why: "T-PRI-01 a user by name",
    given: { resource: named(aws(userArn)) },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-PRI-02 the account alone",
    given: { resource: named(aws(rootArn)) },
    want: "IMPL(identity)",
    reason: "implicit-deny",
  },
  {
    why: "the account and the identity side",
    given: { resource: named(aws(rootArn)), identity: statement() },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "both sides, each enough",
    given: { resource: named(aws(userArn)), identity: statement() },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-DEC-01 a role does not bypass the boundary",
    given: { resource: named(aws(roleArn)), permissionsBoundary: allowOther },
    asks: { principal: session },
    want: "IMPL(permissionsBoundary)",
    reason: "permissions-boundary",
  },
  {
    why: "T-DEC-02 a session does",
    given: { resource: named(aws(sessionArn)), permissionsBoundary: allowOther },
    asks: { principal: session },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-DEC-03 a role does not bypass the session policy",
    given: { resource: named(aws(roleArn)), session: allowOther },
    asks: { principal: session },
    want: "IMPL(session)",
    reason: "session-policy",
  },
  {
    why: "a role within its limits",
    given: { resource: named(aws(roleArn)), session: allowAll, permissionsBoundary: allowAll },
    asks: { principal: session },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-DEC-06 a federated session by its user",
    given: { resource: named(aws(userArn)), session: allowOther },
    asks: { principal: federated },
    want: "IMPL(session)",
    reason: "session-policy",
  },
  {
    why: "T-DEC-07 a federated session by name",
    given: { resource: named(aws(federatedArn)), session: allowOther },
    asks: { principal: federated },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-DEC-17 a federated session without session policy",
    given: { identity: statement() },
    asks: { principal: federated },
    want: "IMPL(session)",
    reason: "session-policy",
  },
  {
    why: "T-DEC-19 cross account: no bypass",
    given: { identity: statement(), resource: named(aws(federatedArn)) },
    asks: { principal: federated, resource: resourceOf(objectArn, accountB) },
    want: "IMPL(session)",
    reason: "session-policy",
  },
  {
    why: "cross account without resource policy",
    given: { identity: statement() },
    asks: { resource: resourceOf(objectArn, accountB) },
    want: "IMPL(resource)",
    reason: "implicit-deny",
  },
  {
    why: "T-PRI-03 cross account, both sides",
    given: { identity: statement(), resource: named(aws(accountA)) },
    asks: { resource: resourceOf(objectArn, accountB) },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-PRI-10 anonymous",
    given: { resource: named("*") },
    asks: { principal: anonymous },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "anonymous has no identity policies",
    given: { identity: allowAll },
    asks: { principal: anonymous },
    want: "IMPL(resource)",
    reason: "implicit-deny",
  },
  {
    why: "T-PRI-17 a service",
    given: { resource: named({ Service: "sns.amazonaws.com" }) },
    asks: { principal: service },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-PRI-33 a workload within its boundary",
    given: { identity: statement(), permissionsBoundary: allowOther },
    asks: { principal: workload },
    want: "IMPL(permissionsBoundary)",
    reason: "permissions-boundary",
  },
  {
    why: "T-DEC-25 an owner that delegates to nobody",
    given: { identity: statement(), resource: named(aws(roleArn)) },
    asks: { resource: resourceOf(objectArn, accountA, "owner-delegates") },
    want: "IMPL(resource)",
    reason: "implicit-deny",
  },
  {
    why: "T-DEC-26 an owner that delegates to the account",
    given: { identity: statement(), resource: named(aws(rootArn)) },
    asks: { resource: resourceOf(objectArn, accountA, "owner-delegates") },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-ORG-02 a silent SCP level",
    given: { identity: statement(), serviceControl: [allowAll, allowOther, allowAll] },
    want: "IMPL(serviceControl1)",
    reason: "scp",
  },
  {
    why: "T-ORG-04 an SCP binds direct grants too",
    given: { resource: named(aws(userArn)), serviceControl: [allowOther] },
    want: "IMPL(serviceControl0)",
    reason: "scp",
  },
  {
    why: "T-ORG-09 an RCP",
    given: {
      identity: statement(),
      resourceControl: [{ ...denyAll, Action: "s3:*", Principal: "*" }],
    },
    want: "EXPL(resourceControl0)",
    reason: "rcp",
  },
  {
    why: "T-ORG-11 SCPs never touch services",
    given: { resource: named({ Service: "sns.amazonaws.com" }), serviceControl: [allowOther] },
    asks: { principal: service },
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-ORG-19 SCPs touch root",
    given: { serviceControl: [allowOther] },
    asks: { principal: root },
    want: "IMPL(serviceControl0)",
    reason: "scp",
  },
  {
    why: "EXC-7 AssumeRoot's task policy limits root",
    given: { session: allowOther },
    asks: { principal: root },
    want: "IMPL(session)",
    reason: "session-policy",
  },
  {
    why: "6.1 a user's session policy does not count",
    given: { identity: statement(), session: denyAll },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "6.1 root's boundary does not count",
    given: { permissionsBoundary: denyAll },
    asks: { principal: root },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-DEC-28 GetCallerIdentity under a Deny",
    given: { identity: denyAll, serviceControl: [denyAll] },
    asks: { action: "STS:GetCallerIdentity" },
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-DEC-28 GetCallerIdentity, anonymous",
    given: {},
    asks: { action: "sts:GetCallerIdentity", principal: anonymous },
    want: "IMPL(resource)",
    reason: "implicit-deny",
  },
  {
    why: "T-STS-01 a trust policy that names the user",
    given: { trust: named(aws(userArn), { Action: "sts:AssumeRole", Resource: undefined }) },
    asks: assume,
    want: "ALLOW",
    reason: "resource-policy",
  },
  {
    why: "T-STS-07 within the caller's boundary",
    given: {
      trust: named(aws(userArn), { Action: "sts:AssumeRole", Resource: undefined }),
      permissionsBoundary: allowOther,
    },
    asks: assume,
    want: "IMPL(permissionsBoundary)",
    reason: "permissions-boundary",
  },
  {
    why: "T-STS-03 a trust policy that names the account",
    given: {
      trust: named(aws(rootArn), { Action: "sts:AssumeRole", Resource: undefined }),
      identity: allowAll,
    },
    asks: assume,
    want: "ALLOW",
    reason: "identity-policy",
  },
  {
    why: "T-STS-04 a trust policy that names somebody else",
    given: {
      trust: named(aws(`arn:aws:iam::${accountA}:user/al`), {
        Action: "sts:AssumeRole",
        Resource: undefined,
      }),
      identity: allowAll,
    },
    asks: assume,
    want: "IMPL(resource)",
    reason: "implicit-deny",
  },
  {
    why: "T-STS-05 cross account, identity silent",
    given: { trust: named(aws(userArn), { Action: "sts:AssumeRole", Resource: undefined }) },
    asks: { ...assume, resource: roleOfB },
    want: "IMPL(identity)",
    reason: "implicit-deny",
  },
];

describe("6.2 the order of policy types", () => {
  test.each(rows)("$why: $want", ({ given, asks = {}, want, reason }) => {
    const decision = decide(given, asks);
    expect(short(decision)).toBe(want);
    expect(decision.reason).toBe(reason);
    expect(decision.validUntilMs).toBe(Number.POSITIVE_INFINITY);
    expect(Object.isFrozen(decision)).toBe(true);
    expect(Object.isFrozen(decision.matchedStatements)).toBe(true);
  });

  const everywhere: Readonly<Record<PolicyType, LayerStatements>> = {
    serviceControl: { serviceControl: [allowAll, [allowAll, denyAll]] },
    resourceControl: { resourceControl: [{ ...denyAll, Action: "s3:*", Principal: "*" }] },
    resource: { resource: { ...denyAll, Principal: aws(accountA) } },
    identity: { identity: [allowAll, denyAll] },
    permissionsBoundary: { permissionsBoundary: [denyAll, allowAll] },
    session: { session: [allowAll, denyAll] },
  };

  test("T-DEC-33 with a Deny in every layer the first of the order decides, and so on", () => {
    const asks = { principal: session };
    for (let i = 0; i < denialOrder.length; i++) {
      const given = Object.assign({}, ...denialOrder.slice(i).map((type) => everywhere[type]));
      const { decision, deniedBy } = decide({ identity: allowAll, ...given }, asks);
      expect({ decision, deniedBy }).toEqual({
        decision: "explicitDeny",
        deniedBy: denialOrder[i],
      });
    }
  });

  test.each(denialOrder)("T-DEC-23 a Deny in %s alone", (type) => {
    const decision = decide({ identity: allowAll, ...everywhere[type] }, { principal: session });
    expect(decision).toMatchObject({ decision: "explicitDeny", deniedBy: type });
    expect(decision.deniedLevel).toBe(
      type === "serviceControl" ? 1 : type === "resourceControl" ? 0 : null,
    );
  });
});

describe("6.1 which policies apply", () => {
  const organization = (fields: Partial<OrganizationFacts> = {}): OrganizationFacts => ({
    id: "o-1",
    managementAccount: "999999999999",
    path: null,
    serviceControlEnabled: true,
    ...fields,
  });
  const scp: LayerStatements = { identity: allowAll, serviceControl: [denyAll] };
  const rcp: LayerStatements = {
    identity: allowAll,
    resourceControl: [{ ...denyAll, Action: ["s3:*", "sts:*"], Principal: "*" }],
  };
  const serviceLinked: Principal = { ...session, serviceLinked: true };

  test.each<readonly [string, LayerStatements, Partial<RequestContext>, string]>([
    [
      "an SCP of a member account",
      scp,
      { principalOrganization: organization() },
      "EXPL(serviceControl0)",
    ],
    [
      "T-ORG-16 the management account's principals",
      scp,
      { principalOrganization: organization({ managementAccount: accountA }) },
      "ALLOW",
    ],
    [
      "T-ORG-20 an organization without SCPs",
      scp,
      { principalOrganization: organization({ serviceControlEnabled: false }) },
      "ALLOW",
    ],
    ["T-ORG-18 a service-linked role, SCP", scp, { principal: serviceLinked }, "ALLOW"],
    ["T-ORG-18 a service-linked role, RCP", rcp, { principal: serviceLinked }, "ALLOW"],
    [
      "EXC-5 a service-linked role, boundary",
      { identity: allowAll, permissionsBoundary: denyAll },
      { principal: serviceLinked },
      "ALLOW",
    ],
    [
      "an RCP of a member account",
      rcp,
      { resourceOrganization: organization() },
      "EXPL(resourceControl0)",
    ],
    [
      "T-ORG-17 the management account's resources",
      rcp,
      { resourceOrganization: organization({ managementAccount: accountA }) },
      "ALLOW",
    ],
    [
      "a resource of nobody",
      rcp,
      {
        resource: { arn: null, account: null, class: "ordinary" },
        resourceOrganization: organization({ managementAccount: null }),
      },
      "EXPL(resourceControl0)",
    ],
    [
      "T-ORG-05 a level without policies",
      { identity: allowAll, serviceControl: [allowAll, []] },
      {},
      "IMPL(serviceControl1)",
    ],
  ])("%s: %s", (_why, given, asks, want) => {
    const layers =
      given.serviceControl?.[1] !== undefined &&
      (given.serviceControl[1] as readonly Elements[]).length === 0
        ? { ...layersOf({ ...given, serviceControl: [allowAll] }), ...emptyLevel() }
        : layersOf(given);
    expect(short(evaluate(question(asks), layers))).toBe(want);
  });

  function emptyLevel(): Pick<EngineLayers, "serviceControl"> {
    const { serviceControl } = compileLayers({
      identity: [],
      resource: null,
      permissionsBoundary: null,
      session: null,
      serviceControl: [[policy("scp", allowAll, "serviceControl")], []],
      resourceControl: null,
    });
    return { serviceControl };
  }

  test("TYPE-1 RCPs do not reach services that could lock everybody out", () => {
    const layers = layersOf({
      identity: allowAll,
      resourceControl: [statement({ Effect: "Deny", Action: "s3:*", Principal: "*" })],
    });
    for (const action of ["iam:GetRole", "IAM:GetRole", "organizations:X", "mesh-iam:Put", "iam"]) {
      const types = layersThatApply(question({ action }), layers).map((layer) => layer.policyType);
      expect(types).toEqual(["identity"]);
    }
    const types = layersThatApply(question(), layers).map((layer) => layer.policyType);
    expect(types).toEqual(["resourceControl", "identity"]);
  });

  test("T-ORG-22 an RCP binds callers of STS", () => {
    const trust = {
      Effect: "Allow",
      Action: "sts:*",
      Principal: { Federated: "accounts.google.com" },
    };
    const asks = {
      principal: webIdentity,
      action: "sts:AssumeRoleWithWebIdentity",
      resource: role,
    };
    expect(short(decide({ trust }, asks))).toBe("ALLOW");
    expect(short(decide({ ...rcp, trust }, asks))).toBe("EXPL(resourceControl0)");
  });
});

describe("EXC-9 who may call what on a role", () => {
  const trust = [
    { Effect: "Allow", Action: "sts:*", Principal: "*" },
    {
      Effect: "Allow",
      Action: "sts:*",
      Principal: {
        AWS: [rootArn, federatedArn],
        Federated: "accounts.google.com",
        Service: "sns.amazonaws.com",
      },
    },
    { Effect: "Deny", Action: "sts:*", Principal: { AWS: `arn:aws:iam::${accountA}:user/nobody` } },
  ];
  const saml: Principal = { type: "saml", provider: `arn:aws:iam::${accountA}:saml-provider/idp` };
  const callers = {
    user,
    session,
    workload,
    service,
    root,
    anonymous,
    federated,
    webIdentity,
    saml,
  };

  test.each([
    ["sts:AssumeRole", ["user", "session", "workload", "service"]],
    ["STS:assumerole", ["user", "session", "workload", "service"]],
    ["sts:AssumeRoleWithWebIdentity", ["webIdentity"]],
    ["sts:AssumeRoleWithSAML", []], // allowed to ask, but the trust policy names no SAML provider
    ["sts:TagSession", ["user", "session", "workload", "service", "webIdentity"]],
  ])("%s: %j", (action, allowed) => {
    for (const [who, principal] of Object.entries(callers)) {
      const got = short(
        decide({ trust, identity: allowAll }, { action, principal, resource: role }),
      );
      expect({ who, got }).toEqual({
        who,
        got: allowed.includes(who) ? "ALLOW" : "IMPL(resource)",
      });
    }
  });

  test("is answered before a Deny is looked for", () => {
    const denied = { Effect: "Deny", Action: "sts:*", Principal: "*" };
    expect(short(decide({ trust: denied }, { ...assume, principal: root }))).toBe("IMPL(resource)");
    expect(short(decide({ trust: denied }, assume))).toBe("EXPL(resource)");
  });
});

describe("DEC-8 matched statements", () => {
  test("T-DEC-34 of a denial every matching Deny of the deciding layer, in document order", () => {
    const denies = [..."abcdef"].map((sid) =>
      statement({
        Sid: sid,
        Effect: "Deny",
        Resource: [`arn:aws:s3:::bkt/${"a/b.txt".slice(0, 7 - sid.charCodeAt(0) + 97)}*`, "*"],
      }),
    );
    const other = statement({ Sid: "z", Effect: "Deny", Action: "s3:Put*" });
    const decision = decide({
      identity: [other, ...denies, allowAll],
      permissionsBoundary: denyAll,
    });
    expect(decision.matchedStatements.map((each) => each.sid)).toEqual([..."abcdef"]);
    expect(decision.matchedStatements[0]).toEqual({
      policyType: "identity",
      policyId: "id",
      sid: "a",
      index: 1,
      effect: "Deny",
    });
  });

  test("of an allow one Allow a layer", () => {
    const decision = decide(
      {
        serviceControl: [allowAll, [allowOther, allowAll]],
        resource: named(aws(rootArn)),
        identity: [allowOther, statement(), allowAll],
        permissionsBoundary: allowAll,
        session: allowAll,
      },
      { principal: session },
    );
    expect(
      decision.matchedStatements.map(({ policyType, policyId, index }) => [
        policyType,
        policyId,
        index,
      ]),
    ).toEqual([
      ["serviceControl", "scp0", 0],
      ["serviceControl", "scp1", 1],
      ["resource", "rp", 0],
      ["identity", "id", 1],
      ["permissionsBoundary", "pb", 0],
      ["session", "sp", 0],
    ]);
  });

  test("of an implicit denial none", () => {
    expect(decide({ identity: allowOther }).matchedStatements).toEqual([]);
  });
});

describe("DEC-6 errors", () => {
  function withUnusable(type: PolicyType, principal: Principal): string {
    const broken = unusablePolicy("broken");
    const allow = policy("id", allowAll);
    const layers: PolicyLayers<typeof allow> = {
      identity: type === "identity" ? [allow, broken] : [allow],
      resource: type === "resource" ? broken : null,
      permissionsBoundary: type === "permissionsBoundary" ? broken : null,
      session: type === "session" ? [broken] : null,
      serviceControl: type === "serviceControl" ? [[allow], [broken]] : null,
      resourceControl: type === "resourceControl" ? [[broken]] : null,
    };
    return short(evaluate(question({ principal }), compileLayers(layers)));
  }

  test.each(denialOrder)("T-DEC-30 a policy of %s that cannot be used", (type) => {
    expect(withUnusable(type, session)).toBe("ERROR(policy-unusable)");
  });

  test.each([
    ["identity", root],
    ["permissionsBoundary", root],
    ["serviceControl", anonymous],
    ["session", user],
  ] as const)(
    "DESIGN 5.6 one of %s that does not count for the caller changes nothing",
    (type, principal) => {
      expect(withUnusable(type, principal)).not.toContain("ERROR");
    },
  );

  test("an error is an implicit denial that nobody decided", () => {
    const decision = evaluate(
      question(),
      compileLayers({
        identity: [unusablePolicy("x")],
        resource: null,
        permissionsBoundary: null,
        session: null,
        serviceControl: null,
        resourceControl: null,
      }),
    );
    expect(decision).toMatchObject({
      decision: "implicitDeny",
      reason: "evaluation-error",
      deniedBy: null,
      deniedLevel: null,
      matchedStatements: [],
    });
  });
});

describe("KEY-3, KEY-8, KEY-9 keys that cannot be given", () => {
  const reads = (elements: Elements = {}): Elements =>
    statement({
      Condition: { StringEqualsIfExists: { "mesh:RequestHeader/X": "a" } },
      ...elements,
    });
  const key = "mesh:requestheader/x";
  const bad = (fault: KeyFault) => ({ faults: new Map([[key, fault]]) });
  const deny = { Effect: "Deny" };

  test.each<readonly [string, LayerStatements, Partial<RequestContext>, string]>([
    ["an Allow reads it", { identity: reads() }, {}, "ERROR(key-unavailable)"],
    ["a Deny reads it", { identity: [allowAll, reads(deny)] }, {}, "ERROR(key-unavailable)"],
    [
      "a resource's variable reads it",
      { identity: reads({ Condition: {}, Resource: "arn:aws:s3:::${mesh:RequestHeader/X}/*" }) },
      {},
      "ERROR(key-unavailable)",
    ],
    [
      "a condition's variable reads it",
      { identity: reads({ Condition: { StringEquals: { "a:b": "${mesh:RequestHeader/X}" } } }) },
      {},
      "ERROR(key-unavailable)",
    ],
    [
      "an exclusion by variable reads it",
      {
        identity: [
          allowAll,
          reads({
            ...deny,
            Condition: {},
            Resource: undefined,
            NotResource: "arn:aws:s3:::${mesh:RequestHeader/X}/*",
          }),
        ],
      },
      {},
      "ERROR(key-unavailable)",
    ],
    [
      "T-KEY-26 only another action reads it",
      { identity: [allowAll, reads({ Action: "s3:Put*" })] },
      {},
      "ALLOW",
    ],
    [
      "only another resource reads it",
      { identity: [allowAll, reads({ Resource: "arn:aws:s3:::other/*" })] },
      {},
      "ALLOW",
    ],
    [
      "only another variable resource reads it",
      { identity: [allowAll, reads({ Resource: "arn:aws:s3:::x/${mesh:RequestHeader/X}" })] },
      {},
      "ALLOW",
    ],
    [
      "only another principal reads it",
      {
        identity: allowAll,
        resource: reads({ Principal: { AWS: `arn:aws:iam::${accountA}:user/al` } }),
      },
      {},
      "ALLOW",
    ],
    [
      "a layer that does not count reads it",
      { identity: allowAll, session: reads(deny) },
      {},
      "ALLOW",
    ],
    [
      "a trust statement reads it",
      { trust: reads({ Principal: aws(userArn), Action: "sts:AssumeRole", Resource: undefined }) },
      assume,
      "ERROR(key-unavailable)",
    ],
    [
      "GetCallerIdentity needs no key",
      { identity: reads({ Action: "*" }) },
      { action: "sts:GetCallerIdentity" },
      "ALLOW",
    ],
  ])("%s: %s", (_why, given, asks, want) => {
    expect(short(decide(given, { ...asks, ...bad("evaluation-error") }))).toBe(want);
  });

  test("KEY-8 a repeated header refuses the request, with a reason of its own and no error", () => {
    const decision = decide({ identity: [allowAll, reads(deny)] }, bad("ambiguous-header"));
    expect(decision).toMatchObject({
      decision: "implicitDeny",
      reason: "ambiguous-header",
      deniedBy: null,
      errors: [],
    });
  });

  test("of two faults the internal one counts, in either order", () => {
    const two: [string, KeyFault][] = [
      [key, "ambiguous-header"],
      ["a:b", "evaluation-error"],
    ];
    const both = reads({ Condition: { StringEquals: { "a:b": "${mesh:RequestHeader/X}" } } });
    for (const entries of [two, [...two].reverse()]) {
      const decision = decide({ identity: both }, { faults: new Map(entries) });
      expect(short(decision)).toBe("ERROR(key-unavailable)");
    }
  });

  test("no faults", () => {
    expect(short(decide({ identity: reads() }, { faults: new Map() }))).toBe("ALLOW");
  });
});

describe("IMP-6 the step bound", () => {
  const pattern = `*${"?a".repeat(900)}b`;
  const costly = (count: number): Elements[] =>
    Array.from({ length: count }, (_, i) =>
      statement({ Effect: "Deny", Condition: { StringLike: { "a:b": `${pattern}${i}` } } }),
    );
  const keys = keysOf({ "a:b": "a".repeat(4000) });

  function layersWith(count: number): EngineLayers {
    const deny = Array.from({ length: count / 10 }, (_, i) => policy(`d${i}`, costly(10)));
    return compileLayers({
      identity: [...deny, policy("id", allowAll)],
      resource: null,
      permissionsBoundary: null,
      session: null,
      serviceControl: null,
      resourceControl: null,
    });
  }

  test("work within the bound is done", () => {
    expect(short(evaluate(question({ keys }), layersWith(10)))).toBe("ALLOW");
  });

  test("US-47 work beyond it ends in ERROR, soon after the bound", () => {
    const context = question({ keys });
    const layers = layersWith(400);
    expect(short(evaluate(context, layers))).toBe("ERROR(step-bound)");
    const scope = createScope(context, layersThatApply(context, layers));
    expect(scope.work.limit).toBe(maxSteps);
  });

  test("every statement that is looked at is a step", () => {
    const context = question();
    const layers = layersOf({ identity: [statement({ Action: "s3:*" }), denyAll, statement()] });
    const scope = createScope(context, layersThatApply(context, layers));
    for (const { candidates } of layersThatApply(context, layers)) {
      findMatches(candidates.denies, false, scope, new EveryMatch());
      findMatches(candidates.allows, false, scope, new EveryMatch());
    }
    expect(scope.work.steps).toBe(3);
  });

  test("a bound that is met never turns into an allow", () => {
    // the Deny that would match stands last, behind the costly ones
    const layers = compileLayers({
      identity: [
        policy("id", allowAll),
        ...Array.from({ length: 40 }, (_, i) => policy(`d${i}`, costly(10))),
        policy("deny", denyAll),
      ],
      resource: null,
      permissionsBoundary: null,
      session: null,
      serviceControl: null,
      resourceControl: null,
    });
    expect(evaluate(question({ keys }), layers).decision).not.toBe("allowed");
  });
});

describe("validUntilMs", () => {
  const now = question().nowMs;
  const later = new Date(now + 60_000).toISOString();
  const timed = (elements: Elements = {}): Elements =>
    statement({ Condition: { DateLessThan: { "aws:CurrentTime": later } }, ...elements });
  const keys = keysOf({ "aws:currenttime": new Date(now).toISOString() });
  const until = (given: LayerStatements, asks: Partial<RequestContext> = {}): number =>
    decide(given, { keys, ...asks }).validUntilMs - now;

  test.each<readonly [string, LayerStatements, Partial<RequestContext>, number]>([
    ["an Allow that ends", { identity: timed() }, {}, 60_000],
    [
      "a Deny that does not hold yet",
      {
        identity: [
          allowAll,
          timed({ Effect: "Deny", Condition: { DateGreaterThan: { "aws:CurrentTime": later } } }),
        ],
      },
      {},
      60_000,
    ],
    ["a Deny that ends", { identity: [allowAll, timed({ Effect: "Deny" })] }, {}, 60_000],
    [
      "a denial for want of an Allow to come",
      { identity: timed({ Condition: { DateGreaterThan: { "aws:CurrentTime": later } } }) },
      {},
      60_000,
    ],
    [
      "a silent SCP level that will speak",
      {
        identity: allowAll,
        serviceControl: [timed({ Condition: { DateGreaterThan: { "aws:CurrentTime": later } } })],
      },
      {},
      60_000,
    ],
    [
      "a statement of another action",
      { identity: [allowAll, timed({ Action: "s3:Put*" })] },
      {},
      Infinity,
    ],
    [
      "a statement of another resource",
      { identity: [allowAll, timed({ Resource: "arn:aws:s3:::x" })] },
      {},
      Infinity,
    ],
    [
      "a statement of another principal",
      { identity: allowAll, resource: timed({ Principal: aws(accountB) }) },
      {},
      Infinity,
    ],
    ["a layer that does not count", { identity: allowAll, session: timed() }, {}, Infinity],
    [
      "a clock in a variable",
      {
        identity: [
          allowAll,
          timed({ Condition: { StringEquals: { "a:b": "${aws:CurrentTime}" } } }),
        ],
      },
      {},
      0,
    ],
    [
      "the earliest of several",
      {
        identity: [
          timed(),
          timed({
            Condition: { DateLessThan: { "aws:CurrentTime": new Date(now + 5000).toISOString() } },
          }),
        ],
      },
      {},
      5000,
    ],
  ])("%s: %s", (_why, given, asks, want) => {
    expect(until(given, asks)).toBe(want);
  });

  test("PROP KEY-5 within its validity a decision is the decision made anew", () => {
    const bound = fc
      .integer({ min: -3, max: 9 })
      .map((s) => new Date(now + s * 1000).toISOString());
    const timedStatement = fc
      .record({
        Effect: fc.constantFrom("Allow", "Deny"),
        operator: fc.constantFrom("DateLessThan", "DateGreaterThanEquals", "DateEquals"),
        bound,
      })
      .map(({ Effect, operator, bound: at }) =>
        statement({ Effect, Condition: { [operator]: { "aws:CurrentTime": at } } }),
      );
    fc.assert(
      fc.property(fc.array(timedStatement, { minLength: 1, maxLength: 4 }), (statements) => {
        const layers = layersOf({ identity: statements });
        const at = (ms: number): Decision =>
          evaluate(
            question({
              nowMs: ms,
              keys: keysOf({ "aws:currenttime": new Date(ms).toISOString() }),
            }),
            layers,
          );
        const first = at(now);
        for (let ms = now; ms < Math.min(first.validUntilMs, now + 10_000); ms += 250) {
          expect(short(at(ms))).toBe(short(first));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("IMP-2, POL-083 what a decision reads", () => {
  class Watched implements ContextKeys {
    readonly asked = new Set<string>();
    get(keyLower: string): undefined {
      this.asked.add(keyLower);
      return undefined;
    }
  }

  test("lies inside the read-set of its action", () => {
    const key = fc.constantFrom("a:b", "c:d", "aws:username", "aws:CurrentTime");
    const elements = fc
      .record({
        Effect: fc.constantFrom("Allow", "Deny"),
        Action: fc.constantFrom("s3:*", "sqs:*", "*"),
        Resource: key.map((name) => `arn:aws:s3:::\${${name}}*`),
        conditionKey: key,
        variable: key,
      })
      .map(({ conditionKey, variable, ...rest }) => ({
        ...rest,
        Condition: { StringNotLike: { [conditionKey]: `\${${variable}}` } },
      }));
    fc.assert(
      fc.property(fc.array(elements, { minLength: 1, maxLength: 5 }), (statements) => {
        const keys = new Watched();
        const layers = layersOf({ identity: statements, permissionsBoundary: statements });
        evaluate(question({ keys, principal: session }), layers);
        const known = new Set(readSet(layers, "s3:GetObject"));
        expect([...keys.asked].filter((each) => !known.has(each))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test("LOAD-4, PRIN-8 an RCP that names nobody is about nobody", () => {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: [denyAll] });
  const parsed = parsePolicyDocument(text, "identity");
  if (!parsed.ok) throw new Error("not accepted");
  const layers = compileLayers({
    identity: [policy("id", allowAll)],
    resource: null,
    permissionsBoundary: null,
    session: null,
    serviceControl: null,
    resourceControl: [[compilePolicy("rcp", parsed.value)]],
  });
  expect(short(evaluate(question(), layers))).toBe("ALLOW");
});
