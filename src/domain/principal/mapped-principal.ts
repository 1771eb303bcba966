import type { Principal } from "../../iam/principal.ts";
import type { ContextValue } from "../../iam/request-context.ts";
import type { PrincipalPolicies } from "../directory/policies.ts";
import type { AuthMethod } from "../request/outcome.ts";

/**
 * A verified credential seen through one revision: who the caller is, which policies apply, and the
 * condition keys that are fixed by the caller. Frozen, shared by all requests of that credential
 * until the revision changes; the decision cache hangs off its identity.
 */
export interface MappedPrincipal {
  readonly principal: Principal;
  readonly authMethod: AuthMethod;
  readonly policies: PrincipalPolicies;
  /** Keys by lower-cased name: `aws:principalarn`, `aws:principaltag/…`, `mesh:tokentype`, … */
  readonly keys: ReadonlyMap<string, ContextValue>;
  /** For `aws:MultiFactorAuthAge`, which moves with the clock; null: MFA was not used. */
  readonly multiFactorAuthAtMs: number | null;
  /** The credential's end, skew included; Infinity for mTLS and anonymous callers. */
  readonly expiresAtMs: number;
}
