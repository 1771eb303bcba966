import type { ContextValue } from "../../iam/request-context.ts";
import type { TokenCredential } from "../credentials/authenticate.ts";
import { issuerOfCredential } from "../credentials/authenticate.ts";
import { type ClaimKeys, claimKeys } from "../credentials/claim-keys.ts";
import type { MtlsCredential } from "../credentials/credential.ts";
import type { Issuers } from "../credentials/issuers.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";

const noClaims: ClaimKeys = Object.freeze({ keys: new Map(), faults: null });

/**
 * Returns `mesh:JwtClaim/*` of a verified token, whichever credential gave the principal (KEY-12), with
 * the faults of KEY-9. Fixed for one credential under one revision: worth keeping beside it.
 */
export function tokenFacts(token: TokenCredential, issuers: Issuers): ClaimKeys {
  const issuer = issuerOfCredential(token, issuers);
  if (issuer === undefined) return noClaims;
  return claimKeys("mesh:jwtclaim/", token.claims, issuer.multivaluedClaims);
}

/**
 * Returns `mesh:Source*` of the connection's peer, whichever credential gave the principal (KEY-12).
 * Namespace and service account only of an id in the form of Kubernetes, the service only of an
 * identity that one serves. Fixed for one peer under one revision.
 */
export function peerFacts(
  { spiffeId }: MtlsCredential,
  lookup: DirectoryLookup,
): ReadonlyMap<string, ContextValue> {
  const facts: readonly (readonly [string, string | null])[] = [
    ["mesh:sourcespiffeid", spiffeId.text],
    ["mesh:sourcetrustdomain", spiffeId.trustDomain],
    ["mesh:sourcenamespace", spiffeId.namespace],
    ["mesh:sourceserviceaccount", spiffeId.serviceAccount],
    ["mesh:sourceservicearn", lookup.serviceArnOfSpiffeId(spiffeId.text)],
  ];
  const keys = new Map<string, ContextValue>();
  for (const [key, text] of facts) {
    if (text !== null) keys.set(key, { multivalued: false, values: [text] });
  }
  return keys;
}
