import type { Poison } from "./model.ts";
import type { AppliedPolicy } from "./policies.ts";

/** A policy that cannot be used, in the place where it would have been applicable. */
export type UnusablePolicy = Extract<AppliedPolicy, { readonly poisoned: string }>;

/**
 * The objects of a directory that could not be encoded, read or compiled (BUN-5), as the policies that
 * stand for them: for one id always the same record, so that whoever keys by identity stays small.
 */
export interface PoisonIndex {
  /** Returns the stand-in of a poisoned object, or null. */
  byId(id: string): UnusablePolicy | null;
  /** Returns the stand-ins of all poisoned objects of a kind, in the words of control-plane 3.11. */
  ofKind(kind: string): readonly UnusablePolicy[];
  /** Returns the stand-in of an object that is referred to and not there: it may hold a Deny. */
  missing(id: string): UnusablePolicy;
}

/** Returns the index of `poison`; linear. */
export function createPoisonIndex(poison: readonly Poison[]): PoisonIndex {
  const byId = new Map<string, UnusablePolicy>();
  const byKind = new Map<string, UnusablePolicy[]>();
  for (const { objectId, kind, reason } of poison) {
    const known = byId.get(objectId);
    const made: UnusablePolicy = known ?? Object.freeze({ id: objectId, poisoned: reason });
    byId.set(objectId, made);
    const ofKind = byKind.get(kind.toLowerCase());
    if (ofKind === undefined) byKind.set(kind.toLowerCase(), [made]);
    else if (!ofKind.includes(made)) ofKind.push(made);
  }
  const missing = new Map<string, UnusablePolicy>();
  return {
    byId: (id) => byId.get(id) ?? null,
    ofKind: (kind) => byKind.get(kind.toLowerCase()) ?? [],
    missing: (id) => {
      const known = byId.get(id) ?? missing.get(id);
      if (known !== undefined) return known;
      const made = Object.freeze({ id, poisoned: "it is referred to and not in the directory" });
      missing.set(id, made);
      return made;
    },
  };
}
