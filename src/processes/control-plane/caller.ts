import type { Authentication } from "../../domain/credentials/authenticate.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import { policiesOfAccount } from "../../domain/directory/apply.ts";
import type { DirectoryLookup } from "../../domain/directory/lookup.ts";
import type { PrincipalPolicies } from "../../domain/directory/policies.ts";
import { peerFacts, tokenFacts } from "../../domain/principal/attested-facts.ts";
import { checkTrust, mapPrincipal } from "../../domain/principal/map.ts";
import { type Denied, deny, isDenied } from "../../domain/request/denied.ts";
import type { TrustEvaluator } from "../../domain/sts/web-identity-trust.ts";
import { foldAscii } from "../../iam/ascii.ts";
import { principalKeys, timeKeys } from "../../iam/derived-keys.ts";
import { accountOf, arnOf, type Principal } from "../../iam/principal.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";

/** Who calls, as the connection and the credential prove it; what he is, the state says. */
export type ProvenCaller =
  | {
      /** The local socket: the root of whichever account is asked about (TEN-5). */
      readonly type: "break-glass";
      /** Where an input names no account; null: the management account. */
      readonly home: string | null;
    }
  | {
      readonly type: "authenticated";
      readonly authentication: Authentication;
      readonly issuers: Issuers;
    };

/** What the transport knows of a call. */
export interface CallOrigin {
  readonly requestId: string;
  /** Null: the local socket. */
  readonly sourceIp: string | null;
  readonly userAgent: string;
  readonly secure: boolean;
}

/** A caller in one state of the directory. */
export interface KnownCaller {
  readonly principal: Principal;
  readonly arn: string;
  readonly account: string;
  readonly policies: PrincipalPolicies;
  /** Condition keys by lower-cased name that do not depend on the question. */
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly faults: ReadonlyMap<string, KeyFault> | null;
  readonly breakGlass: boolean;
}

/** What callers are looked up in. */
export interface CallerWorld {
  readonly lookup: DirectoryLookup;
  readonly trust: TrustEvaluator;
  readonly nowMs: number;
}

/** Returns what tells callers apart for client tokens (STO-12): stable while a credential is renewed. */
export function callerKey(proven: ProvenCaller): string {
  if (proven.type === "break-glass") return "break-glass";
  const credential = proven.authentication.principalCredential;
  switch (credential?.type) {
    case undefined:
      return "anonymous";
    case "mtls":
    case "jwt-svid":
      return credential.spiffeId.text;
    case "jwt":
      return `${credential.providerId} ${credential.subject}`;
  }
}

/** Returns the root of `account`, with what applies to it in `world`. */
export function rootOf(account: string, origin: CallOrigin, world: CallerWorld): KnownCaller {
  const arn = `arn:${world.lookup.directory.partition}:iam::${account}:root`;
  const principal: Principal = { type: "root", account, arn };
  const policies = policiesOfAccount(world.lookup, account);
  const keys = new Map([
    ...principalKeys(principal, policies.organization),
    ...requestKeys(origin, world.nowMs),
  ]);
  return { principal, arn, account, policies, keys, faults: null, breakGlass: true };
}

/**
 * Returns who an authenticated caller is in `world`, or why he is nobody: `unauthenticated`,
 * `principal-not-mapped`, `revoked`, …
 */
export function knownCaller(
  { authentication, issuers }: Extract<ProvenCaller, { readonly type: "authenticated" }>,
  origin: CallOrigin,
  world: CallerWorld,
): KnownCaller | Denied {
  const { lookup, trust, nowMs } = world;
  const { token, mtls } = authentication;
  const claims = token === null ? null : tokenFacts(token, issuers);
  const ofRequest = new Map([
    ...(claims?.keys ?? []),
    ...(mtls === null ? [] : peerFacts(mtls, lookup)),
    ...requestKeys(origin, nowMs),
  ]);
  const mapping = mapPrincipal(authentication, lookup, trust);
  if (isDenied(mapping)) return mapping;
  const faults = claims?.faults ?? null;
  if (mapping.trust !== null) {
    const refused = checkTrust(mapping.trust, trust, ofRequest, faults, nowMs);
    if (refused !== null) return refused;
  }
  const { principal, policies, keys } = mapping.mapped;
  const arn = arnOf(principal);
  const account = accountOf(principal);
  if (arn === null || account === null) return deny("unauthenticated");
  const all = new Map([...ofRequest, ...keys]);
  return { principal, arn, account, policies, keys: all, faults, breakGlass: false };
}

function requestKeys(origin: CallOrigin, nowMs: number): Map<string, ContextValue> {
  const keys = timeKeys(nowMs);
  const set = (key: string, text: string) => {
    keys.set(foldAscii(key), { multivalued: false, values: [text] });
  };
  if (origin.sourceIp !== null) set("aws:SourceIp", origin.sourceIp);
  set("aws:SecureTransport", String(origin.secure));
  if (origin.userAgent !== "") set("aws:UserAgent", origin.userAgent);
  return keys;
}
