import { expect, test } from "vitest";
import { type Grammar, grammars } from "./grammars.ts";
import { createRandom, type Random } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";

/**
 * Globs (T-PROP-07) and the value grammars of iam-semantics 5.3, read by the engine and by the
 * reference: texts in and just outside of each grammar, accepted alike and compared alike.
 */
const cases = caseCount(3_000);

/** A sample, with up to three characters put in, taken out or replaced. */
function mutated(random: Random, { samples, alphabet }: Grammar): string {
  let text = random.pick(samples);
  for (let edits = random.int(4); edits > 0; edits--) {
    const at = random.int(text.length + 1);
    const kept = random.chance(0.5) ? at : at + 1;
    const added = random.chance(0.75) ? random.pick([...alphabet]) : "";
    text = text.slice(0, at) + added + text.slice(kept);
  }
  return text;
}

test.each(grammars)("$name are read and compared alike", (grammar) => {
  const outcomes = new Map<string, number>();
  for (let index = first; index < first + cases; index++) {
    const random = createRandom(seed + 3, index);
    const left = mutated(random, grammar);
    const right = random.chance(0.3) ? left : mutated(random, grammar);
    const seen = grammar.engine(left, right);
    expect(seen, `${left} ${right}; ${reproduce(index, "values.test.ts")}`).toEqual(
      grammar.reference(left, right),
    );
    const outcome = JSON.stringify(seen);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // one and the same answer to nearly everything would prove nothing
  if (cases >= 1_000) expect(Math.max(...outcomes.values())).toBeLessThan(cases * 0.9);
});
