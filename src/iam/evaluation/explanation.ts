import type { Decision } from "../decision.ts";
import type { Effect } from "../policy/document.ts";
import type { PolicyType } from "../policy/policy-type.ts";

/**
 * Why a question was answered as it was (SIM-1, SIM-2): everything that was looked at, matching or
 * not. Made on request only. It holds request values, so it belongs to whoever may see the request.
 */
export interface Explanation {
  readonly decision: Decision;
  /** The layers that count for the question, in the order in which denials are looked for. */
  readonly layers: readonly LayerExplanation[];
  /** Policy types that were given and do not count for this caller or resource (6.1). */
  readonly notApplied: readonly PolicyType[];
  /** What stands in the way: all of it, so that one may be mended without finding the next. */
  readonly blockedBy: readonly Block[];
  /** Of an implicit deny the Allow of the denying layer that came closest; null where it has none. */
  readonly closestMiss: StatementExplanation | null;
  /** Absent keys that candidate statements can read, lower-cased, sorted (DEC-8). */
  readonly missingContextKeys: readonly string[];
}

export interface Block {
  readonly policyType: PolicyType;
  /** Index of an SCP or RCP level, root 0. */
  readonly level: number | null;
  readonly by: "explicitDeny" | "implicitDeny";
}

export interface LayerExplanation {
  readonly policyType: PolicyType;
  readonly level: number | null;
  readonly policyIds: readonly string[];
  /** Ids of policies that cannot be used: the question ends in ERROR. */
  readonly unusablePolicyIds: readonly string[];
  readonly statements: readonly StatementExplanation[];
}

/** The words of the match levels (iam-semantics 4.1). */
export type LevelWord = "none" | "account" | "role" | "userOfFederated" | "direct";

export interface StatementExplanation {
  readonly policyId: string;
  readonly sid: string;
  readonly index: number;
  readonly effect: Effect;
  readonly applies: boolean;
  readonly actionMatches: boolean;
  readonly resourceMatches: boolean;
  /** How strongly it names the caller; `direct` in documents that name nobody. */
  readonly principal: LevelWord;
  readonly conditions: readonly ConditionExplanation[];
}

export interface ConditionExplanation {
  readonly operator: string;
  readonly key: string;
  /** The policy's values with variables replaced; null for one whose variable has no value. */
  readonly wanted: readonly (string | null)[];
  /** The request's values; null: the key is absent. */
  readonly found: readonly string[] | null;
  readonly holds: boolean;
  /** It holds although, or just because, the key is absent (CON-6, CON-7). */
  readonly matchedBecauseMissing: boolean;
}
