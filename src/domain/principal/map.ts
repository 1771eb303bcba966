import type { Decision } from "../../iam/decision.ts";
import type { ContextKeys, KeyFault } from "../../iam/request-context.ts";
import type { Authentication } from "../credentials/authenticate.ts";
import type { Credential, JwtCredential } from "../credentials/credential.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import type { PrincipalPolicies } from "../directory/policies.ts";
import { type Denied, deny, isDenied } from "../request/denied.ts";
import {
  evaluateWebIdentityTrust,
  type TrustEvaluator,
  type WebIdentityTrust,
} from "../sts/web-identity-trust.ts";
import { fixedKeys, noSessionFacts } from "./keys.ts";
import { mapRole } from "./map-role.ts";
import { mapUser } from "./map-user.ts";
import { mapWorkload } from "./map-workload.ts";
import type { MappedPrincipal } from "./mapped-principal.ts";
import { firstRule } from "./provider-rules.ts";

/** A principal, and what of its mapping is still to be asked on every Check. Frozen. */
export interface PrincipalMapping {
  readonly type: "mapped";
  readonly mapped: MappedPrincipal;
  /**
   * Not null: the role's trust policy can read something beyond claims and role tags, so
   * `checkTrust` has to be asked on every Check, before anything that was decided for this principal
   * is used (STS-9). Null: nothing is left to ask while credential and revision last.
   */
  readonly trust: WebIdentityTrust | null;
}

const noPolicies: PrincipalPolicies = Object.freeze({
  identity: Object.freeze([]),
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  organization: null,
});

const anonymousPrincipal = { type: "anonymous" } as const;

/** Nobody: what a request without a credential is evaluated as, in any revision. */
export const anonymousMapping: PrincipalMapping = Object.freeze({
  type: "mapped",
  mapped: Object.freeze({
    principal: anonymousPrincipal,
    authMethod: "none",
    policies: noPolicies,
    keys: fixedKeys(anonymousPrincipal, null, "none", noSessionFacts),
    multiFactorAuthAtMs: null,
    expiresAtMs: Number.POSITIVE_INFINITY,
  }),
  trust: null,
});

/**
 * Returns who the caller is in the revision that `lookup` and `evaluator` stand for: a user or a role
 * session by the rules of the token's provider, a workload by its SPIFFE identity, or nobody.
 *
 * Denied as `principal-not-mapped` (no rule holds, the user or role does not exist, the role's trust
 * policy does not allow it), `revoked` (the principal or its account is disabled), `token-claims`
 * (refused session tags), `evaluation-error` (the trust cannot be evaluated). Pure; allocates, so the
 * result is kept per credential and revision (performance 2.4).
 */
export function mapPrincipal(
  authentication: Pick<Authentication, "principalCredential">,
  lookup: DirectoryLookup,
  evaluator: TrustEvaluator,
): PrincipalMapping | Denied {
  const { principalCredential } = authentication;
  return principalCredential === null
    ? anonymousMapping
    : mapCredential(principalCredential, lookup, evaluator);
}

/**
 * Returns why the role does not trust the caller in this request, or null. `keys` and `faults` are the
 * request's: condition keys of the request, of the connection and of the time, none of the principal.
 */
export function checkTrust(
  trust: WebIdentityTrust,
  evaluator: TrustEvaluator,
  keys: ContextKeys,
  faults: ReadonlyMap<string, KeyFault> | null,
  nowMs: number,
): Denied | null {
  return judgeTrust(evaluateWebIdentityTrust(trust, evaluator, keys, faults, nowMs));
}

function mapCredential(
  credential: Credential,
  lookup: DirectoryLookup,
  evaluator: TrustEvaluator,
): PrincipalMapping | Denied {
  switch (credential.type) {
    case "mtls":
    case "jwt-svid": {
      const mapped = mapWorkload(credential, lookup);
      return isDenied(mapped) ? mapped : { type: "mapped", mapped, trust: null };
    }
    case "jwt":
      return mapToken(credential, lookup, evaluator);
  }
}

function mapToken(
  credential: JwtCredential,
  lookup: DirectoryLookup,
  evaluator: TrustEvaluator,
): PrincipalMapping | Denied {
  const provider = lookup.providerById(credential.providerId);
  if (provider === null) return deny("token-issuer");
  const rule = firstRule(provider, credential.claims);
  if (rule?.user) {
    const mapped = mapUser(rule.user, credential, provider, lookup);
    return isDenied(mapped) ? mapped : { type: "mapped", mapped, trust: null };
  }
  if (!rule?.role) return deny("principal-not-mapped", "no-rule");
  const session = mapRole(rule.role, credential, provider, lookup, evaluator);
  if ("type" in session) return session;
  const { mapped, trust } = session;
  if (trust.perRequest) return { type: "mapped", mapped, trust };
  const refusal = judgeTrust(evaluateWebIdentityTrust(trust, evaluator));
  return refusal ?? { type: "mapped", mapped, trust: null };
}

function judgeTrust(decision: Decision): Denied | null {
  if (decision.decision === "allowed") return null;
  return decision.reason === "evaluation-error" || decision.reason === "ambiguous-header"
    ? deny(decision.reason, "trust")
    : deny("principal-not-mapped", "trust");
}
