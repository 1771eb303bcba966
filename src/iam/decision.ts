import type { PolicyType } from "./policy/policy-type.ts";
import type { Reason } from "./reason.ts";

/** The engine's answer in AWS's words. */
export type DecisionWord = "allowed" | "explicitDeny" | "implicitDeny";

/** A statement that decided: `policyId` is the id the policy was given to the engine under. */
export interface MatchedStatement {
  readonly policyType: PolicyType;
  readonly policyId: string;
  readonly sid: string;
  readonly index: number;
  readonly effect: "Allow" | "Deny";
}

/** Why an evaluation could not be completed. */
export type EvaluationError =
  | "policy-unusable"
  | "key-unavailable"
  | "step-bound"
  | "snapshot-unusable";

/**
 * The answer to one question; pure, frozen and cacheable: no request id, no revision.
 *
 * An evaluation that cannot be completed is an `implicitDeny` with `deniedBy` null and non-empty
 * `errors`. Only the evaluators and `denied(reason)` make one, and there is no value for
 * "no decision": whoever holds none must deny.
 */
export interface Decision {
  readonly decision: DecisionWord;
  readonly reason: Reason;
  readonly deniedBy: PolicyType | null;
  /** Index of the SCP or RCP level that decided, root 0; null elsewhere. */
  readonly deniedLevel: number | null;
  /** Of a denial every matching Deny of the deciding layer, of an allow one Allow a layer (DEC-8). */
  readonly matchedStatements: readonly MatchedStatement[];
  readonly errors: readonly EvaluationError[];
  /** The earliest instant at which a time condition could change the answer; Infinity: never. */
  readonly validUntilMs: number;
}

const none: readonly never[] = Object.freeze([]);

/**
 * Returns the denial for a reason that no policy decided: an `implicitDeny` with `deniedBy` null.
 * `errors` is given for the reasons of outcome `error` that an evaluator found.
 */
export function denied(reason: Reason, errors: readonly EvaluationError[] = none): Decision {
  return Object.freeze({
    decision: "implicitDeny",
    reason,
    deniedBy: null,
    deniedLevel: null,
    matchedStatements: none,
    errors,
    validUntilMs: Number.POSITIVE_INFINITY,
  });
}
