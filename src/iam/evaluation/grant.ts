import { type Level, levels } from "../compile/principal-matcher.ts";
import type { PolicyType } from "../policy/policy-type.ts";
import type { PrincipalType } from "../principal.ts";
import type { ResourceClass } from "../request-context.ts";

/** What decides once no Deny applies and every SCP level allows (DEC-4). */
export interface GrantFacts {
  readonly type: PrincipalType;
  /** Whether the caller's account owns the resource. */
  readonly same: boolean;
  readonly class: ResourceClass;
  /** The strongest level at which an Allow of the resource policy names the caller. */
  readonly resource: Level;
  /** Whether the identity side allows; root's always does (EXC-7). */
  readonly identity: boolean;
  /** Whether the boundary, if there is one, allows. */
  readonly boundary: boolean;
  /** Whether the session policy, if there is one or has to be one, allows. */
  readonly session: boolean;
}

/** Returns whether the request is granted (iam-semantics 6.3). Monotone in all but the first three. */
export function grant(facts: GrantFacts): boolean {
  const { type, same, resource, identity } = facts;
  const limits = facts.boundary && facts.session;
  const direct = resource === levels.direct;
  const middle = resource === levels.role || resource === levels.userOfFederated;
  const account = resource === levels.account;
  const isRole = facts.class === "role-trust";
  switch (type) {
    case "anonymous":
      return direct && !isRole; // EXC-9
    case "service":
      return direct;
    case "web-identity":
    case "saml":
      return direct && isRole;
    case "root":
    case "federated-user":
      if (isRole) return false; // EXC-9
      break;
    case "user":
    case "workload":
    case "assumed-role":
      break;
  }
  if (!same) return (direct || middle || account) && identity && limits;
  switch (facts.class) {
    case "role-trust": // EXC-1: a direct grant does not bypass the limits
      return (direct || middle || (account && identity)) && limits;
    case "owner-delegates": // EXC-3
      return direct || ((middle || (account && identity)) && limits);
    case "ordinary": // the account's name alone grants nothing
      return direct || ((middle || identity) && limits);
  }
}

/**
 * Returns the layer that is reported for facts that grant nothing: the first that is missing of
 * resource (cross-account or gated by the resource policy), identity, boundary, session (DEC-5).
 */
export function firstMissing(facts: GrantFacts): PolicyType {
  const { type, same, resource } = facts;
  if (type === "anonymous" || type === "service") return "resource";
  if (type === "web-identity" || type === "saml") return "resource";
  const isGated = !same || facts.class !== "ordinary";
  if (isGated && resource === levels.none) return "resource";
  const needsIdentity = !same || resource < levels.role;
  if (needsIdentity && !facts.identity) return "identity";
  return facts.boundary ? "session" : "permissionsBoundary";
}
