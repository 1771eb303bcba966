import { type Denied, deny, isDenied } from "../request/denied.ts";
import { parseSpiffeId } from "../request/spiffe-id.ts";
import { isTokenAlgorithm, type TokenAlgorithm, verifySignature } from "./algorithm.ts";
import { judgeAudience } from "./audience.ts";
import { claimsOf, claimText } from "./claims.ts";
import { type CompactToken, openCompact, readObject } from "./compact.ts";
import type { Claims, JwtCredential, JwtSvidCredential } from "./credential.ts";
import type { Issuers, TokenIssuer } from "./issuers.ts";
import { type JsonObject, stringOf } from "./json-object.ts";
import { isSpiffeSubject } from "./subject.ts";
import { normalTyp } from "./token-kind.ts";
import { judgeTimes, readTimes, type TokenTimes } from "./token-times.ts";
import { chooseKey, type VerificationKey } from "./verification-key.ts";

/** The type of our own session tokens, whose keys and rules are STS's. */
const sessionTyp = "mi-session+jwt";

/**
 * A token that passed every rule, and what a later look at it needs: with the key and the header's two
 * words its claims can be judged anew without another signature check.
 */
export interface VerifiedToken {
  readonly type: "verified";
  readonly credential: JwtCredential | JwtSvidCredential;
  readonly issuerId: string;
  readonly key: VerificationKey;
  readonly algorithm: TokenAlgorithm;
  /** Normalised; null if the header had none. */
  readonly typ: string | null;
}

/**
 * Returns the verified token that `text` is at `nowMs`, or the denial of the first step that failed;
 * nothing after it runs (security-and-reliability 3.1):
 *
 * 1. length, shape, canonical spelling, header and payload as strict JSON: `token-too-large`,
 *    `token-malformed`, `token-kind` (encrypted, nested);
 * 2. whose it is: our session by its `typ` (`token-kind` until STS serves it), a provider's by its
 *    `iss`, a trust domain's by its `sub`, else `token-issuer`;
 * 3. `typ` of the issuer's kind: `token-kind`; algorithm among those pinned: `token-algorithm`;
 * 4. key by `kid` within the issuer's set: `token-key`, or `token-issuer` where another issuer has it;
 * 5. signature: `token-signature`;
 * 6. claims: `token-claims`, `token-time`, `token-expired`, `token-audience`, `token-kind`.
 *
 * Synchronous, never throws, linear in the text; about 100 µs, nearly all of it the signature. No
 * detail of a denial repeats the token. A key set that lacks the key is told so through `issuers.keys`.
 */
export function verifyToken(text: string, issuers: Issuers, nowMs: number): VerifiedToken | Denied {
  const token = openCompact(text, issuers.maxTokenChars);
  if (isDenied(token)) return token;
  const payload = readObject(token.payload);
  if (isDenied(payload)) return payload;
  for (const member of token.header.embeddedKeys) issuers.listener.embeddedKey(member);

  const typ = token.header.typ === null ? null : normalTyp(token.header.typ);
  const issuer = typ === sessionTyp ? deny("token-kind", "session") : issuerOf(payload, issuers);
  if (isDenied(issuer)) return issuer;
  if (!issuer.kind.acceptsTyp(typ, issuer.extraTyp)) return deny("token-kind", "typ");

  const algorithm = algorithmOf(token, issuer);
  if (typeof algorithm !== "string") return algorithm;
  const key = keyOf(token, issuer, algorithm, issuers);
  if (isDenied(key)) return key;
  const signed = Buffer.from(token.signedText, "latin1");
  if (!verifySignature(algorithm, key.key, signed, token.signature)) return deny("token-signature");

  const claims = readClaims(payload);
  if (isDenied(claims)) return claims;
  return judgeToken({ claims, issuer, key, algorithm, typ, keyId: keyIdOf(token, key) }, nowMs);
}

/**
 * Returns `token` as these issuers and this time see it, or why it is refused now: its issuer, kind,
 * `typ`, algorithm, audience and times are judged anew, and no signature is. The caller sees to it that
 * its key is still in the issuer's set, and otherwise verifies the text again (POL-096).
 */
export function recheckToken(
  token: VerifiedToken,
  issuers: Issuers,
  nowMs: number,
): VerifiedToken | Denied {
  const issuer = issuers.byId.get(token.issuerId);
  const { credential, key, algorithm, typ } = token;
  if (issuer === undefined || issuer.issuer !== credential.issuer) return deny("token-issuer");
  if (!issuer.kind.acceptsTyp(typ, issuer.extraTyp)) return deny("token-kind", "typ");
  if (!issuer.algorithms.has(algorithm)) return deny("token-algorithm", "not-pinned");
  const { claims, keyId } = credential;
  return judgeToken({ claims, issuer, key, algorithm, typ, keyId }, nowMs);
}

/** A token whose signature holds. */
interface SignedToken {
  readonly claims: Claims;
  readonly issuer: TokenIssuer;
  readonly key: VerificationKey;
  readonly keyId: string;
  readonly algorithm: TokenAlgorithm;
  readonly typ: string | null;
}

