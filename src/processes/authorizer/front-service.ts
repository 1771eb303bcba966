import type { Service } from "../../domain/directory/model.ts";
import type { ResourcePolicies } from "../../domain/directory/policies.ts";
import { hiddenHeaders } from "../../domain/request/identity-headers.ts";
import { createRouteMap } from "../../domain/request/route-map.ts";
import { resourceKeys } from "../../iam/derived-keys.ts";
import { type FrontedService, impliedAllow } from "./fronted-service.ts";
import type { PolicyCompiler } from "./policy-compiler.ts";

export interface FrontedServiceParts {
  readonly compiler: PolicyCompiler;
  readonly partition: string;
  readonly region: string;
  /** The sidecar runs dry: every service is in shadow mode (`mesh-iam.io/dry-run`). */
  readonly dryRun: boolean;
}

/** Returns `definition` made ready: routes compiled, its policies as sets. */
export function frontService(
  definition: Service,
  policies: ResourcePolicies,
  parts: FrontedServiceParts,
): FrontedService {
  const { compiler } = parts;
  const own = policies.resource === null ? [] : [policies.resource];
  const resource = { arn: null, account: policies.account, class: policies.class };
  return {
    definition,
    routes: createRouteMap(definition, parts.partition, parts.region),
    hidden: hiddenHeaders(definition),
    policies,
    resource: own.length === 0 ? null : compiler.set(own, "resource"),
    impliedResource: compiler.set([impliedAllow, ...own], "resource"),
    resourceControl: compiler.levels(policies.resourceControl, "resourceControl"),
    keys: resourceKeys(resource, new Map(), policies.organization),
    shadow: parts.dryRun || definition.mode === "shadow",
  };
}
