/** What a row's figure is in. A ratio is ours ÷ the other side unless the title says otherwise. */
export type Unit = "ratio" | "ms" | "bytes";

/** One line of the table. Its goals are in thresholds.json, under its name. */
export interface RowSpec {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
}

/** What was measured for a row: one figure a round. */
export interface Measured {
  readonly rounds: readonly number[];
  /** What the figures were made of, for people: `µs of ours`, `share of cache hits`. */
  readonly details: Readonly<Record<string, number>>;
}

/** A row that could not be measured here, and why. */
export interface Skipped {
  readonly skipped: string;
}

/** A row whose measurement broke, and how: a wrong answer, a process that ended. */
export interface Failed {
  readonly failed: string;
}

export type RowResult = Measured | Skipped | Failed;

/** What every measurement needs to know of the run. */
export interface Run {
  /** Fewer and shorter rounds: to see that all works, not to quote. */
  readonly quick: boolean;
  /** A folder for CPU profiles of the measured servers, or null. */
  readonly profileFolder: string | null;
  readonly progress: (line: string) => void;
}

/** Rows that are measured together, since they share their processes or their baseline. */
export interface Group {
  readonly name: string;
  readonly rows: readonly RowSpec[];
  /** Measures the rows named in `wanted`, at least one of them. Throws where an answer is wrong. */
  measure(run: Run, wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, RowResult>>;
}
