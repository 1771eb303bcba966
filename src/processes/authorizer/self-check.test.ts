import { describe, expect, test } from "vitest";
import { denied } from "../../iam/decision.ts";
import type { KeptQuestion } from "./kept-question.ts";
import { type Mismatch, SelfCheck } from "./self-check.ts";

const question: KeptQuestion = {
  context: {
    principal: { type: "anonymous" },
    action: "orders:GetOrder",
    resource: { arn: null, account: "111122223333", class: "ordinary" },
    principalOrganization: null,
    resourceOrganization: null,
    keys: new Map(),
    faults: null,
    nowMs: 0,
  },
  keys: new Map(),
  layers: {
    identity: [],
    resource: null,
    permissionsBoundary: null,
    session: null,
    serviceControl: null,
    resourceControl: null,
  },
};
/** What the reference says of it. */
const right = { ...denied("implicit-deny"), deniedBy: "resource" as const };

function createSelfCheck(sampleRate: number, draws: readonly number[] = []) {
  const waiting: (() => void)[] = [];
  const mismatches: Mismatch[] = [];
  const failures: unknown[] = [];
  const agreed: boolean[] = [];
  let drawn = 0;
  const check = new SelfCheck({
    sampleRate,
    random: () => draws[drawn++] ?? 0,
    later: (work) => void waiting.push(work),
    checked: (agrees) => agreed.push(agrees),
    mismatch: (mismatch) => mismatches.push(mismatch),
    failed: (failure) => failures.push(failure),
  });
  const run = () => {
    for (const work of waiting.splice(0)) work();
  };
  return { check, run, mismatches, failures, agreed, drawn: () => drawn };
}

test("the share that was asked for is decided again", () => {
  const { check } = createSelfCheck(0.25, [0, 0.24, 0.25, 0.9]);
  expect([1, 2, 3, 4].map(() => check.wants())).toEqual([true, true, false, false]);
});

test("with a share of 0 nothing is drawn", () => {
  const { check, drawn } = createSelfCheck(0);
  expect(check.wants()).toBe(false);
  expect(drawn()).toBe(0);
});

test("nothing is decided again before the Check was answered", () => {
  const { check, run, agreed } = createSelfCheck(1);
  check.add(right, () => question);
  expect(check.samples).toBe(0);
  run();
  expect(check).toMatchObject({ samples: 1, mismatches: 0 });
  expect(agreed).toEqual([true]);
});

test("samples that wait are bounded, and wanted again when they were decided", () => {
  const { check, run } = createSelfCheck(1);
  let added = 0;
  for (let n = 0; n < 100; n++) {
    if (!check.wants()) continue;
    check.add(right, () => question);
    added++;
  }
  expect(added).toBe(64);
  run();
  expect(check.wants()).toBe(true);
});

describe("a disagreement", () => {
  test.each([
    ["the decision", { ...right, decision: "explicitDeny" as const }],
    ["who denied", { ...right, deniedBy: "identity" as const }],
    ["the level", { ...right, deniedLevel: 0 }],
    ["the errors", denied("evaluation-error", ["step-bound"])],
  ])("about %s is counted and told with its question", (_what, engine) => {
    const { check, run, mismatches, agreed } = createSelfCheck(1);
    check.add(engine, () => question);
    run();
    expect(check).toMatchObject({ samples: 1, mismatches: 1 });
    expect(agreed).toEqual([false]);
    expect(mismatches).toEqual([{ question, engine, reference: expect.objectContaining(right) }]);
  });

  test("about the statements that decided is none: the reference may name others (DEC-8)", () => {
    const { check, run } = createSelfCheck(1);
    const named = { policyType: "resource", policyId: "p", sid: "", index: 0 } as const;
    check.add({ ...right, matchedStatements: [{ ...named, effect: "Deny" }] }, () => question);
    run();
    expect(check.mismatches).toBe(0);
  });
});

test("a question that cannot be kept is told, and waits for nobody", () => {
  const { check, failures } = createSelfCheck(1);
  for (let n = 0; n < 100; n++) {
    check.add(right, () => {
      throw new Error("no snapshot");
    });
  }
  expect(failures).toHaveLength(100);
  expect(check.wants()).toBe(true);
});

test("a second evaluator that throws is told, and says nothing about the decision", () => {
  const { check, run, failures } = createSelfCheck(1);
  check.add(right, () => ({ ...question, layers: null as unknown as KeptQuestion["layers"] }));
  run();
  expect(failures).toHaveLength(1);
  expect(check).toMatchObject({ samples: 0, mismatches: 0 });
});
