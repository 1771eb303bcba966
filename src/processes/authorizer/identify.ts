import type { Authentication, TokenCredential } from "../../domain/credentials/authenticate.ts";
import type { MtlsCredential } from "../../domain/credentials/credential.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import { peerFacts, tokenFacts } from "../../domain/principal/attested-facts.ts";
import { checkTrust, mapPrincipal } from "../../domain/principal/map.ts";
import { type Denied, isDenied } from "../../domain/request/denied.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { WebIdentityTrust } from "../../domain/sts/web-identity-trust.ts";
import type { AskedCheck } from "./asked-check.ts";
import { type AttestedKeys, attestedKeys } from "./attested-keys.ts";
import type { Caller } from "./caller.ts";
import { faultsAmong } from "./decide.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";

/** Who asks, in one revision, and what else the request proved. */
export interface Identity {
  readonly type: "identity";
  readonly caller: Caller;
  /** Facts of the token and of the peer, whichever gave the principal (KEY-12). */
  readonly attested: readonly AttestedKeys[];
}

const nothingProven: readonly AttestedKeys[] = Object.freeze([]);

/**
 * Maps what was proven to a caller of the snapshot in force, and remembers it per credential and
 * revision, so that a changed rule or trust policy holds at once (performance 2.4).
 */
export class Identification {
  readonly #keys: RequestKeys;
  readonly #issuers: () => Issuers;

  constructor(keys: RequestKeys, issuers: () => Issuers) {
    this.#keys = keys;
    this.#issuers = issuers;
  }

  /**
   * Returns the caller of an earlier Check of this revision whose mapping leaves nothing to be asked
   * anew, or null.
   */
  recall(snapshot: Snapshot, authentication: Authentication): Identity | null {
    const { principalCredential } = authentication;
    const caller =
      principalCredential === null ? snapshot.anonymous : snapshot.callers.get(principalCredential);
    if (caller === undefined || caller === null || caller.trust !== null) return null;
    return { type: "identity", caller, attested: this.#attested(snapshot, authentication) };
  }

  /** Returns the caller, or why there is none: `principal-not-mapped`, `revoked`, … */
  identify(
    snapshot: Snapshot,
    authentication: Authentication,
    asked: AskedCheck,
    request: ResolvedRequest,
  ): Identity | Denied {
    const caller = this.#callerOf(snapshot, authentication);
    if (isDenied(caller)) return caller;
    const attested = this.#attested(snapshot, authentication);
    if (caller.trust !== null) {
      const refusal = this.#askTrust(snapshot, caller, caller.trust, attested, asked, request);
      if (refusal !== null) return refusal;
    }
    return { type: "identity", caller, attested };
  }

  #callerOf(snapshot: Snapshot, authentication: Authentication): Caller | Denied {
    const { principalCredential } = authentication;
    const known =
      principalCredential === null ? snapshot.anonymous : snapshot.callers.get(principalCredential);
    if (known !== undefined && known !== null) return known;
    const mapping = mapPrincipal(authentication, snapshot.lookup, snapshot.trust);
    if (isDenied(mapping)) return mapping;
    const { mapped, trust } = mapping;
    const caller: Caller = { mapped, trust, rights: snapshot.compiler.rights(mapped.policies) };
    if (principalCredential === null) snapshot.anonymous = caller;
    else snapshot.callers.set(principalCredential, caller);
    return caller;
  }

  /** Trust that reads the request is asked on every Check, with that request's keys (STS-9). */
  #askTrust(
    snapshot: Snapshot,
    caller: Caller,
    trust: WebIdentityTrust,
    attested: readonly AttestedKeys[],
    asked: AskedCheck,
    request: ResolvedRequest,
  ): Denied | null {
    this.#keys.bind(asked, request, caller.mapped, attested);
    const { resource, resourceControl } = trust.policies;
    const readable = new Set<string>();
    for (const policy of [resource, ...(resourceControl ?? []).flat()]) {
      if (policy === null) continue;
      for (const key of snapshot.trust.readsOf(policy)) readable.add(key);
    }
    const faults = faultsAmong(readable, this.#keys);
    return checkTrust(trust, snapshot.trust, this.#keys, faults, asked.asOfMs);
  }

  #attested(
    { attested, lookup }: Snapshot,
    { token, mtls }: Authentication,
  ): readonly AttestedKeys[] {
    if (token === null && mtls === null) return nothingProven;
    const proven: AttestedKeys[] = [];
    if (token !== null) {
      const issuers = this.#issuers();
      const make = () => tokenFacts(token, issuers);
      proven.push(remember(attested, token, "mesh:jwtclaim/", make));
    }
    if (mtls !== null) {
      const make = () => ({ keys: peerFacts(mtls, lookup), faults: null });
      proven.push(remember(attested, mtls, "mesh:source", make));
    }
    return proven;
  }
}

function remember(
  known: WeakMap<TokenCredential | MtlsCredential, AttestedKeys>,
  credential: TokenCredential | MtlsCredential,
  prefix: string,
  make: Parameters<typeof attestedKeys>[1],
): AttestedKeys {
  const found = known.get(credential);
  if (found !== undefined) return found;
  const made = attestedKeys(prefix, make);
  known.set(credential, made);
  return made;
}
