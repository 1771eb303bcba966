import type { Decision } from "../../src/iam/decision.ts";
import type { Scenario } from "../../src/iam/scenario.ts";
import { type Evaluator, evaluators } from "../corpus/evaluators.ts";
import { type Draft, scenarioOf, textOf } from "./draft.ts";
import { generateDraft } from "./generate.ts";
import { createRandom } from "./random.ts";
import { shrink } from "./shrink.ts";

/** Returns what evaluators agree on (DEC-8), and the reason; of a denial also the statements. */
export function agreed(decision: Decision): object {
  const { decision: word, deniedBy, deniedLevel, errors, reason, matchedStatements } = decision;
  const denies = matchedStatements.filter(({ effect }) => effect === "Deny");
  return { decision: word, deniedBy, deniedLevel, errors, reason, denies };
}

/** A question in which evaluators differ, cut down as far as they still do. */
export interface Difference {
  readonly answers: readonly string[];
  /** The question as text, a case for the corpus once its expectation is written. */
  readonly text: string;
}

/** A random question with the reference's answer, and the difference of the other evaluators to it. */
export interface Comparison {
  readonly scenario: Scenario;
  readonly decision: Decision;
  readonly difference: Difference | null;
}

/** Returns case `index` of `seed`, decided by every one of `paths`, the first of which is right. */
export function compare(
  seed: number,
  index: number,
  paths: readonly Evaluator[] = evaluators,
): Comparison {
  const draft = generateDraft(createRandom(seed, index));
  const scenario = scenarioOf(draft, `random-${seed}-${index}`);
  const [reference, ...others] = paths;
  if (reference === undefined) throw new Error("no evaluator");
  const decision = reference.evaluate(scenario);
  const wanted = JSON.stringify(agreed(decision));
  const isAgreed = others.every(
    ({ evaluate }) => JSON.stringify(agreed(evaluate(scenario))) === wanted,
  );
  if (isAgreed) return { scenario, decision, difference: null };
  const smallest = shrink(draft, (each) => new Set(wordsOf(each, paths)).size > 1);
  const words = wordsOf(smallest, paths);
  const answers = paths.map(({ name }, at) => `${name}: ${words[at]}`);
  const text = textOf(smallest, nameOf(seed, index));
  return { scenario, decision, difference: { answers, text } };
}

/** Returns the command that asks case `index` of `seed` again, and keeps it if evaluators differ. */
export function commandOf(seed: number, index: number): string {
  return `npm run fuzz -- --target differential --seed ${seed} --first ${index} --cases 1`;
}

/** Returns what a difference of case `index` is called in the corpus. */
export function nameOf(seed: number, index: number): string {
  return `DIF-${seed}-${index}`;
}

function wordsOf(draft: Draft, paths: readonly Evaluator[]): string[] {
  const scenario = scenarioOf(draft, "x");
  return paths.map(({ evaluate }) => JSON.stringify(agreed(evaluate(scenario))));
}
