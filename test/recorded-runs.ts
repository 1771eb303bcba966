import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The long runs that no test has time for, as the scripts recorded them with `--record`. */
export interface RecordedRuns {
  readonly mutation: MutationRun | null;
  readonly differential: RecordedDifferential | null;
  /** By the target's name. */
  readonly fuzz: Readonly<Record<string, RecordedFuzz>>;
}

export interface MutationRun {
  /** Every Nth mutant of each file was judged. */
  readonly sample: number;
  readonly node: string;
  readonly files: readonly MutatedFile[];
}

export interface MutatedFile {
  readonly path: string;
  /** SHA-256 of the file that was mutated. */
  readonly digest: string;
  readonly mutants: number;
  readonly survivors: readonly string[];
}

export interface RecordedDifferential {
  readonly cases: number;
  readonly seed: number;
  readonly first: number;
  readonly seconds: number;
  readonly node: string;
  /** What was found: nothing, or the name of the case. */
  readonly found: string | null;
  readonly decisions: Readonly<Record<string, number>>;
  readonly rarest: Readonly<Record<RarestOf, Rarest>>;
}

export type RarestOf = "operatorForms" | "layerPatterns" | "callers";

export interface Rarest {
  readonly kinds: number;
  readonly name: string;
  readonly times: number;
}

export interface RecordedFuzz {
  readonly seconds: number;
  readonly seed: number;
  readonly inputs: number;
  readonly kept: number;
  readonly found: boolean;
}

const path = join(import.meta.dirname, "recorded-runs.json");
const nothing: RecordedRuns = { mutation: null, differential: null, fuzz: {} };

/** Returns what was recorded last. */
export function readRecordedRuns(): RecordedRuns {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : nothing;
}

/** Writes `runs` in place of the recorded ones of the same kind; `npm run generate` shows them. */
export function recordRuns(runs: Partial<RecordedRuns>): void {
  writeFileSync(path, `${JSON.stringify({ ...readRecordedRuns(), ...runs }, null, 2)}\n`);
}
