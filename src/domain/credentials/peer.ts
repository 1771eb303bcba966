import { parseSpiffeId, tableNamespaceOf } from "../request/spiffe-id.ts";
import type { DroppedToken, MtlsCredential } from "./credential.ts";

/**
 * What `source.principal` proves: a mesh identity, nothing at all, an identity not of our mesh, or one
 * of which nobody can say, since its trust domain may be the one that cannot be read (BUN-5).
 */
export type Peer =
  | MtlsCredential
  | { readonly type: "none" }
  | { readonly type: "dropped"; readonly dropped: DroppedToken }
  | { readonly type: "unknowable" };

/** The trust domains of our mesh. */
export interface TrustDomainNames {
  readonly names: ReadonlySet<string>;
  /** False: there are more, whose names cannot be read. */
  readonly isComplete: boolean;
}

const none: Peer = Object.freeze({ type: "none" });
const unknowable: Peer = Object.freeze({ type: "unknowable" });

/**
 * Returns the identity in `source.principal`, the first URI SAN, else DNS SAN, else subject of the
 * peer's certificate, empty without TLS (envoy-ext-authz 9).
 *
 * Only a well-formed SPIFFE id of a configured trust domain with a row in its account table counts:
 * anything else is absent and to be logged, never an identity of its own (PRIN-9). The cause says why:
 * a code of `parseSpiffeId`, `foreign-trust-domain`, `no-account`.
 */
export function parsePeer(
  sourcePrincipal: string,
  trustDomains: TrustDomainNames,
  accountOfSpiffeId: (trustDomain: string, namespace: string | null) => string | null,
): Peer {
  if (sourcePrincipal === "") return none;
  const parsed = parseSpiffeId(sourcePrincipal);
  if (!parsed.ok) return drop(parsed.code);
  const id = parsed.value;
  if (!trustDomains.names.has(id.trustDomain)) {
    return trustDomains.isComplete ? drop("foreign-trust-domain") : unknowable;
  }
  if (accountOfSpiffeId(id.trustDomain, tableNamespaceOf(id)) === null) return drop("no-account");
  return Object.freeze({ type: "mtls", spiffeId: id });
}

function drop(cause: string): Peer {
  return { type: "dropped", dropped: { type: "mtls", cause } };
}
