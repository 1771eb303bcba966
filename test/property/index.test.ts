import { expect, test } from "vitest";
import { matchesAction, parseActionName } from "../../src/iam/compile/action-matcher.ts";
import { levels } from "../../src/iam/compile/principal-matcher.ts";
import { createScope } from "../../src/iam/evaluation/evaluate.ts";
import { layersThatApply } from "../../src/iam/evaluation/layer.ts";
import { findMatches, matchStatement } from "../../src/iam/evaluation/match.ts";
import { EveryMatch } from "../../src/iam/evaluation/takers.ts";
import { createWork } from "../../src/iam/glob.ts";
import { compiled } from "../corpus/evaluators.ts";
import { scenarioOf } from "./draft.ts";
import { generateDraft } from "./generate.ts";
import { createRandom } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";

/**
 * MET-10: index on equals index off. The statements that the index leads to and that apply are those
 * that apply among all statements of the layer, each tried in turn.
 */
const cases = caseCount(1_500);

test("MET-10 the index leaves no statement out that applies, and brings none that does not", {
  timeout: 600_000,
}, () => {
  let applying = 0;
  for (let index = first; index < first + cases; index++) {
    const scenario = scenarioOf(generateDraft(createRandom(seed + 6, index)), `index-${index}`);
    const applicable = layersThatApply(scenario.context, compiled(scenario));
    const scope = createScope(scenario.context, applicable);
    const action = parseActionName(scenario.context.action);
    for (const { set, candidates, namesCaller, policyType } of applicable) {
      const every = new EveryMatch();
      findMatches(candidates.denies, namesCaller, scope, every);
      findMatches(candidates.allows, namesCaller, scope, every);
      const wanted = set.policies
        .flatMap(({ statements }) => statements)
        .filter((statement) => matchesAction(statement.actions, action, createWork()))
        .filter(
          (statement) => matchStatement(statement, null, namesCaller, scope, null) !== levels.none,
        );
      const found = new Set(every.statements ?? []);
      expect(found, `${policyType}; ${reproduce(index, "index.test.ts")}`).toEqual(new Set(wanted));
      applying += wanted.length;
    }
  }
  if (cases >= 1_000) expect(applying).toBeGreaterThan(cases);
});
