import { type Evaluator, evaluators } from "../corpus/evaluators.ts";
import { compare, type Difference, nameOf } from "../property/agreement.ts";
import { allowedShare, createMix, gapsOf, type Mix, measure } from "../property/mix.ts";
import type { Rarest, RecordedDifferential } from "../recorded-runs.ts";

/** A run of random questions, as far as it came. */
export interface DifferentialRun {
  readonly mix: Mix;
  /** The first question in which evaluators differ, null where there is none. */
  readonly found: (Difference & { readonly name: string; readonly index: number }) | null;
}

/**
 * Returns what came of the cases `first` to `first + cases - 1` of `seed`: each decided by every
 * evaluator and compared. Ends at the first difference. `progress` hears of every ten thousandth case.
 */
export function runDifferential(
  seed: number,
  first: number,
  cases: number,
  progress: (done: number) => void,
  paths: readonly Evaluator[] = evaluators,
): DifferentialRun {
  const mix = createMix();
  for (let index = first; index < first + cases; index++) {
    const { scenario, decision, difference } = compare(seed, index, paths);
    measure(mix, scenario, decision);
    if (difference !== null) {
      return { mix, found: { ...difference, index, name: nameOf(seed, index) } };
    }
    if (mix.cases % 10_000 === 0) progress(mix.cases);
  }
  return { mix, found: null };
}

/** Returns the mix in a few lines: what was decided, and the rarest of each kind. */
export function describeMix(mix: Mix): readonly string[] {
  const gaps = gapsOf(mix);
  const { operatorForms, layerPatterns, callers } = rarestOf(mix);
  const rarest = ({ kinds, name, times }: Rarest) =>
    `${kinds}, the rarest (${name}) ${times} times`;
  return [
    `${mix.cases} cases, ${percent(allowedShare(mix))} allowed`,
    ...[...mix.decisions].map(([word, times]) => `${word}: ${percent(times / mix.cases)}`),
    `forms of operators: ${rarest(operatorForms)}`,
    `combinations of layers: ${rarest(layerPatterns)}`,
    `types of callers: ${rarest(callers)}`,
    gaps.length === 0 ? "nothing is too rare" : `too rare: ${gaps.join(", ")}`,
  ];
}

/** Returns how many kinds of each there were, and the one that came least often. */
export function rarestOf(mix: Mix): RecordedDifferential["rarest"] {
  const rarest = (counts: ReadonlyMap<string, number>): Rarest => {
    const [name, times] = [...counts].sort(([, a], [, b]) => a - b)[0] ?? ["nothing", 0];
    return { kinds: counts.size, name, times };
  };
  return {
    operatorForms: rarest(mix.operatorForms),
    layerPatterns: rarest(mix.layerPatterns),
    callers: rarest(mix.callers),
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
