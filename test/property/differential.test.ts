import { expect, test } from "vitest";
import { evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import type { KnownIds } from "../../src/iam/evaluation/reference-principal.ts";
import { compiled } from "../corpus/evaluators.ts";
import { agreed, commandOf, compare, nameOf } from "./agreement.ts";
import { scenarioOf } from "./draft.ts";
import { generateDraft } from "./generate.ts";
import { allowedShare, createMix, everyCaller, everyForm, gapsOf, measure } from "./mix.ts";
import { createRandom, type Random } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";
import { awsNames, canonicalUser, other, own } from "./universe.ts";

/**
 * T-PROP-04: every evaluator gives the reference's answer to random questions, and the questions are
 * worth asking: enough of them allowed, every operator in every form, every combination of layers.
 * A million and more of them: `npm run fuzz -- --target differential --cases 1000000`.
 */
const cases = caseCount(10_000);
const mix = createMix();

test(`${cases} random questions of seed ${seed}: all evaluators agree`, {
  timeout: 600_000,
}, () => {
  for (let index = first; index < first + cases; index++) {
    const { scenario, decision, difference } = compare(seed, index);
    measure(mix, scenario, decision);
    if (difference === null) continue;
    expect.fail(
      [
        `the evaluators differ in case ${index} (${nameOf(seed, index)}); to see it again, and to`,
        "keep the smallest question in which they differ below test/fuzz/corpus/differential:",
        commandOf(seed, index),
        ...difference.answers,
        difference.text,
      ].join("\n"),
    );
  }
});

/** What a set of policies remembers of one question must not tell in the next (DEC-7, MET-09). */
test("one compiled set of policies answers many questions, each as if it were the first", {
  timeout: 600_000,
}, () => {
  const scenarios = Array.from({ length: Math.ceil(cases / 20) }, (_, index) =>
    scenarioOf(generateDraft(createRandom(seed + 4, first + index)), `shared-${index}`),
  );
  for (const [index, scenario] of scenarios.entries()) {
    const policies = compiled(scenario);
    const near = scenarios.slice(index, index + 8);
    for (const { context } of [...near, ...near.toReversed()]) {
      expect(
        agreed(evaluate(context, policies)),
        reproduce(first + index, "differential.test.ts"),
      ).toEqual(agreed(evaluateReference(context, scenario.layers)));
    }
  }
});

/** Unique ids that say now the same and now something else than the names do (PRIN-3). */
function knownIds(random: Random): Required<KnownIds> {
  const ids = ["AROA1", "AROA2", "AIDABOB", "AIDA2"];
  const named = awsNames.filter((name) => /:(user|role)\//.test(name) && random.chance(0.6));
  return {
    principalIds: new Map(named.map((name) => [name, random.pick(ids)])),
    canonicalUsers: new Map(random.chance(0.7) ? [[canonicalUser, random.pick([own, other])]] : []),
  };
}

test("T-PRI-26, T-PRI-31 unique ids decide before names, in both evaluators", {
  timeout: 600_000,
}, () => {
  let changed = 0;
  const count = Math.ceil(cases / 4);
  for (let index = first; index < first + count; index++) {
    const random = createRandom(seed + 5, index);
    const scenario = scenarioOf(generateDraft(random), `ids-${index}`);
    const known = knownIds(random);
    const answer = agreed(evaluate(scenario.context, compiled(scenario, known)));
    const wanted = agreed(evaluateReference(scenario.context, scenario.layers, known));
    expect(answer, reproduce(index, "differential.test.ts")).toEqual(wanted);
    const plain = agreed(evaluateReference(scenario.context, scenario.layers));
    if (JSON.stringify(plain) !== JSON.stringify(wanted)) changed++;
  }
  if (count >= 1_000) expect(changed).toBeGreaterThan(count / 100);
});

// a handful of cases, run again to look at one, says nothing about the mix
test.runIf(cases >= 5_000)("between 30 and 70 of a hundred are allowed", () => {
  expect(allowedShare(mix)).toBeGreaterThan(0.3);
  expect(allowedShare(mix)).toBeLessThan(0.7);
});

test.runIf(cases >= 5_000)(
  "every form of operator, combination of layers and type of caller occurs often enough",
  () => {
    expect(everyForm.length).toBe(1 + 6 * (17 + 7));
    expect(everyCaller.length).toBe(9);
    expect(gapsOf(mix)).toEqual([]);
  },
);
