import { compare, type Difference, nameOf } from "../property/agreement.ts";
import { allowedShare, createMix, gapsOf, type Mix, measure } from "../property/mix.ts";

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
): DifferentialRun {
  const mix = createMix();
  for (let index = first; index < first + cases; index++) {
    const { scenario, decision, difference } = compare(seed, index);
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
  const rarest = (counts: ReadonlyMap<string, number>): string => {
    const [name = "nothing", times = 0] = [...counts].sort(([, a], [, b]) => a - b)[0] ?? [];
    return `${counts.size}, the rarest (${name}) ${times} times`;
  };
  const gaps = gapsOf(mix);
  return [
    `${mix.cases} cases, ${percent(allowedShare(mix))} allowed`,
    ...[...mix.decisions].map(([word, times]) => `${word}: ${percent(times / mix.cases)}`),
    `forms of operators: ${rarest(mix.operatorForms)}`,
    `combinations of layers: ${rarest(mix.layerPatterns)}`,
    `types of callers: ${rarest(mix.callers)}`,
    gaps.length === 0 ? "nothing is too rare" : `too rare: ${gaps.join(", ")}`,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
