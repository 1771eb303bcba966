import { defaultMaxTokenChars, type EmbeddedKey } from "./compact.ts";
import type { CredentialType } from "./credential.ts";
import { jwtSvidAlgorithms } from "./kind-jwt-svid.ts";
import { type Peer, parsePeer } from "./peer.ts";
import { normalTyp, type TokenKind, type TokenKindName } from "./token-kind.ts";
import { tokenKinds } from "./token-kinds.ts";
import type { KeyReader } from "./verification-key.ts";

/** What judging a token needs of an OIDC provider; the directory's record fits. */
export interface TokenProvider {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly tokenKind: Exclude<TokenKindName, "jwt-svid">;
  readonly audiences: readonly string[];
  readonly audienceRule: "aud" | "google";
  readonly algorithms: readonly string[];
  readonly typ: string | null;
  readonly maxTokenLifetimeSeconds: number;
  readonly clockSkewSeconds: number;
  readonly multivaluedClaims: readonly string[];
  /** Empty: tokens of this provider are not accepted directly (FILE-20). */
  readonly rules: readonly unknown[];
}

/** What judging a SPIFFE identity needs of a trust domain; the directory's record fits. */
export interface FederatedTrustDomain {
  readonly id: string;
  readonly name: string;
  readonly audiences: readonly string[];
  /** Null: JWT-SVIDs of this domain are not accepted. */
  readonly keys: object | null;
}

/** Whose tokens are judged, by which rules: a provider or a trust domain, made ready. Frozen. */
export interface TokenIssuer {
  readonly type: Extract<CredentialType, "jwt" | "jwt-svid">;
  readonly id: string;
  /** The document's name, for metrics and logs. */
  readonly alias: string;
  /** The exact `iss` of a provider; `spiffe://<trust domain>`. */
  readonly issuer: string;
  readonly kind: TokenKind;
  readonly audiences: readonly string[];
  readonly audienceRule: "aud" | "google";
  readonly algorithms: ReadonlySet<string>;
  readonly maxLifetimeMs: number;
  readonly skewMs: number;
  readonly extraTyp: string | null;
  /** Claims of arity M (iam-semantics 8.3). */
  readonly multivaluedClaims: ReadonlySet<string>;
}

/** What judging credentials tells the outside, at once and without an answer. */
export interface CredentialListener {
  /** A token carried a key of its own in this header member; it was not read. */
  embeddedKey(member: EmbeddedKey): void;
}

/** Every issuer that one revision knows, the way to its keys, and the readers of its identities. */
export interface Issuers {
  readonly byIssuer: ReadonlyMap<string, TokenIssuer>;
  readonly byTrustDomain: ReadonlyMap<string, TokenIssuer>;
  readonly byId: ReadonlyMap<string, TokenIssuer>;
  readonly keys: KeyReader;
  readonly listener: CredentialListener;
  readonly maxTokenChars: number;
  /** Returns what `source.principal` proves; the same object for the same text while it is remembered. */
  peerOf(sourcePrincipal: string): Peer;
}

export interface IssuersOptions {
  readonly providers: readonly TokenProvider[];
  readonly trustDomains: readonly FederatedTrustDomain[];
  /** False: a trust domain of the revision cannot be read (BUN-5). Default true. */
  readonly allTrustDomains?: boolean;
  /** The account of a SPIFFE id, longest match, null without a row (PRIN-9). */
  readonly accountOfSpiffeId: (trustDomain: string, namespace: string | null) => string | null;
  readonly keys: KeyReader;
  readonly listener: CredentialListener;
  /** Longest accepted token; default 16,384, sensible up to the largest header the proxy passes. */
  readonly maxTokenChars?: number;
}

/** JWT-SVIDs have no provider document to say otherwise: the defaults of FILE-21. */
const defaultMaxLifetimeMs = 86_400_000;
const defaultSkewMs = 60_000;

/** Peers remembered at a time; each costs under 1 KiB, a text at most 2 KiB. */
const maxPeers = 4096;

/**
 * Returns the issuers of one revision. A provider without rules judges no token, and an issuer that two
 * providers with rules claim is nobody's: which of them judges is refused when documents are read
 * (FILE-20), so here it is only kept from mattering. Linear; reads no key.
 */
export function createIssuers(options: IssuersOptions): Issuers {
  const byIssuer = new Map<string, TokenIssuer>();
  const claimedTwice = new Set<string>();
  for (const provider of options.providers) {
    if (provider.rules.length === 0) continue;
    if (byIssuer.has(provider.issuer)) claimedTwice.add(provider.issuer);
    byIssuer.set(provider.issuer, issuerOfProvider(provider));
  }
  for (const issuer of claimedTwice) byIssuer.delete(issuer);

  const trustDomains = {
    names: new Set(options.trustDomains.map((domain) => domain.name)),
    isComplete: options.allTrustDomains ?? true,
  };
  const byTrustDomain = new Map<string, TokenIssuer>();
  for (const domain of options.trustDomains) {
    if (domain.keys !== null) byTrustDomain.set(domain.name, issuerOfTrustDomain(domain));
  }
  const byId = new Map<string, TokenIssuer>();
  for (const issuer of byIssuer.values()) byId.set(issuer.id, issuer);
  for (const issuer of byTrustDomain.values()) byId.set(issuer.id, issuer);

  const peers = new Map<string, Peer>();
  return {
    byIssuer,
    byTrustDomain,
    byId,
    keys: options.keys,
    listener: options.listener,
    maxTokenChars: options.maxTokenChars ?? defaultMaxTokenChars,
    peerOf(sourcePrincipal) {
      const known = peers.get(sourcePrincipal);
      if (known !== undefined) return known;
      const peer = parsePeer(sourcePrincipal, trustDomains, options.accountOfSpiffeId);
      if (peers.size >= maxPeers) peers.clear();
      if (peer.type === "mtls") peers.set(sourcePrincipal, peer);
      return peer;
    },
  };
}

function issuerOfProvider(provider: TokenProvider): TokenIssuer {
  return Object.freeze({
    type: "jwt",
    id: provider.id,
    alias: provider.name,
    issuer: provider.issuer,
    kind: tokenKinds[provider.tokenKind],
    audiences: provider.audiences,
    audienceRule: provider.audienceRule,
    algorithms: new Set(provider.algorithms),
    maxLifetimeMs: provider.maxTokenLifetimeSeconds * 1000,
    skewMs: provider.clockSkewSeconds * 1000,
    extraTyp: provider.typ === null ? null : normalTyp(provider.typ),
    multivaluedClaims: new Set(provider.multivaluedClaims),
  });
}

function issuerOfTrustDomain(domain: FederatedTrustDomain): TokenIssuer {
  return Object.freeze({
    type: "jwt-svid",
    id: domain.id,
    alias: domain.name,
    issuer: `spiffe://${domain.name}`,
    kind: tokenKinds["jwt-svid"],
    audiences: domain.audiences,
    audienceRule: "aud",
    algorithms: new Set(jwtSvidAlgorithms),
    maxLifetimeMs: defaultMaxLifetimeMs,
    skewMs: defaultSkewMs,
    extraTyp: null,
    multivaluedClaims: defaultMultivaluedClaims,
  });
}

/** The claims that are lists unless a provider says otherwise (iam-semantics 8.3). */
const defaultMultivaluedClaims: ReadonlySet<string> = new Set([
  "aud",
  "amr",
  "groups",
  "roles",
  "scope",
]);
