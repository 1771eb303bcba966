import type { AuthMethod } from "../request/outcome.ts";
import type { SpiffeId } from "../request/spiffe-id.ts";

/** A claim's value, its JSON type kept: numbers by source text, objects dropped (iam-semantics 8.3). */
export type ClaimValue =
  | { readonly type: "string" | "number" | "boolean"; readonly text: string }
  | { readonly type: "list"; readonly items: readonly string[] }
  | { readonly type: "object"; readonly json: string };

/** Top-level claims of a verified token, by their exact name. */
export type Claims = ReadonlyMap<string, ClaimValue>;

/** The kinds of credential, in the words of `mesh:TokenType` and of the metric label `auth_method`. */
export type CredentialType = Exclude<AuthMethod, "none" | "sigv4">;

/**
 * What was presented **and verified**. Frozen; lives in the token cache, so it owns its texts.
 * Nothing derived from policy is in it.
 */
export type Credential = JwtCredential | JwtSvidCredential | MtlsCredential;

interface TokenCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Claims;
  readonly keyId: string;
  readonly issuedAtMs: number | null;
  /** The first instant at which the token is no longer accepted: `exp`, skew included. */
  readonly expiresAtMs: number;
  /** The first instant at which it is accepted, skew included. */
  readonly notBeforeMs: number;
}

export interface JwtCredential extends TokenCredential {
  readonly type: "jwt";
  /** Unique id of the OidcProvider whose key verified it. */
  readonly providerId: string;
}

export interface JwtSvidCredential extends TokenCredential {
  readonly type: "jwt-svid";
  readonly trustDomain: string;
  readonly spiffeId: SpiffeId;
}

export interface MtlsCredential {
  readonly type: "mtls";
  readonly spiffeId: SpiffeId;
}

/** A credential that was presented and is not used, for the decision log; never its text. */
export interface DroppedToken {
  readonly type: CredentialType;
  readonly cause: string;
}
