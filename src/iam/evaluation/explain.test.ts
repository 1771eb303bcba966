import { describe, expect, test } from "vitest";
import { readCases } from "../../../test/corpus/cases.ts";
import {
  accountA,
  accountB,
  allowAll,
  allowOther,
  anonymous,
  denyAll,
  keysOf,
  layersOf,
  objectArn,
  question,
  resourceOf,
  roleArn,
  root,
  session,
  statement,
  userArn,
} from "../../../test/fakes/question.ts";
import { compilePolicy, unusablePolicy } from "../compile/compile.ts";
import { compileLayers } from "../compile/layers.ts";
import { parseScenario } from "../scenario.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import type { ReferencePolicy } from "./reference.ts";

describe("an explanation", () => {
  const layers = layersOf({
    serviceControl: [allowAll],
    resource: statement({ Principal: { AWS: `arn:aws:iam::${accountA}:root` }, Sid: "delegate" }),
    identity: [
      statement({ Sid: "other", Action: "sqs:*" }),
      statement({ Sid: "elsewhere", Resource: "arn:aws:s3:::x" }),
      statement({
        Sid: "near",
        Resource: "arn:aws:s3:::bkt/*",
        Condition: {
          StringEquals: { "aws:RequestTag/T": ["${aws:PrincipalTag/T}", "x"] },
          StringNotEquals: { "aws:PrincipalTag/Q": "q" },
        },
      }),
    ],
    session: denyAll,
  });
  const keys = keysOf({ "aws:requesttag/t": "y" });
  const explanation = explain(question({ keys }), layers);

  test("decides as evaluate does", () => {
    expect(explanation.decision).toEqual(evaluate(question({ keys }), layers));
    expect(explanation.decision).toMatchObject({ decision: "implicitDeny", deniedBy: "identity" });
  });

  test("shows the layers that count, and which do not", () => {
    expect(
      explanation.layers.map(({ policyType, level, policyIds }) => [policyType, level, policyIds]),
    ).toEqual([
      ["serviceControl", 0, ["scp0"]],
      ["resource", null, ["rp"]],
      ["identity", null, ["id"]],
    ]);
    expect(explanation.notApplied).toEqual(["session"]);
  });

  test("a type that no policy is given of is not among those that do not apply", () => {
    const given = layersOf({ resource: statement({ Principal: "*" }), session: allowAll });
    expect(explain(question({ principal: anonymous }), given).notApplied).toEqual(["session"]);
  });

  test("tells of every statement what matched", () => {
    const [, resource, identity] = explanation.layers;
    expect(resource?.statements).toMatchObject([
      {
        sid: "delegate",
        applies: true,
        actionMatches: true,
        resourceMatches: true,
        principal: "account",
      },
    ]);
    expect(
      identity?.statements.map(({ sid, applies, actionMatches, resourceMatches, principal }) => ({
        sid,
        applies,
        actionMatches,
        resourceMatches,
        principal,
      })),
    ).toEqual([
      {
        sid: "other",
        applies: false,
        actionMatches: false,
        resourceMatches: true,
        principal: "direct",
      },
      {
        sid: "elsewhere",
        applies: false,
        actionMatches: true,
        resourceMatches: false,
        principal: "direct",
      },
      {
        sid: "near",
        applies: false,
        actionMatches: true,
        resourceMatches: true,
        principal: "direct",
      },
    ]);
  });

  test("SIM-1 tells of every condition what was wanted and found", () => {
    expect(explanation.layers[2]?.statements[2]?.conditions).toEqual([
      {
        operator: "StringEquals",
        key: "aws:RequestTag/T",
        wanted: [null, "x"],
        found: ["y"],
        holds: false,
        matchedBecauseMissing: false,
      },
      {
        operator: "StringNotEquals",
        key: "aws:PrincipalTag/Q",
        wanted: ["q"],
        found: null,
        holds: true,
        matchedBecauseMissing: true,
      },
    ]);
  });

  test("DEC-8 names the keys that candidates could have read", () => {
    expect(explanation.missingContextKeys).toEqual(["aws:principaltag/q", "aws:principaltag/t"]);
  });

  test("SIM-2 names the closest miss", () => {
    expect(explanation.closestMiss?.sid).toBe("near");
  });

  test("resolved variables stand in what was wanted", () => {
    const resolved = explain(question({ keys: keysOf({ "aws:principaltag/t": "blue" }) }), layers);
    expect(resolved.layers[2]?.statements[2]?.conditions[0]?.wanted).toEqual(["blue", "x"]);
  });
});

