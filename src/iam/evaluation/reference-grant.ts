import type { PolicyType } from "../policy/policy-type.ts";
import type { PrincipalType } from "../principal.ts";
import type { ResourceClass } from "../request-context.ts";
import type { Level } from "./reference-principal.ts";

/** What DEC-4 asks of the layers once no Deny applies and the SCPs allow. */
export interface GrantFacts {
  readonly type: PrincipalType;
  /** The caller's account owns the resource. */
  readonly same: boolean;
  readonly class: ResourceClass;
  /** The strongest level that a matching Allow of the resource policy reaches. */
  readonly resource: Level;
  /** Some identity Allow applies; root needs none (EXC-7). */
  readonly identity: boolean;
  /** There is no boundary, or it allows. */
  readonly boundary: boolean;
  /** There is no session policy and none is due, or one of them allows. */
  readonly session: boolean;
}

/** Returns whether the layers together allow (iam-semantics 6.3, word for word). */
export function grant(f: GrantFacts): boolean {
  const direct = f.resource === "direct";
  const mid = f.resource === "role" || f.resource === "user-of-federated";
  const acct = f.resource === "account";
  switch (f.type) {
    case "anonymous":
      return f.class !== "role-trust" && direct;
    case "service":
      return direct;
    case "web-identity":
    case "saml":
      return f.class === "role-trust" && direct;
    case "root":
    case "federated-user":
      if (f.class === "role-trust") return false; // EXC-9
      break;
    case "user":
    case "workload":
    case "assumed-role":
      break;
  }
  const limits = f.boundary && f.session;
  if (!f.same) return (direct || mid || acct) && f.identity && limits;
  switch (f.class) {
    case "role-trust":
      return (direct || mid || (acct && f.identity)) && limits;
    case "owner-delegates":
      return direct || ((mid || (acct && f.identity)) && limits);
    case "ordinary":
      return direct || ((f.identity || mid) && limits);
  }
}

/** Returns the layer that a refused grant lacks first (DEC-5, US-41). Only for facts not granted. */
export function firstMissing(f: GrantFacts): PolicyType {
  switch (f.type) {
    case "anonymous":
    case "service":
    case "web-identity":
    case "saml":
      return "resource"; // they have no identity side
    default:
      break;
  }
  const isGated = !f.same || f.class !== "ordinary";
  if (isGated && f.resource === "none") return "resource";
  const bypassesIdentity =
    f.same &&
    (f.resource === "role" || f.resource === "user-of-federated" || f.resource === "direct");
  if (!f.identity && !bypassesIdentity) return "identity";
  return f.boundary ? "session" : "permissionsBoundary";
}
