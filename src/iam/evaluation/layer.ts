import type { EngineLayers } from "../compile/layers.ts";
import { type Candidates, candidatesFor, type PolicySet } from "../compile/policy-set.ts";
import type { PolicyType } from "../policy/policy-type.ts";
import type { RequestContext } from "../request-context.ts";
import {
  boundaryApplies,
  hasIdentitySide,
  resourceControlApplies,
  serviceControlApplies,
  sessionPolicyApplies,
} from "./applicability.ts";

/** One policy type at one place that counts for the question (iam-semantics 1). */
export interface Layer {
  readonly policyType: PolicyType;
  /** Index of an SCP or RCP level, root 0; null elsewhere. */
  readonly level: number | null;
  readonly set: PolicySet;
  readonly candidates: Candidates;
  /** Whether its statements name who they are about: documents of a resource do. */
  readonly namesCaller: boolean;
}

/** Returns the layers of 6.1 that count for the question, in the order of denials (DEC-8). */
export function layersThatApply(context: RequestContext, layers: EngineLayers): readonly Layer[] {
  const { action, principal } = context;
  const { serviceControl, resourceControl, resource, permissionsBoundary, session } = layers;
  const applicable: Layer[] = [];
  if (serviceControl !== null && serviceControlApplies(context)) {
    for (let level = 0; level < serviceControl.length; level++) {
      add(applicable, "serviceControl", level, serviceControl[level], action);
    }
  }
  if (resourceControl !== null && resourceControlApplies(context)) {
    for (let level = 0; level < resourceControl.length; level++) {
      add(applicable, "resourceControl", level, resourceControl[level], action);
    }
  }
  if (resource !== null) add(applicable, "resource", null, resource, action);
  if (hasIdentitySide(principal)) add(applicable, "identity", null, layers.identity, action);
  if (permissionsBoundary !== null && boundaryApplies(principal)) {
    add(applicable, "permissionsBoundary", null, permissionsBoundary, action);
  }
  if (session !== null && sessionPolicyApplies(principal)) {
    add(applicable, "session", null, session, action);
  }
  return applicable;
}

function add(
  applicable: Layer[],
  policyType: PolicyType,
  level: number | null,
  set: PolicySet | undefined,
  action: string,
): void {
  if (set === undefined) return;
  const namesCaller = policyType === "resource" || policyType === "resourceControl";
  applicable.push({ policyType, level, set, candidates: candidatesFor(set, action), namesCaller });
}
