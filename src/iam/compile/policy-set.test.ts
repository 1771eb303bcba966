import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Elements,
  keysOf,
  policy,
  question,
  resourceOf,
  statement,
} from "../../../test/fakes/question.ts";
import { createScope } from "../evaluation/evaluate.ts";
import { findMatches, matchStatement } from "../evaluation/match.ts";
import { EveryMatch } from "../evaluation/takers.ts";
import { createWork } from "../glob.ts";
import type { ListElement } from "../policy/document.ts";
import { createActionMatcher, matchesAction, parseActionName } from "./action-matcher.ts";
import { candidatesFor, createPolicySet } from "./policy-set.ts";
import { levels } from "./principal-matcher.ts";
import { createStatementIndex, findPrefix } from "./statement-index.ts";
import { createCompileTables } from "./tables.ts";

describe("3.2 actions", () => {
  test.each([
    ["T-ACT-01 any case", { Action: "S3:getobject" }, true],
    ["T-ACT-02", { Action: "s3:GetObjec?" }, true],
    ["T-ACT-03", { Action: "s3:*Object" }, true],
    ["T-ACT-04", { Action: "s*:GetObject" }, true],
    ["T-ACT-05", { Action: "*:*" }, true],
    ["everything", { Action: "*" }, true],
    ["another service", { Action: "sqs:*" }, false],
    ["ACT-3 a star never takes the colon", { Action: "s3*ct:*" }, false],
    ["T-ACT-06", { Action: undefined, NotAction: "sqs:*" }, true],
    ["NotAction that lists it", { Action: undefined, NotAction: ["sqs:*", "s3:Get*"] }, false],
    ["T-ACT-07", { Action: "s3:GetObject " }, false],
    ["T-ACT-08", { Action: "s3:Get[O]bject" }, false],
    ["T-ACT-09", { Action: "s3:Get.bject" }, false],
    ["T-ACT-10", { Action: "s3:Get(Object" }, false],
    ["T-DOC-21 an empty list", { Action: [] }, false],
  ])("%s: %s", (_why, elements, want) => {
    const set = createPolicySet([policy("p", statement(elements))]);
    expect(candidatesFor(set, "s3:GetObject").statements.length === 1).toBe(want);
  });

  test("T-ACT-13 the Kelvin sign is no k", () => {
    const set = createPolicySet([policy("p", statement({ Action: "kms:Encrypt" }))]);
    expect(candidatesFor(set, "\u212ams:Encrypt").statements).toEqual([]);
    expect(candidatesFor(set, "KMS:encrypt").statements).toHaveLength(1);
  });

  test("LOAD-4 an entry without a colon matches nothing, not even by exclusion", () => {
    const element = (negated: boolean): ListElement => ({
      negated,
      entries: [{ text: "s3", position: { line: 1, column: 1, offset: 0 } }],
    });
    const tables = createCompileTables();
    for (const negated of [false, true]) {
      const matcher = createActionMatcher(element(negated), tables);
      for (const action of ["s3", "s3:", "s3:GetObject"]) {
        expect(matchesAction(matcher, parseActionName(action), createWork())).toBe(negated);
      }
    }
  });
});

describe("candidates", () => {
  const set = createPolicySet([
    policy("p", [
      statement({ Sid: "a" }),
      statement({
        Sid: "b",
        Effect: "Deny",
        Condition: { StringLike: { "aws:UserAgent": "${aws:username}*" } },
      }),
      statement({
        Sid: "c",
        Action: "s3:PutObject",
        Condition: { Bool: { "aws:SecureTransport": true } },
      }),
      statement({ Sid: "d", Resource: "arn:aws:s3:::${aws:PrincipalTag/Team}/*" }),
    ]),
    policy(
      "q",
      statement({
        Sid: "e",
        Action: "*",
        Condition: { DateLessThan: { "aws:CurrentTime": "2027" } },
      }),
    ),
  ]);

  test("are found by action, denies and allows apart, with what they read", () => {
    const found = candidatesFor(set, "s3:GetObject");
    expect(found.statements.map((each) => each.sid)).toEqual(["a", "b", "d", "e"]);
    expect(found.denies.statements.map((each) => each.sid)).toEqual(["b"]);
    expect(found.allows.statements.map((each) => each.sid)).toEqual(["a", "d", "e"]);
    expect([...found.reads].sort()).toEqual([
      "aws:currenttime",
      "aws:principaltag/team",
      "aws:useragent",
      "aws:username",
    ]);
    expect(found.moveWithClock).toBe(true);
  });

  test("are looked for once an action, and the memory is bounded", () => {
    const own = createPolicySet(set.policies);
    const first = candidatesFor(own, "s3:GetObject");
    expect(candidatesFor(own, "s3:GetObject")).toBe(first);
    for (let i = 0; i < 5000; i++) candidatesFor(own, `s3:Made${i}`);
    expect(own.candidatesByAction.size).toBeLessThanOrEqual(1024);
  });
});

