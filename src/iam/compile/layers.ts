import type { PolicyLayers } from "../request-context.ts";
import type { CompiledPolicy } from "./compile.ts";
import { createPolicySet, type PolicySet } from "./policy-set.ts";

/**
 * The policies of one question, a set for each layer; of SCPs and RCPs one set a level, root first.
 * Null where a layer is absent. Sets are shared: all sessions of a role have one identity set.
 */
export interface EngineLayers {
  readonly identity: PolicySet;
  readonly resource: PolicySet | null;
  readonly permissionsBoundary: PolicySet | null;
  readonly session: PolicySet | null;
  readonly serviceControl: readonly PolicySet[] | null;
  readonly resourceControl: readonly PolicySet[] | null;
}

/** Returns `layers` as sets of their own. Who asks more than once keeps and shares sets instead. */
export function compileLayers(layers: PolicyLayers<CompiledPolicy>): EngineLayers {
  const { identity, resource, permissionsBoundary, session } = layers;
  return Object.freeze({
    identity: createPolicySet(identity),
    resource: resource && createPolicySet([resource]),
    permissionsBoundary: permissionsBoundary && createPolicySet([permissionsBoundary]),
    session: session && createPolicySet(session),
    serviceControl: layers.serviceControl?.map(createPolicySet) ?? null,
    resourceControl: layers.resourceControl?.map(createPolicySet) ?? null,
  });
}
