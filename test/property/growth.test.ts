import { expect, test } from "vitest";
import { compilePolicy } from "../../src/iam/compile/compile.ts";
import { compileLayers, type EngineLayers } from "../../src/iam/compile/layers.ts";
import { createScope, evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { layersThatApply } from "../../src/iam/evaluation/layer.ts";
import { findMatches } from "../../src/iam/evaluation/match.ts";
import { EveryMatch } from "../../src/iam/evaluation/takers.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { ContextValue, RequestContext } from "../../src/iam/request-context.ts";

/**
 * Complexity by counted steps (security reference, 11.7): from n to 2n the work of matching grows at
 * most 2.3 times, n being the length of the text, the number of statements or of values.
 */
const account = "111111111111";

function contextOf(resource: string, keys: ReadonlyMap<string, ContextValue>): RequestContext {
  return {
    principal: { type: "root", account, arn: `arn:aws:iam::${account}:root` },
    action: "s3:GetObject",
    resource: {
      arn: { partition: "aws", service: "s3", region: "", account: "", resource },
      account,
      class: "ordinary",
    },
    principalOrganization: null,
    resourceOrganization: null,
    keys,
    faults: null,
    nowMs: 0,
  };
}

const deny = { Effect: "Deny", Principal: "*", Action: "s3:*" };

function layersOf(statements: readonly object[]): EngineLayers {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const limits = { maxBytes: 1e7, maxStatements: 1e5, maxListEntries: 1e5 };
  const loaded = parsePolicyDocument(text, "resource", limits);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return compileLayers({
    identity: [],
    resource: compilePolicy("p", loaded.value),
    permissionsBoundary: null,
    session: null,
    serviceControl: null,
    resourceControl: null,
  });
}

/** Returns the steps of matching every statement, of each effect, of one resource policy. */
function stepsOf(statements: readonly object[], context: RequestContext): number {
  const applicable = layersThatApply(context, layersOf(statements));
  const scope = createScope(context, applicable, Number.POSITIVE_INFINITY);
  for (const { candidates, namesCaller } of applicable) {
    findMatches(candidates.denies, namesCaller, scope, new EveryMatch());
    findMatches(candidates.allows, namesCaller, scope, new EveryMatch());
  }
  return scope.work.steps;
}

const noKeys = new Map<string, ContextValue>();
const key = (...values: string[]) => new Map([["mesh:jwtclaim/x", { multivalued: true, values }]]);
const many = <T>(n: number, make: (index: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => make(i));

interface Growth {
  readonly of: string;
  readonly n: number;
  /** Times by which the steps may grow from n to 2n. */
  readonly times: number;
  steps(n: number): number;
}

const linear: readonly Growth[] = [
  {
    of: "the length of a resource under a pattern of many stars",
    n: 4_000,
    times: 2.3,
    steps: (n) =>
      stepsOf(
        [{ ...deny, Resource: `arn:aws:s3:::${"*a".repeat(30)}*b*` }],
        contextOf("a".repeat(n), noKeys),
      ),
  },
  {
    of: "the length of a resource under a pattern of stars and question marks",
    n: 4_000,
    times: 2.3,
    steps: (n) =>
      stepsOf(
        [{ ...deny, Resource: `arn:aws:s3:::${"*a?".repeat(20)}*b*` }],
        contextOf("a".repeat(n), noKeys),
      ),
  },
  {
    of: "the number of statements that all fit but for their condition",
    n: 500,
    times: 2.3,
    steps: (n) =>
      stepsOf(
        many(n, (i) => ({
          ...deny,
          Resource: "*",
          Condition: { "ForAnyValue:StringEquals": { "mesh:JwtClaim/x": `no${i}` } },
        })),
        contextOf("a", key("yes")),
      ),
  },
  {
    of: "the number of policy values under StringLike",
    n: 500,
    times: 2.3,
    steps: (n) => {
      const values = many(n, (i) => `*a*${i}*b`);
      return stepsOf(
        [
          {
            ...deny,
            Resource: "*",
            Condition: { "ForAnyValue:StringLike": { "mesh:JwtClaim/x": values } },
          },
        ],
        contextOf("a", key("a".repeat(200))),
      );
    },
  },
  {
    of: "the number of request values",
    n: 500,
    times: 2.3,
    steps: (n) =>
      stepsOf(
        [
          {
            ...deny,
            Resource: "*",
            Condition: { "ForAllValues:StringNotLike": { "mesh:JwtClaim/x": "*a*b*c" } },
          },
        ],
        contextOf("a", key(...many(n, (i) => `a${i}`))),
      ),
  },
  {
    of: "the number of resources in one statement",
    n: 500,
    times: 2.3,
    steps: (n) =>
      stepsOf(
        [{ ...deny, Resource: many(n, (i) => `arn:aws:s3:::*${i}x`) }],
        contextOf("a", noKeys),
      ),
  },
];

test.each(linear)("work is linear in $of", ({ n, times, steps }) => {
  const [once, twice] = [steps(n), steps(2 * n)];
  expect(once).toBeGreaterThan(0);
  expect(twice / once).toBeLessThanOrEqual(times);
  // a count that does not move counts nothing
  expect(twice).toBeGreaterThan(once);
});

test("statements of other resources cost nothing: the index does not lead to them", () => {
  const steps = (n: number): number =>
    stepsOf(
      many(n, (i) => ({ ...deny, Resource: `arn:aws:s3:::bkt${i}/*` })),
      contextOf("bkt7/x", noKeys),
    );
  expect(steps(4_000)).toBe(steps(2_000));
  expect(steps(2_000)).toBeGreaterThan(0);
});

test("IMP-6 patterns of a thousand pieces that are found at once are decided, not given up", () => {
  const never = { StringEquals: { "mesh:Channel": "none" } };
  const statements = [
    ...many(3, (i) => ({
      ...deny,
      Resource: `arn:aws:s3:::${"*a".repeat(1_000 + i)}*`,
      Condition: never,
    })),
    { ...deny, Effect: "Allow", Resource: "*" },
  ];
  const decision = evaluate(contextOf("a".repeat(8_000), noKeys), layersOf(statements));
  expect(decision).toMatchObject({ decision: "allowed", errors: [] });
});
