import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Mutants that live for one reason, by name. */
export interface Excuse {
  readonly why: string;
  readonly mutants: readonly string[];
}

/** Returns the mutants that may survive, each with its reason. */
export function readExcuses(): readonly Excuse[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, "survivors.json"), "utf8"));
}
