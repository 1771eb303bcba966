import type { UserPrincipal } from "../../iam/principal.ts";
import { claimTexts } from "../credentials/claims.ts";
import type { Claims, JwtCredential } from "../credentials/credential.ts";
import { policiesOfUser } from "../directory/apply.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import type { OidcProvider, ProviderRule } from "../directory/model.ts";
import { type Denied, deny } from "../request/denied.ts";
import { fixedKeys } from "./keys.ts";
import type { MappedPrincipal } from "./mapped-principal.ts";
import { textFor } from "./provider-rules.ts";

/**
 * Returns the IAM user that a rule names for a token. Denied as `principal-not-mapped` if the claim
 * gives no name or no such user exists, compared exactly, and `revoked` while user or account are
 * disabled (POL-099).
 *
 * Such a user counts as holding temporary credentials. MFA is known only where the provider is
 * configured for it: `amr` then says whether, `auth_time` when (MFA-3).
 */
export function mapUser(
  rule: NonNullable<ProviderRule["user"]>,
  credential: JwtCredential,
  provider: OidcProvider,
  lookup: DirectoryLookup,
): MappedPrincipal | Denied {
  const name = textFor(rule.name, credential.claims);
  const user = name === null ? null : lookup.userByName(rule.account, name);
  if (user === null) return deny("principal-not-mapped", "no-user");
  if (user.state === "disabled") return deny("revoked", "user-disabled");
  if (lookup.accountById(user.account)?.state === "disabled") {
    return deny("revoked", "account-disabled");
  }
  const principal: UserPrincipal = {
    type: "user",
    account: user.account,
    arn: user.arn,
    name: user.name,
    id: user.id,
    tags: user.tags,
  };
  const policies = policiesOfUser(lookup, user);
  const isMfa = claimTexts(credential.claims, "amr").includes("mfa");
  const facts = {
    issuedAtMs: credential.issuedAtMs,
    federatedProvider: null,
    sourceIdentity: null,
    multiFactorAuthPresent: provider.mfaFromAmr ? isMfa : null,
  };
  return Object.freeze({
    principal,
    authMethod: "jwt",
    policies,
    keys: fixedKeys(principal, policies.organization, "jwt", facts),
    multiFactorAuthAtMs: provider.mfaFromAmr && isMfa ? authTimeMs(credential.claims) : null,
    expiresAtMs: credential.expiresAtMs,
  });
}

/** Returns `auth_time` in milliseconds, null unless it is a time (OpenID Connect Core 1.0, 2). */
function authTimeMs(claims: Claims): number | null {
  const claim = claims.get("auth_time");
  if (claim?.type !== "number") return null;
  const seconds = Number(claim.text);
  return seconds >= 0 && seconds <= 2 ** 53 ? Math.floor(seconds) * 1000 : null;
}
