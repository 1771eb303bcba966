import { foldAscii } from "../ascii.ts";
import { servicesWithoutResourceControl } from "../policy/action-element.ts";
import { accountOf, type Principal, type PrincipalType } from "../principal.ts";
import type { RequestContext } from "../request-context.ts";

/** Returns whether the caller has identity policies, and so may have a boundary (6.1). */
export function hasIdentitySide(principal: Principal): boolean {
  switch (principal.type) {
    case "user":
    case "workload":
    case "assumed-role":
    case "federated-user":
      return true;
    case "anonymous":
    case "root":
    case "service":
    case "web-identity":
    case "saml":
      return false;
  }
}

/** Returns whether a boundary limits the caller: not a service-linked role's sessions (EXC-5). */
export function boundaryApplies(principal: Principal): boolean {
  return hasIdentitySide(principal) && !isServiceLinked(principal);
}

/** Returns whether the caller can have passed a session policy; root by AssumeRoot (EXC-7). */
export function sessionPolicyApplies(principal: Principal): boolean {
  const { type } = principal;
  return type === "assumed-role" || type === "federated-user" || type === "root";
}

/** Returns whether SCPs bind the caller: whose account it is, not whose resource (6.1, APP-1, APP-2). */
export function serviceControlApplies({
  principal,
  principalOrganization,
}: RequestContext): boolean {
  if (!hasIdentitySide(principal) && principal.type !== "root") return false;
  if (isServiceLinked(principal)) return false; // EXC-5
  if (principalOrganization === null) return true;
  if (!principalOrganization.serviceControlEnabled) return false; // APP-1
  return principalOrganization.managementAccount !== accountOf(principal); // EXC-6
}

/** Returns whether RCPs bind the request: any caller, by whose resource it is (6.1, TYPE-1). */
export function resourceControlApplies(context: RequestContext): boolean {
  if (isServiceLinked(context.principal)) return false; // EXC-5
  const management = context.resourceOrganization?.managementAccount ?? null;
  if (management !== null && management === context.resource.account) return false; // EXC-6
  const colon = context.action.indexOf(":");
  const service = foldAscii(colon < 0 ? context.action : context.action.slice(0, colon));
  return !servicesWithoutResourceControl.includes(service);
}

/** Returns whether a caller of `type` may call an operation on a role at all (EXC-9). */
export function mayCallOnRole(type: PrincipalType, action: string): boolean {
  switch (foldAscii(action)) {
    case "sts:assumerole":
      return (
        type === "user" || type === "workload" || type === "assumed-role" || type === "service"
      );
    case "sts:assumerolewithwebidentity":
      return type === "web-identity";
    case "sts:assumerolewithsaml":
      return type === "saml";
    default: // TagSession and SetSourceIdentity follow the operation that uses them
      return type !== "anonymous" && type !== "root" && type !== "federated-user";
  }
}

function isServiceLinked(principal: Principal): boolean {
  return principal.type === "assumed-role" && principal.serviceLinked;
}
