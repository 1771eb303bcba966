import type { CheckAttributes, HeaderSpan } from "../request/attributes.ts";
import { type Denied, deny, isDenied } from "../request/denied.ts";
import type { AuthMethod } from "../request/outcome.ts";
import type { PrincipalSource, ServiceDefinition } from "../request/service-definition.ts";
import { judgeAudience } from "./audience.ts";
import { bearerSpan, readBearer } from "./bearer.ts";
import type {
  Credential,
  DroppedToken,
  JwtCredential,
  JwtSvidCredential,
  MtlsCredential,
} from "./credential.ts";
import type { Issuers, TokenIssuer } from "./issuers.ts";
import { verifyToken } from "./jwt.ts";
import type { Peer } from "./peer.ts";
import { judgeTimes } from "./token-times.ts";

/** A verified token's credential. */
export type TokenCredential = JwtCredential | JwtSvidCredential;

/** Everything a request proved about its caller: one credential is the principal, all are facts. */
export interface Authentication {
  /** The first one present of the service's `principalFrom`; null: the caller is anonymous. */
  readonly principalCredential: Credential | null;
  /** Fills `mesh:JwtClaim/*`, whichever credential gave the principal (KEY-12). */
  readonly token: TokenCredential | null;
  /** Fills `mesh:Source*`, likewise. */
  readonly mtls: MtlsCredential | null;
  readonly dropped: readonly DroppedToken[];
  readonly authMethod: AuthMethod;
}

/**
 * Returns the credential of a token text, from a cache or by verifying it, or why it is refused. What
 * it returns may be as old as the cache likes: times and issuer are looked at again behind it.
 */
export type TokenVerifier = (token: string, nowMs: number) => TokenCredential | Denied;

/**
 * Returns the credential of the token in an `authorization` header that has these very bytes, or why it
 * is refused; null: not known by its bytes, to be read and verified. As old as a `TokenVerifier`'s.
 */
export type KnownToken = (header: HeaderSpan, nowMs: number) => TokenCredential | Denied | null;

/** The part of a service definition that says which credentials it takes. */
export type CredentialRules = Pick<
  ServiceDefinition,
  "principalFrom" | "requireCredential" | "audiences"
>;

const noneDropped: readonly DroppedToken[] = Object.freeze([]);

/**
 * Returns nobody: what `authType: NONE` and a preflight are judged as (FILE-23). No credential is looked
 * at; who is on the other end of the connection stays a fact, for the Deny statements that bind all the
 * same (EXC-10, KEY-12). Denied as `evaluation-error` where that cannot be told (BUN-5).
 */
export function authenticateNobody(
  attributes: CheckAttributes,
  issuers: Issuers,
): Authentication | Denied {
  const peer = issuers.peerOf(attributes.sourcePrincipal);
  return peer.type === "unknowable" ? unknowablePeer : authenticationBy(null, null, peer);
}

/** Returns the verifier that remembers nothing. */
export function createTokenVerifier(issuers: Issuers): TokenVerifier {
  return (token, nowMs) => {
    const verified = verifyToken(token, issuers, nowMs);
    return isDenied(verified) ? verified : verified.credential;
  };
}

/**
 * Returns what the request proves of its caller, or the denial of a credential that is bad, not of a
 * kind the service names, or missing (envoy-ext-authz 9).
 *
 * A service that names a bearer kind judges every `authorization` header; one that names none leaves
 * it to its application. A bad credential is a denial: it never makes place for the next kind and
 * never becomes anonymous. Only an identity of the connection that is not of our mesh counts as
 * absent, and is listed in `dropped`; one whose trust domain may be poisoned is an `evaluation-error`
 * (BUN-5). Of `requireCredential` the first that is missing is denied as
 * `client-certificate-required` (mtls) or `unauthenticated`.
 *
 * `known` is asked before the header is read. Runs in every Check: synchronous; allocates the result, and
 * the text of a token that is not known by its bytes.
 */
export function authenticate(
  attributes: CheckAttributes,
  service: CredentialRules,
  issuers: Issuers,
  nowMs: number,
  verify: TokenVerifier,
  known: KnownToken = unknownToken,
): Authentication | Denied {
  const presented = takesBearer(service) ? presentedToken(attributes, nowMs, verify, known) : null;
  const credential = presented && judgeToken(presented, service, issuers, nowMs);
  if (credential !== null && isDenied(credential)) return credential;

  const peer = issuers.peerOf(attributes.sourcePrincipal);
  if (peer.type === "unknowable") return unknowablePeer;
  const mtls = peer.type === "mtls" ? peer : null;
  for (const kind of service.requireCredential) {
    if (pick(kind, credential, mtls) !== null) continue;
    return deny(kind === "mtls" ? "client-certificate-required" : "unauthenticated", kind);
  }
  let principal: Credential | null = null;
  for (const kind of service.principalFrom) {
    principal = pick(kind, credential, mtls);
    if (principal !== null) break;
  }
  return authenticationBy(principal, credential, peer);
}

// Anonymous would be somebody else, whom no Deny of the identity's own binds.
const unknowablePeer = Object.freeze(deny("evaluation-error", "trust-domain-poisoned"));

function authenticationBy(
  principal: Credential | null,
  token: TokenCredential | null,
  peer: Exclude<Peer, { readonly type: "unknowable" }>,
): Authentication {
  return {
    principalCredential: principal,
    token,
    mtls: peer.type === "mtls" ? peer : null,
    dropped: peer.type === "dropped" ? [peer.dropped] : noneDropped,
    authMethod: principal === null ? "none" : principal.type,
  };
}

/** Returns the issuer of a verified token, undefined if this revision knows it no longer. */
export function issuerOfCredential(
  credential: TokenCredential,
  issuers: Issuers,
): TokenIssuer | undefined {
  return credential.type === "jwt"
    ? issuers.byId.get(credential.providerId)
    : issuers.byTrustDomain.get(credential.trustDomain);
}

function unknownToken(): null {
  return null;
}

function presentedToken(
  attributes: CheckAttributes,
  nowMs: number,
  verify: TokenVerifier,
  known: KnownToken,
): TokenCredential | Denied | null {
  const span = known === unknownToken ? null : bearerSpan(attributes);
  const remembered = span && known(span, nowMs);
  if (remembered !== null) return remembered;
  const token = readBearer(attributes);
  return typeof token === "string" ? verify(token, nowMs) : token;
}

function judgeToken(
  credential: TokenCredential | Denied,
  service: CredentialRules,
  issuers: Issuers,
  nowMs: number,
): TokenCredential | Denied {
  if (isDenied(credential)) return credential;
  const issuer = issuerOfCredential(credential, issuers);
  if (issuer === undefined) return deny("token-issuer");
  const untimely = judgeTimes(credential, nowMs);
  if (untimely !== null) return untimely;
  if (!names(service, credential.type)) return deny("token-kind", "not-served");
  if (service.audiences === null) return credential;
  const rule = { rule: issuer.audienceRule, strict: issuer.kind.strictAudience };
  return judgeAudience(credential.claims, rule, service.audiences) ?? credential;
}

function takesBearer(service: CredentialRules): boolean {
  return names(service, "jwt") || names(service, "session") || names(service, "jwt-svid");
}

function names(service: CredentialRules, kind: PrincipalSource): boolean {
  return service.principalFrom.includes(kind) || service.requireCredential.includes(kind);
}

function pick(
  kind: PrincipalSource,
  token: TokenCredential | null,
  mtls: MtlsCredential | null,
): Credential | null {
  if (kind === "mtls") return mtls;
  return token?.type === kind ? token : null;
}
