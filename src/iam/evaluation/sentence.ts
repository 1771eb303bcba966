import { foldAscii } from "../ascii.ts";
import type { Decision } from "../decision.ts";
import type { PolicyType } from "../policy/policy-type.ts";
import type { Principal } from "../principal.ts";

/**
 * Returns the sentence with which AWS tells a caller that a request was denied (iam-semantics 9.2):
 * who, what, on which resource (left out where `resource` is empty), and the policy type that
 * decided, if one did. For logs and explanations; a caller is told the decision id only (MSG-1).
 */
export function accessDeniedSentence(
  decision: Decision,
  principal: Principal,
  action: string,
  resource: string,
): string {
  const on = resource === "" ? "" : ` on resource: ${resource}`;
  const not = decision.decision === "allowed" ? "" : " not";
  const clause = reasonClause(decision, action);
  return `User: ${nameOf(principal)} is${not} authorized to perform: ${action}${on}${clause}`;
}

function reasonClause({ decision, deniedBy }: Decision, action: string): string {
  if (deniedBy === null) return "";
  const policy = policyWords(deniedBy, action);
  if (decision === "implicitDeny") return ` because no ${policy} allows the ${action} action`;
  const article = /^[aeiou]/.test(policy) ? "an" : "a";
  return ` with an explicit deny in ${article} ${policy}`;
}

function policyWords(type: PolicyType, action: string): string {
  switch (type) {
    case "serviceControl":
      return "service control policy";
    case "resourceControl":
      return "resource control policy";
    case "identity":
      return "identity-based policy";
    case "permissionsBoundary":
      return "permissions boundary";
    case "session":
      return "session policy";
    case "resource": {
      // the resource policy that STS asks is a role's
      const isTrust = foldAscii(action).startsWith("sts:");
      return isTrust ? "role trust policy" : "resource-based policy";
    }
  }
}

function nameOf(principal: Principal): string {
  switch (principal.type) {
    case "anonymous":
      return "anonymous";
    case "service":
      return principal.name;
    case "web-identity":
    case "saml":
      return principal.provider;
    case "root":
    case "user":
    case "workload":
    case "assumed-role":
    case "federated-user":
      return principal.arn;
  }
}
