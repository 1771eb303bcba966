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
  const applicable: Layer[] = [];
  const add = (
    policyType: PolicyType,
    level: number | null,
    set: PolicySet,
    namesCaller: boolean,
  ): void => {
    const candidates = candidatesFor(set, action);
    applicable.push({ policyType, level, set, candidates, namesCaller });
  };
  const { serviceControl, resourceControl, resource, permissionsBoundary, session } = layers;
  if (serviceControl !== null && serviceControlApplies(context)) {
    for (const [level, set] of serviceControl.entries()) add("serviceControl", level, set, false);
  }
  if (resourceControl !== null && resourceControlApplies(context)) {
    for (const [level, set] of resourceControl.entries()) add("resourceControl", level, set, true);
  }
  if (resource !== null) add("resource", null, resource, true);
  if (hasIdentitySide(principal)) add("identity", null, layers.identity, false);
  if (permissionsBoundary !== null && boundaryApplies(principal)) {
    add("permissionsBoundary", null, permissionsBoundary, false);
  }
  if (session !== null && sessionPolicyApplies(principal)) add("session", null, session, false);
  return applicable;
}
