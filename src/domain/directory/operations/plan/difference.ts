import { parsePolicyDocument } from "../../../../iam/policy/parse.ts";
import type { PolicySource } from "../../shape/policy.ts";
import type { Entity, StateObject } from "../../state/entity.ts";
import type { OrganizationState } from "../../state/organization-state.ts";
import { noPlace } from "../prepare.ts";
import type { Desired } from "./desired.ts";

/**
 * When a difference is made up for. What can deny comes as early, and what can allow as late, as the
 * references let it, so that a run of several commits never passes a state that allows more than both
 * its beginning and its end (API-4).
 */
export const phases = [
  "place", // the organization, its units and accounts
  "guard", // SCPs and RCPs: made, changed, attached
  "create", // everything else, bare
  "restrict", // denials in, allowances out
  "change", // allowances in
  "connect", // what lets callers in: permission sets, providers, services
  "release", // denials out
] as const;

export type Phase = (typeof phases)[number];

/** One operation that a difference takes, with an input as its `run` takes it. */
export interface Difference {
  readonly phase: Phase;
  /** `iam:AttachRolePolicy` */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What a reader is told: the member, and its value before and after; null: it is not there. */
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What documents want that no operation can bring about. */
export interface Impossible {
  readonly impossible: string;
  readonly field: string;
}

/** How the wanted objects of a kind are compared with the state. */
export interface Comparison<D extends Desired> {
  /** Returns the object that is meant, under whichever spelling. */
  readonly find: (desired: D, state: OrganizationState) => StateObject | undefined;
  /** Returns the differences; of an object that is not there first of all its creation. */
  readonly differences: (
    desired: D,
    current: Entity | null,
    state: OrganizationState,
    canDeny: CanDeny,
  ) => readonly (Difference | Impossible)[];
}

/** Returns a policy as inputs have it. */
export function source(text: string): PolicySource {
  return { text, place: noPlace };
}

/** Says whether a policy of a principal can deny, or cannot be read: then its coming restricts. */
export type CanDeny = (text: string) => boolean;

/** Returns that function with a memory: a plan looks at the same policies again and again. */
export function createCanDeny(): CanDeny {
  const known = new Map<string, boolean>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const loaded = parsePolicyDocument(text, "identity");
    const made = !loaded.ok || loaded.value.statements.some(({ effect }) => effect === "Deny");
    known.set(text, made);
    return made;
  };
}

/** Returns the difference of a member, or nothing where it is as wanted. */
export function changed(
  before: unknown,
  after: unknown,
  difference: Omit<Difference, "before" | "after">,
): readonly Difference[] {
  return before === after ? [] : [{ ...difference, before, after }];
}

/** Returns tagging and untagging operations that make `before` into `after`. */
export function tagDifferences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  names: { readonly tag: string; readonly untag: string },
  subject: Readonly<Record<string, unknown>>,
  phase: Phase,
): readonly Difference[] {
  const added = [...after].filter(([key, value]) => before.get(key) !== value);
  const keys = new Set([...after.keys()].map((key) => key.toLowerCase()));
  const gone = [...before.keys()].filter((key) => !keys.has(key.toLowerCase()));
  const field = "spec.tags";
  const differences: Difference[] = [];
  if (gone.length > 0) {
    const input = { ...subject, tagKeys: gone, expectedRevision: null };
    const removed = { before: Object.fromEntries(before), after: null };
    differences.push({ phase, operation: names.untag, input, field, ...removed });
  }
  if (added.length > 0) {
    const input = { ...subject, tags: new Map(added), expectedRevision: null };
    const shown = { before: Object.fromEntries(before), after: Object.fromEntries(after) };
    differences.push({ phase, operation: names.tag, input, field, ...shown });
  }
  return differences;
}
