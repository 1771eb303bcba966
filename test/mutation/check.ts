import { isDeepStrictEqual } from "node:util";
import type { Decision } from "../../src/iam/decision.ts";
import type { Scenario } from "../../src/iam/scenario.ts";
import type { ExpectedAnswer } from "../../src/iam/scenario-expected.ts";
import { evaluators } from "../corpus/evaluators.ts";
import { agreed } from "../property/agreement.ts";

/** A question that a mutant has to answer rightly to stay alive. */
export interface Question {
  readonly name: string;
  readonly scenario: Scenario;
  /** What the corpus says of it, or what the evaluators agree on. */
  readonly expected:
    | { readonly type: "corpus"; readonly answer: ExpectedAnswer }
    | { readonly type: "agreed"; readonly answer: object };
}

/**
 * What a mutant has to get past before the unit tests: what the tests of the corpus and the
 * differential test assert, and nothing else. This module and all that it imports is loaded anew for
 * each mutant.
 */
export const check = { firstWrong };

/** Returns the first of `questions` that the evaluator answers wrongly, null where there is none. */
function firstWrong(questions: readonly Question[], evaluator: string): Question | null {
  const evaluate = evaluators.find(({ name }) => name === evaluator)?.evaluate;
  if (evaluate === undefined) throw new Error(`no evaluator is called ${evaluator}`);
  return questions.find((each) => !isRight(each, evaluate(each.scenario))) ?? null;
}

function isRight({ expected: { type, answer } }: Question, decision: Decision): boolean {
  return type === "corpus"
    ? contains(decision, { errors: [], ...answer })
    : isDeepStrictEqual(agreed(decision), answer);
}

/** Returns whether `actual` has all that `expected` has: vitest's `toMatchObject`. */
function contains(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((each, index) => contains(actual[index], each))
    );
  }
  if (typeof expected !== "object" || expected === null) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== "object" || actual === null) return false;
  return Object.entries(expected).every(([name, value]) =>
    contains((actual as Record<string, unknown>)[name], value),
  );
}