// Prefixes that nest, share beginnings and end at each other's borders, wildcards, variables, lists.
const resourceText = fc
  .array(fc.constantFrom("a", "b", "/", "ab", "ÿ", "*", "?", "${aws:username}"), { maxLength: 6 })
  .map((parts) => (parts.length === 0 ? "*" : `arn:aws:s3:::${parts.join("")}`));
const elements: fc.Arbitrary<Elements> = fc
  .record({
    Effect: fc.constantFrom("Allow", "Deny"),
    negated: fc.boolean(),
    resources: fc.array(resourceText, { minLength: 1, maxLength: 3 }),
  })
  .map(({ Effect, negated, resources }) =>
    statement({
      Effect,
      Resource: negated ? undefined : resources,
      NotResource: negated ? resources : undefined,
    }),
  );

describe("the index by resource", () => {
  test("finds exactly the statements that match one by one", () => {
    const text = fc.array(fc.constantFrom("a", "b", "/", "ab", "ÿ", "u"), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.array(elements, { minLength: 1, maxLength: 12 }),
        text,
        (statements, parts) => {
          const set = createPolicySet([policy("p", statements)]);
          const resource = resourceOf(`arn:aws:s3:::${parts.join("")}`);
          const context = question({ resource, keys: keysOf({ "aws:username": "u" }) });
          const scope = createScope(context, []);
          const candidates = candidatesFor(set, context.action);
          for (const index of [candidates.denies, candidates.allows]) {
            const every = new EveryMatch();
            findMatches(index, false, scope, every);
            const matching = index.statements.filter(
              (each) => matchStatement(each, null, false, scope, null) !== levels.none,
            );
            expect([...(every.statements ?? [])].sort((a, b) => a.index - b.index)).toEqual(
              matching,
            );
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("leads from the longest prefix of a text to all shorter ones", () => {
    const prefix = fc.array(fc.constantFrom("a", "b", "/", "ÿ"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(prefix, { minLength: 4, maxLength: 20 }), prefix, (prefixes, parts) => {
        const texts = [...new Set(prefixes.map((each) => each.join("")))];
        const statements = texts.map((text) => statement({ Resource: `arn:aws:s3:::${text}*` }));
        const set = createPolicySet([policy("p", statements)]);
        const index = createStatementIndex(candidatesFor(set, "s3:GetObject").statements);
        fc.pre(index.prefixes.length > 0);
        const text = parts.join("");
        const found: string[] = [];
        for (let at = findPrefix(index, text); at >= 0; at = index.parents[at] ?? -1) {
          found.push(index.prefixes[at] ?? "");
        }
        const wanted = texts.filter((each) => text.startsWith(each));
        expect(found).toEqual(wanted.sort((a, b) => b.length - a.length));
      }),
    );
  });

  test("the pseudo-resource needs no prefix", () => {
    const statements = [..."abcde"].map((name) => statement({ Resource: `arn:aws:s3:::${name}` }));
    const set = createPolicySet([policy("p", [...statements, statement()])]);
    const context = question({ resource: { arn: null, account: null, class: "ordinary" } });
    const every = new EveryMatch();
    findMatches(candidatesFor(set, context.action).allows, false, createScope(context, []), every);
    expect([...(every.statements ?? [])].map((each) => each.index)).toEqual([5]);
  });

  test("T-PROP-06 the cost of a decision hardly grows with the statements that do not fit", () => {
    const steps = [100, 1000, 10_000].map((count) => {
      const each = Array.from({ length: count }, (_, i) =>
        statement({ Resource: `arn:aws:s3:::bkt/${i}-*` }),
      );
      const policies = Array.from({ length: count / 100 }, (_, i) =>
        policy(`p${i}`, each.slice(i * 100, i * 100 + 100)),
      );
      const set = createPolicySet(policies);
      const context = question({ resource: resourceOf("arn:aws:s3:::bkt/42-x") });
      const scope = createScope(context, []);
      findMatches(candidatesFor(set, context.action).allows, false, scope, new EveryMatch());
      return scope.work.steps;
    });
    expect(steps[2]).toBe(steps[0]);
  });
});
