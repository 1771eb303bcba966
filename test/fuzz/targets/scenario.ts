import { parseScenario } from "../../../src/iam/scenario.ts";
import { evaluators } from "../../corpus/evaluators.ts";
import { agreed } from "../../property/agreement.ts";
import { must, type Target, textOf } from "../target.ts";

/** A question as it is written down: refused with problems, or decided alike by every evaluator. */
export const scenario: Target = {
  name: "scenario",
  id: null,
  about: "a scenario with its policies",
  words: [
    '"derive":true',
    '"context":{"aws:TagKeys":["a"]}',
    '"serviceControl":[[{}]]',
    '"organization":null',
    '"type":"federated-user"',
    '"class":"owner-delegates"',
    '"faults":{"aws:username":"evaluation-error"}',
    "null",
    "__proto__",
    "2026-11-24T00:00:00Z",
  ],
  fuzz(data) {
    const loaded = parseScenario(textOf(data));
    if (!loaded.ok) {
      must(loaded.problems.length > 0, "a refusal has a problem");
      return;
    }
    const answers = evaluators.map(({ evaluate }) =>
      JSON.stringify(agreed(evaluate(loaded.value))),
    );
    must(new Set(answers).size === 1, `evaluators agree: ${answers.join(" ")}`);
  },
};
