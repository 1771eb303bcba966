import {
  type Administrator,
  administrators,
  locksOut,
} from "../../domain/directory/operations/lockout/lockout.ts";
import { Draft } from "../../domain/directory/state/draft.ts";
import type {
  OrganizationState,
  StateChange,
} from "../../domain/directory/state/organization-state.ts";
import { type CallRefusal, refusal } from "./call-result.ts";

/** One organization's guard against a change after which only root could administer it (TEN-6). */
export class LockoutGuard {
  #known: readonly Administrator[] = [];
  #revision: number | null = null;

  /**
   * Returns some administrators of `state`, to be asked for outside the lock. Cost: while one of those
   * of the last time is left, of them; else of all principals of the management account.
   */
  known(state: OrganizationState, nowMs: number): readonly Administrator[] {
    const { revision } = state;
    if (revision === this.#revision) return this.#known;
    const hasSome = this.#known.length > 0 && !locksOut(this.#known, state, nowMs);
    if (!hasSome) this.#known = administrators(state, nowMs);
    this.#revision = revision;
    return this.#known;
  }
}

/**
 * Returns the refusal of `changes` after which none is left where there were `known` ones, or null. Cost:
 * of the known ones; only when none of those is left, of all principals of the management account.
 */
export function refusedLockout(
  known: readonly Administrator[],
  before: OrganizationState,
  changes: readonly StateChange[],
  nowMs: number,
): CallRefusal | null {
  if (known.length === 0 || changes.every((change) => isHarmless(change, before))) return null;
  const after = new Draft(before);
  after.apply(changes);
  // Somebody else may have become one since those were looked for.
  if (!locksOut(known, after, nowMs) || administrators(after, nowMs, 1).length > 0) return null;
  const [{ arn } = { arn: "" }] = known;
  const message =
    `nobody but root could administer IAM and Organizations afterwards (until now: ${arn}): ` +
    "leave an administrator, or say `force`";
  return refusal("UnmodifiableEntity", message, { resource: arn, field: "force" });
}

/** What is new takes nothing from anybody, but for the policies of an organization. */
function isHarmless(change: StateChange, before: OrganizationState): boolean {
  if (change.type !== "put" || before.get(change.object.id) !== undefined) return false;
  const { kind } = change.object;
  return kind !== "serviceControlPolicy" && kind !== "resourceControlPolicy" && kind !== "poisoned";
}
