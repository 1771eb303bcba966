import type { DocumentType } from "../../iam/policy/policy-type.ts";
import type { PolicyLayers } from "../../iam/request-context.ts";
import type { AppliedPolicy, PrincipalPolicies, ResourcePolicies } from "./policies.ts";

/**
 * Returns the layers of one question: what applies to the caller and to the resource, each policy in the
 * form that `read` gives it. A role's trust policy is read as one.
 */
export function joinPolicies<P>(
  caller: PrincipalPolicies,
  target: ResourcePolicies,
  read: (policy: AppliedPolicy, type: DocumentType) => P,
): PolicyLayers<P> {
  const all = (policies: readonly AppliedPolicy[], type: DocumentType): P[] =>
    policies.map((policy) => read(policy, type));
  const { identity, permissionsBoundary, session, serviceControl } = caller;
  const { resource, resourceControl } = target;
  return {
    identity: all(identity, "identity"),
    resource: resource && read(resource, target.class === "role-trust" ? "trust" : "resource"),
    permissionsBoundary: permissionsBoundary && read(permissionsBoundary, "permissionsBoundary"),
    session: session && all(session, "session"),
    serviceControl: serviceControl?.map((level) => all(level, "serviceControl")) ?? null,
    resourceControl: resourceControl?.map((level) => all(level, "resourceControl")) ?? null,
  };
}
