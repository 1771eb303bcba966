import type { PolicyLayers } from "../../src/iam/request-context.ts";

/** Returns the layers with every policy replaced. */
export function mapLayers<P, Q>(layers: PolicyLayers<P>, map: (policy: P) => Q): PolicyLayers<Q> {
  const levels = (of: readonly (readonly P[])[] | null): Q[][] | null =>
    of?.map((level) => level.map(map)) ?? null;
  return {
    identity: layers.identity.map(map),
    resource: layers.resource && map(layers.resource),
    permissionsBoundary: layers.permissionsBoundary && map(layers.permissionsBoundary),
    session: layers.session?.map(map) ?? null,
    serviceControl: levels(layers.serviceControl),
    resourceControl: levels(layers.resourceControl),
  };
}
