import type { Decision } from "../../iam/decision.ts";
import type { AssumedRolePrincipal, Principal } from "../../iam/principal.ts";
import type { ContextValue, RequestContext } from "../../iam/request-context.ts";
import type { PrincipalPolicies, ResourcePolicies } from "../directory/policies.ts";

/** What a session hands on to the sessions that are made with its credentials (TAG-2, TAG-6). */
export interface SessionChain {
  readonly transitiveTags: ReadonlyMap<string, string>;
  readonly sourceIdentity: string | null;
  /** ARN of the provider whose token began the chain. */
  readonly federatedProvider: string | null;
}

/** The chain of a caller whose credentials are nobody's session. */
export const noChain: SessionChain = Object.freeze({
  transitiveTags: new Map<string, string>(),
  sourceIdentity: null,
  federatedProvider: null,
});

/** Who calls STS: the principal, what applies to it, and what its credentials say. */
export interface StsCaller {
  readonly principal: Principal;
  /** Session policies included. */
  readonly policies: PrincipalPolicies;
  /** Condition keys that the credentials fix beyond those of the principal, by lower-cased name. */
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly chain: SessionChain;
}

/**
 * A session of a role as a value: no times and no token, which are whoever mints one's to add
 * (`aws:TokenIssueTime` among the keys). It is a caller itself: chaining hands it to STS again. Frozen.
 */
export interface RoleSession extends StsCaller {
  readonly principal: AssumedRolePrincipal;
  readonly durationSeconds: number;
}

/** Returns the engine's decision on a question, with the policies of both sides. */
export type PolicyEvaluator = (
  context: RequestContext,
  caller: PrincipalPolicies,
  target: ResourcePolicies,
) => Decision;
