import { formatIsoTime, principalKeys } from "../../iam/derived-keys.ts";
import type { Principal } from "../../iam/principal.ts";
import type { ContextValue, OrganizationFacts } from "../../iam/request-context.ts";
import type { AuthMethod } from "../request/outcome.ts";

/** Facts of a session or token that become keys of its principal; null: the key is absent. */
export interface SessionFacts {
  readonly issuedAtMs: number | null;
  readonly federatedProvider: string | null;
  readonly sourceIdentity: string | null;
  /** Of users alone, where their provider is configured for it (MFA-3). */
  readonly multiFactorAuthPresent: boolean | null;
}

export const noSessionFacts: SessionFacts = Object.freeze({
  issuedAtMs: null,
  federatedProvider: null,
  sourceIdentity: null,
  multiFactorAuthPresent: null,
});

/**
 * Returns the condition keys that the caller fixes, by lower-cased name (iam-semantics 8.2, and
 * `mesh:TokenType`). `aws:MultiFactorAuthAge` moves with the clock and is not among them.
 */
export function fixedKeys(
  principal: Principal,
  organization: OrganizationFacts | null,
  authMethod: AuthMethod,
  facts: SessionFacts,
): ReadonlyMap<string, ContextValue> {
  const keys = principalKeys(principal, organization);
  const set = (key: string, text: string | null): void => {
    if (text !== null) keys.set(key, { multivalued: false, values: [text] });
  };
  set("mesh:tokentype", authMethod);
  set("aws:tokenissuetime", facts.issuedAtMs === null ? null : formatIsoTime(facts.issuedAtMs));
  set("aws:federatedprovider", facts.federatedProvider);
  set("aws:sourceidentity", facts.sourceIdentity);
  if (facts.multiFactorAuthPresent !== null) {
    set("aws:multifactorauthpresent", String(facts.multiFactorAuthPresent));
  }
  return keys;
}
