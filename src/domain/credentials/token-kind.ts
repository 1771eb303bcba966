import type { Denied } from "../request/denied.ts";
import type { Claims } from "./credential.ts";

/** The kinds of token, in the words of the documents; a TrustDomain's tokens are `jwt-svid`. */
export type TokenKindName = "kubernetes" | "oidc-id" | "rfc9068" | "generic" | "jwt-svid";

/**
 * What one kind of token asks for beyond the common rules (security-and-reliability 3.1, "Token
 * kinds"). Rules of a kind hold for that kind alone, and a token of one kind is never read as another.
 */
export interface TokenKind {
  readonly name: TokenKindName;
  /**
   * True if a token with this `typ` is of the kind. `typ` is null if absent, else in lower case and
   * without `application/`; `extraTyp` is the one the provider adds (generic only), spelled likewise.
   */
  acceptsTyp(typ: string | null, extraTyp: string | null): boolean;
  /** Claims that must be there beside `exp`, `sub` and `aud`, which every kind has. */
  readonly required: readonly string[];
  /** With several `aud` values the `azp`, else each of them, must be ours (iam-semantics, STS-6). */
  readonly strictAudience: boolean;
  /** Returns why claims that passed the common rules are refused, or null. */
  judge(claims: Claims): Denied | null;
}

/** Returns `typ` as kinds compare it: a media type, so case does not count (RFC 7515, 4.1.9). */
export function normalTyp(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith("application/") ? lower.slice("application/".length) : lower;
}
