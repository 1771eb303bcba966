import { type Denied, deny } from "../request/denied.ts";
import { claimText, claimTexts } from "./claims.ts";
import type { Claims } from "./credential.ts";

/** How the audience of a token is found (iam-semantics, STS-6). */
export interface AudienceRule {
  /** `google`: where there is an `azp`, it is the audience. */
  readonly rule: "aud" | "google";
  /** Several `aud` values: the `azp`, and without one each of them, must be ours. */
  readonly strict: boolean;
}

/**
 * Returns `token-audience` unless the token is meant for one of `ours`; null if it is. Values compare
 * exactly. `azp` never stands in for `aud`, but under the rule `google`.
 */
export function judgeAudience(
  claims: Claims,
  { rule, strict }: AudienceRule,
  ours: readonly string[],
): Denied | null {
  const named = claimTexts(claims, "aud");
  const party = claimText(claims, "azp");
  if (named.length === 0) return deny("token-audience", "aud");
  // An `azp` of another type than text is nobody's, so it cannot be ours.
  const isOurParty = party !== null && ours.includes(party);
  if (rule === "google" && claims.has("azp")) {
    return isOurParty ? null : deny("token-audience", "azp");
  }
  if (!named.some((audience) => ours.includes(audience))) return deny("token-audience", "aud");
  if (!strict || named.length === 1) return null;
  if (claims.has("azp")) return isOurParty ? null : deny("token-audience", "azp");
  return named.every((audience) => ours.includes(audience)) ? null : deny("token-audience", "aud");
}
