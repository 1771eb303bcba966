import type { Decision } from "../../src/iam/decision.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import type { Scenario } from "../../src/iam/scenario.ts";

/** A path that can answer a scenario. Every one of them runs every case of the corpus. */
export interface Evaluator {
  readonly name: string;
  evaluate(scenario: Scenario): Decision;
}

/** The paths that answer, the reference first: the others are compared with it. */
export const evaluators: readonly Evaluator[] = [
  {
    name: "reference",
    evaluate: ({ context, layers }) => evaluateReference(context, layers),
  },
];
