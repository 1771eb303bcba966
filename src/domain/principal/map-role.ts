import type { JwtCredential } from "../credentials/credential.ts";
import { policiesOfRole, trustPoliciesOfRole } from "../directory/apply.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import type { OidcProvider, ProviderRule } from "../directory/model.ts";
import { type Denied, deny } from "../request/denied.ts";
import { sessionNameOf } from "../sts/session-name.ts";
import { sessionPrincipal } from "../sts/session-principal.ts";
import { mergeTags, readSessionClaims, type SessionClaims } from "../sts/session-tags.ts";
import { chainTags } from "../sts/tag-chain.ts";
import {
  createWebIdentityTrust,
  type TrustEvaluator,
  type WebIdentityTrust,
} from "../sts/web-identity-trust.ts";
import { fixedKeys } from "./keys.ts";
import type { MappedPrincipal } from "./mapped-principal.ts";
import { textFor } from "./provider-rules.ts";

type RoleRule = NonNullable<ProviderRule["role"]>;

/** A session, and the question whether its role trusts the caller, not asked yet. */
export interface RoleSession {
  readonly mapped: MappedPrincipal;
  readonly trust: WebIdentityTrust;
}

/**
 * Returns the session of the role that a rule names for a token (STS-9), as a call of
 * AssumeRoleWithWebIdentity would make it, before the trust policy had its say.
 *
 * Denied as `principal-not-mapped` if the claim gives no name or no such role exists, `revoked` while
 * role or account are disabled, `token-claims` for session tags or a source identity that are refused
 * (TAG-5), whether claims or the rule's own tags hold them, or for transitive keys of no tag (TAG-2).
 */
export function mapRole(
  rule: RoleRule,
  credential: JwtCredential,
  provider: OidcProvider,
  lookup: DirectoryLookup,
  evaluator: TrustEvaluator,
): RoleSession | Denied {
  const { claims, issuer, subject } = credential;
  const name = textFor(rule.name, claims);
  const role = name === null ? null : lookup.roleByName(rule.account, name);
  if (role === null) return deny("principal-not-mapped", "no-role");
  if (role.state === "disabled") return deny("revoked", "role-disabled");
  if (lookup.accountById(role.account)?.state === "disabled") {
    return deny("revoked", "account-disabled");
  }
  const session = sessionOf(rule, credential);
  if ("type" in session) return session;
  const declared = rule.sessionName === null ? null : textFor(rule.sessionName, claims);
  const sessionName = sessionNameOf(declared, issuer, subject);

  const tags = mergeTags(role.tags, session.tags);
  const principal = sessionPrincipal(role, sessionName, tags, lookup.directory.partition);
  const policies = policiesOfRole(lookup, role);
  const facts = {
    issuedAtMs: credential.issuedAtMs,
    federatedProvider: provider.arn,
    sourceIdentity: session.sourceIdentity,
    // A session's is false whatever the token says (MFA-2); its principal already gives that.
    multiFactorAuthPresent: null,
  };
  const mapped: MappedPrincipal = Object.freeze({
    principal,
    authMethod: "jwt",
    policies,
    keys: fixedKeys(principal, policies.organization, "jwt", facts),
    multiFactorAuthAtMs: null,
    expiresAtMs: credential.expiresAtMs,
  });
  const request = {
    credential,
    provider,
    role,
    policies: trustPoliciesOfRole(lookup, role),
    sessionName,
    session,
  };
  return { mapped, trust: createWebIdentityTrust(request, evaluator) };
}

/** Returns what the session carries: the claims' tags and the rule's beside them, each key once. */
function sessionOf(rule: RoleRule, { claims }: JwtCredential): SessionClaims | Denied {
  const read = readSessionClaims(claims);
  if (!read.ok) return deny("token-claims", read.code);
  const own: [string, string][] = [];
  for (const [key, source] of rule.tags) {
    const value = textFor(source, claims);
    if (value !== null) own.push([key, value]);
    // Absent is no tag; present and not one text is a claim that the rule cannot read.
    else if (source.type === "claim" && claims.has(source.claim)) {
      return deny("token-claims", "session-tags");
    }
  }
  // A key that claims and rule both set is refused unless they set it alike, to the letter.
  const claimed = [...read.value.tags].filter(
    ([key, value]) => !own.some(([other, text]) => other === key && text === value),
  );
  // A session that a token gives begins a chain: nothing is inherited.
  const chain = chainTags(new Map(), [...claimed, ...own], read.value.transitiveTagKeys);
  return chain.ok ? { ...read.value, tags: chain.value.passed } : deny("token-claims", chain.code);
}