test.each([
  ["present and equal", { StringEquals: { "aws:username": "bob" } }, true, false],
  ["present, by IfExists", { StringEqualsIfExists: { "aws:username": "bob" } }, true, false],
  ["absent and negated", { StringNotEquals: { "aws:userid": "x" } }, true, true],
  ["absent and wanted", { StringEquals: { "aws:userid": "x" } }, false, false],
  ["an empty list", { "ForAllValues:StringEquals": { "aws:TagKeys": "x" } }, true, true],
])("CON-6 matched because missing: %s", (_why, Condition, holds, matchedBecauseMissing) => {
  const keys = keysOf({ "aws:username": "bob", "aws:tagkeys": [] });
  const { layers } = explain(question({ keys }), layersOf({ identity: statement({ Condition }) }));
  expect(layers[0]?.statements[0]?.conditions).toMatchObject([{ holds, matchedBecauseMissing }]);
});

test("a statement that fails early is told to its end", () => {
  const resource = statement({
    Principal: { AWS: roleArn },
    Resource: "arn:aws:s3:::x",
    Action: "sqs:*",
    Condition: { Null: { "aws:username": "true" } },
  });
  expect(explain(question(), layersOf({ resource })).layers[0]?.statements).toMatchObject([
    {
      applies: false,
      actionMatches: false,
      resourceMatches: false,
      principal: "none",
      conditions: [{ operator: "Null", holds: true, found: null }],
    },
  ]);
  const named = statement({ Principal: { AWS: roleArn }, Condition: { Bool: { "a:b": true } } });
  expect(explain(question(), layersOf({ resource: named })).layers[0]?.statements).toMatchObject([
    { resourceMatches: true, principal: "none", conditions: [{ operator: "Bool", holds: false }] },
  ]);
});

describe("SIM-2 what stands in the way", () => {
  const blocks = (...args: Parameters<typeof explain>) =>
    explain(...args).blockedBy.map(
      ({ policyType, level, by }) => `${by} ${policyType}${level ?? ""}`,
    );

  test("nothing, of an allow", () => {
    expect(blocks(question(), layersOf({ identity: allowAll }))).toEqual([]);
  });

  test("every denying layer, every silent level and every missing Allow, in the order of denials", () => {
    const layers = layersOf({
      serviceControl: [[denyAll, allowAll], allowOther],
      resourceControl: [{ ...denyAll, Action: "s3:*", Principal: "*" }],
      identity: denyAll,
      permissionsBoundary: allowOther,
      session: allowOther,
    });
    expect(
      blocks(question({ principal: session, resource: resourceOf(objectArn, accountB) }), layers),
    ).toEqual([
      "explicitDeny serviceControl0",
      "implicitDeny serviceControl1",
      "explicitDeny resourceControl0",
      "implicitDeny resource",
      "explicitDeny identity",
      "implicitDeny identity",
      "implicitDeny permissionsBoundary",
      "implicitDeny session",
    ]);
  });

  test("the trust policy, of a call that nobody can allow", () => {
    const resource = resourceOf(roleArn, accountA, "role-trust");
    const context = question({ principal: root, action: "sts:AssumeRole", resource });
    expect(blocks(context, layersOf({ identity: allowAll }))).toEqual(["implicitDeny resource"]);
  });

  test("the resource policy, of an anonymous caller", () => {
    expect(blocks(question({ principal: anonymous }), layersOf({}))).toEqual([
      "implicitDeny resource",
    ]);
  });

  test("a policy that cannot be used is named instead", () => {
    const layers = compileLayers({
      identity: [unusablePolicy("broken")],
      resource: null,
      permissionsBoundary: null,
      session: null,
      serviceControl: null,
      resourceControl: null,
    });
    const explanation = explain(question(), layers);
    expect(explanation.blockedBy).toEqual([]);
    expect(explanation.closestMiss).toBeNull();
    expect(explanation.layers[0]?.unusablePolicyIds).toEqual(["broken"]);
  });
});