function judgeToken(token: SignedToken, nowMs: number): VerifiedToken | Denied {
  const { claims, issuer, key, algorithm, typ } = token;
  const times = readTimes(claims, issuer.maxLifetimeMs, issuer.skewMs);
  if (isDenied(times)) return times;
  const refusal = judgeTimes(times, nowMs) ?? judgeClaims(claims, issuer);
  if (refusal !== null) return refusal;
  const credential = credentialOf(token, times);
  if (isDenied(credential)) return credential;
  return { type: "verified", credential, issuerId: issuer.id, key, algorithm, typ };
}

function judgeClaims(claims: Claims, issuer: TokenIssuer): Denied | null {
  const { kind, audienceRule, audiences } = issuer;
  for (const name of kind.required) {
    if (!claims.has(name)) return deny("token-claims", name);
  }
  const rule = { rule: audienceRule, strict: kind.strictAudience };
  return judgeAudience(claims, rule, audiences) ?? kind.judge(claims);
}

function credentialOf(token: SignedToken, times: TokenTimes): VerifiedToken["credential"] | Denied {
  const { claims, issuer, keyId } = token;
  const subject = claimText(claims, "sub") ?? "";
  const common = { issuer: issuer.issuer, subject, claims, keyId, ...times };
  switch (issuer.type) {
    case "jwt":
      return Object.freeze({ type: "jwt", providerId: issuer.id, ...common });
    case "jwt-svid": {
      const spiffeId = parseSpiffeId(subject);
      if (!spiffeId.ok) return deny("token-claims", spiffeId.code);
      const { trustDomain } = spiffeId.value;
      // INVARIANT: the issuer was found by this very subject.
      if (`spiffe://${trustDomain}` !== issuer.issuer) return deny("token-issuer", "trust-domain");
      return Object.freeze({ type: "jwt-svid", trustDomain, spiffeId: spiffeId.value, ...common });
    }
  }
}

/** Returns the issuer that judges a token, found by what the token says of itself. */
function issuerOf(payload: JsonObject, issuers: Issuers): TokenIssuer | Denied {
  const named = payload.members.get("iss");
  const provider = named?.type === "string" ? issuers.byIssuer.get(named.value) : undefined;
  if (provider !== undefined) return provider;
  const subject = stringOf(payload.members.get("sub"));
  if (subject === null || !isSpiffeSubject(subject)) return deny("token-issuer");
  const id = parseSpiffeId(subject);
  if (!id.ok) return deny("token-claims", id.code);
  return issuers.byTrustDomain.get(id.value.trustDomain) ?? deny("token-issuer", "trust-domain");
}

function algorithmOf(token: CompactToken, issuer: TokenIssuer): TokenAlgorithm | Denied {
  const { algorithm } = token.header;
  if (!isTokenAlgorithm(algorithm)) return deny("token-algorithm", "unknown");
  return issuer.algorithms.has(algorithm) ? algorithm : deny("token-algorithm", "not-pinned");
}

function keyOf(
  token: CompactToken,
  issuer: TokenIssuer,
  algorithm: TokenAlgorithm,
  issuers: Issuers,
): VerificationKey | Denied {
  const { keyId } = token.header;
  const keys = issuers.keys.keysOf(issuer.id);
  if (keys === null) return deny("token-key", "no-keys");
  const key = chooseKey(keys, keyId, algorithm);
  if (key !== null) return key;
  issuers.keys.noteUnknownKey(issuer.id);
  return keyId !== null && isKeyOfAnother(keyId, issuer, issuers)
    ? deny("token-issuer", "key-of-another-issuer")
    : deny("token-key", "unknown-key-id");
}

/**
 * Only names the fault: the other issuer's key verifies nothing here (JWT-125, JWT-160, JWT-282). Two
 * issuers may share keys, so the fault may also be a set that is not fetched yet.
 */
function isKeyOfAnother(keyId: string, issuer: TokenIssuer, issuers: Issuers): boolean {
  for (const id of issuers.byId.keys()) {
    if (id !== issuer.id && issuers.keys.keysOf(id)?.byId.has(keyId) === true) return true;
  }
  return false;
}

function keyIdOf(token: CompactToken, key: VerificationKey): string {
  return token.header.keyId ?? key.id ?? "";
}

/**
 * Returns the claims of a payload, or the denial of those whose JSON type a claim no longer shows:
 * `token-time` for a time that is no number, `token-audience` for an `aud` that is neither a text nor a
 * list of texts, `token-claims` for text that is no Unicode.
 */
function readClaims(payload: JsonObject): Claims | Denied {
  for (const name of ["exp", "nbf", "iat"]) {
    const value = payload.members.get(name);
    if (value !== undefined && value.type !== "number") return deny("token-time", name);
  }
  const audience = payload.members.get("aud");
  const named = audience?.type === "array" ? audience.items : [audience];
  if (audience !== undefined && named.some((item) => item?.type !== "string")) {
    return deny("token-audience", "aud");
  }
  return claimsOf(payload) ?? deny("token-claims", "surrogate");
}
