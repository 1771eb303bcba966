import type { Directory } from "../model.ts";
import type { OrganizationState } from "../state/organization-state.ts";

/** One operation on the way from a state to what documents say. */
export interface PlanStep {
  /** What it is about, as documents name it: `User 111122223333/bob`. */
  readonly object: string;
  readonly change: "create" | "update" | "remove";
  /** By its name in the registry: `iam:CreateUser`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Why the documents cannot be reached by operations: nothing of the run is done. */
export interface PlanObstacle {
  readonly object: string;
  readonly obstacle: string;
}

/**
 * Steps one after the other. Whoever runs them applies each to the state before asking for the next, so a
 * step may rest on what the one before it has made.
 */
export type Steps = Generator<PlanStep | PlanObstacle, void, void>;

/** What a plan is made from. */
export interface PlanContext {
  /** What documents say; its unique ids are derived, and mean nothing in the state. */
  readonly desired: Directory;
  /** The state as the steps so far have left it. */
  readonly state: OrganizationState;
  /** The field manager of the run (FILE-6). */
  readonly manager: string;
}

/** Returns the obstacle that an object of another manager is, or null. */
export function foreign(
  object: string,
  found: { readonly manager: string },
  manager: string,
): PlanObstacle | null {
  if (found.manager === manager) return null;
  return { object, obstacle: `it is managed by \`${found.manager}\`, not by \`${manager}\`` };
}

/** Returns what is in `wanted` and not in `has`. */
export function missing(wanted: Iterable<string>, has: Iterable<string>): readonly string[] {
  const known = new Set(has);
  return [...new Set(wanted)].filter((one) => !known.has(one));
}

/** Yields what brings tags from `has` to `wanted`. */
export function* tagSteps(
  step: Pick<PlanStep, "object" | "change">,
  operations: { readonly tag: string; readonly untag: string },
  subject: Readonly<Record<string, unknown>>,
  has: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): Steps {
  const gone = missing(has.keys(), wanted.keys());
  if (gone.length > 0) {
    yield { ...step, operation: operations.untag, input: { ...subject, tagKeys: gone } };
  }
  const changed = [...wanted].filter(([key, value]) => has.get(key) !== value);
  if (changed.length === 0) return;
  const tags = Object.fromEntries(changed);
  yield { ...step, operation: operations.tag, input: { ...subject, tags } };
}