describe("the closest miss", () => {
  const closest = (...identity: readonly object[]) =>
    explain(question(), layersOf({ identity: identity as never })).closestMiss?.sid;

  test.each([
    ["no Allow at all", [denyAllOf("s3:Put*")], undefined],
    [
      "a condition before a resource",
      [
        statement({ Sid: "a", Resource: "arn:aws:s3:::x" }),
        statement({ Sid: "b", Condition: { Bool: { "a:b": true, "c:d": true } } }),
      ],
      "b",
    ],
    [
      "a resource before an action",
      [
        statement({ Sid: "a", Action: "s3:PutObject" }),
        statement({ Sid: "b", Resource: "arn:aws:s3:::x" }),
      ],
      "b",
    ],
    [
      "fewer conditions before more",
      [
        statement({ Sid: "a", Condition: { Bool: { "a:b": true, "c:d": true } } }),
        statement({ Sid: "b", Condition: { Bool: { "a:b": true } } }),
      ],
      "b",
    ],
    [
      "the first of equals",
      [statement({ Sid: "a", Action: "a:b" }), statement({ Sid: "b", Action: "a:b" })],
      "a",
    ],
  ])("%s", (_why, identity, want) => {
    expect(closest(...identity)).toBe(want);
  });

  function denyAllOf(action: string) {
    return { ...denyAll, Action: action };
  }

  test("conditions that fail are nearer than a wrong principal", () => {
    const layers = layersOf({
      resource: [
        statement({ Sid: "a", Principal: { AWS: roleArn } }),
        statement({
          Sid: "b",
          Principal: { AWS: userArn },
          Condition: { Bool: { "a:b": true, "c:d": true } },
        }),
      ],
    });
    const resource = resourceOf(objectArn, accountB);
    expect(explain(question({ resource }), layers).closestMiss?.sid).toBe("b");
  });

  test("a wrong principal is nearer than a wrong resource", () => {
    const layers = layersOf({
      resource: [
        statement({ Sid: "a", Principal: { AWS: userArn }, Resource: "arn:aws:s3:::x" }),
        statement({ Sid: "b", Principal: { AWS: roleArn } }),
      ],
    });
    const resource = resourceOf(objectArn, accountB);
    expect(explain(question({ resource }), layers).closestMiss?.sid).toBe("b");
  });
});

test("IMP-7 over the corpus the statements that are said to apply are those that decided", () => {
  const compile = ({ id, document }: ReferencePolicy) =>
    document === null ? unusablePolicy(id) : compilePolicy(id, document);
  let explained = 0;
  for (const given of readCases()) {
    const loaded = parseScenario(JSON.stringify(given));
    if (!loaded.ok) continue;
    const { context, layers } = loaded.value;
    const engine = compileLayers({
      identity: layers.identity.map(compile),
      resource: layers.resource && compile(layers.resource),
      permissionsBoundary: layers.permissionsBoundary && compile(layers.permissionsBoundary),
      session: layers.session?.map(compile) ?? null,
      serviceControl: layers.serviceControl?.map((level) => level.map(compile)) ?? null,
      resourceControl: layers.resourceControl?.map((level) => level.map(compile)) ?? null,
    });
    const { decision, layers: all, blockedBy } = explain(context, engine);
    explained++;
    expect(decision).toEqual(evaluate(context, engine));
    if (decision.errors.length > 0 || decision.deniedBy === null) continue;
    if (decision.decision === "explicitDeny") {
      const deciding = all.find(
        (layer) => layer.policyType === decision.deniedBy && layer.level === decision.deniedLevel,
      );
      const applying = deciding?.statements.filter(
        (each) => each.applies && each.effect === "Deny",
      );
      expect(applying?.map(({ policyId, index }) => [policyId, index])).toEqual(
        decision.matchedStatements.map(({ policyId, index }) => [policyId, index]),
      );
    }
    const by = decision.decision;
    expect(blockedBy).toContainEqual({
      policyType: decision.deniedBy,
      level: decision.deniedLevel,
      by,
    });
  }
  expect(explained).toBeGreaterThan(600);
});
