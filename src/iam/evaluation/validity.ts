import { nextFlipMs } from "../condition/clock.ts";
import type { Layer } from "./layer.ts";
import { isCandidate, type QuestionScope } from "./match.ts";

/**
 * Returns the earliest instant at which a candidate statement could answer otherwise, the question
 * being the same but for the clock: Infinity for never, the evaluation time itself where it cannot be
 * said, so that the decision is not kept (KEY-5). Costs a flag a layer unless a policy reads the clock.
 */
export function validUntilMs(applicable: readonly Layer[], scope: QuestionScope): number {
  const { keys, nowMs } = scope.context;
  let until = Number.POSITIVE_INFINITY;
  for (const { candidates, namesCaller } of applicable) {
    if (!candidates.moveWithClock) continue;
    for (const statement of candidates.statements) {
      if (statement.clock.length === 0 || !isCandidate(statement, namesCaller, scope)) continue;
      for (const dependence of statement.clock) {
        until = Math.min(until, nextFlipMs(dependence, keys, nowMs));
      }
    }
  }
  return until;
}
