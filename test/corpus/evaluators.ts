import {
  type CompileOptions,
  compilePolicy,
  unusablePolicy,
} from "../../src/iam/compile/compile.ts";
import { compileLayers, type EngineLayers } from "../../src/iam/compile/layers.ts";
import type { Decision } from "../../src/iam/decision.ts";
import { evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import type { Scenario } from "../../src/iam/scenario.ts";
import { mapLayers } from "./map-layers.ts";

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
  {
    name: "compiled",
    evaluate: (scenario) => evaluate(scenario.context, compiled(scenario)),
  },
];

/** Returns the scenario's policies as the engine takes them. */
export function compiled({ layers }: Scenario, options: CompileOptions = {}): EngineLayers {
  const policies = mapLayers(layers, ({ id, document }) =>
    document === null ? unusablePolicy(id) : compilePolicy(id, document, options),
  );
  return compileLayers(policies);
}
