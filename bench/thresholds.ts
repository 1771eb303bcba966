import type { RowSpec } from "./rows/row.ts";
import table from "./thresholds.json" with { type: "json" };

/** A row's goals: ratios, or figures in the row's own unit. `atLeast`: more is better. */
export interface Goal {
  readonly must: number | null;
  readonly aim: number | null;
  readonly atLeast?: boolean;
}

export type Verdict = "aim" | "must" | "missed" | "none";

const goals: Readonly<Record<string, Goal>> = table;

/** Returns the goals of a row; both null where it has none. */
export function goalOf(row: RowSpec): Goal {
  return goals[row.name] ?? { must: null, aim: null };
}

/** Returns the names of all rows that have goals. */
export function namesOfGoals(): readonly string[] {
  return Object.keys(goals);
}

/** Returns what a row's median comes to: its aim is reached, its must is, or it is missed. */
export function verdictOf(median: number, { must, aim, atLeast = false }: Goal): Verdict {
  const reaches = (goal: number) => (atLeast ? median >= goal : median <= goal);
  if (must === null && aim === null) return "none";
  if (aim !== null && reaches(aim)) return "aim";
  return must !== null && reaches(must) ? "must" : "missed";
}

/** Beyond this many times the recorded figure a row counts as broken (performance 4.7). */
const grossFactor = 1.5;

/** Returns whether `median` is grossly worse than the one that was recorded. */
export function isGrossRegression(median: number, recorded: number, goal: Goal): boolean {
  return goal.atLeast === true ? median < recorded / grossFactor : median > recorded * grossFactor;
}
