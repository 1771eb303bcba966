import { type Denied, deny } from "../request/denied.ts";
import { claimText } from "./claims.ts";
import type { Claims } from "./credential.ts";

const maxSubjectChars = 255;

/**
 * Returns why a `sub` is no subject of an OIDC provider: `token-claims` for an absent or empty one, one
 * longer than 255 characters (OpenID Connect Core 1.0, 2) and control characters; `token-kind` for a
 * SPIFFE id, since a JWT-SVID has rules that a provider does not apply (JWT-285). What else it holds is
 * plain text: compared as a condition value, never read as a wildcard or a variable.
 */
export function judgeSubject(claims: Claims): Denied | null {
  const subject = claimText(claims, "sub");
  if (subject === null || subject === "" || subject.length > maxSubjectChars) {
    return deny("token-claims", "sub");
  }
  if (hasControl(subject)) return deny("token-claims", "sub");
  return isSpiffeSubject(subject) ? deny("token-kind", "jwt-svid") : null;
}

/** True for a subject that means to be a SPIFFE id, well-formed or not. */
export function isSpiffeSubject(subject: string | null): boolean {
  return subject !== null && subject.slice(0, 9).toLowerCase() === "spiffe://";
}

/** C0, DEL and C1. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < 0x20 || (char >= 0x7f && char <= 0x9f)) return true;
  }
  return false;
}
