import type { Service } from "../../domain/directory/model.ts";
import type { AppliedPolicy, ResourcePolicies } from "../../domain/directory/policies.ts";
import { type HiddenHeaders, hiddenHeaders } from "../../domain/request/identity-headers.ts";
import { createRouteMap, type RouteMap } from "../../domain/request/route-map.ts";
import type { PolicySet } from "../../iam/compile/policy-set.ts";
import { resourceKeys } from "../../iam/derived-keys.ts";
import type { ContextValue } from "../../iam/request-context.ts";
import type { PolicyCompiler } from "./policy-compiler.ts";

/** A service that this authorizer fronts, made ready for Checks; belongs to one snapshot. */
export interface FrontedService {
  readonly definition: Service;
  readonly routes: RouteMap;
  readonly hidden: HiddenHeaders;
  readonly policies: ResourcePolicies;
  /** Its resource policy, and the same behind the implied Allow of EXC-10. */
  readonly resource: PolicySet | null;
  readonly impliedResource: PolicySet;
  readonly resourceControl: readonly PolicySet[] | null;
  /** `aws:ResourceAccount`, `aws:ResourceOrgID`, `aws:ResourceOrgPaths`, by lower-cased name. */
  readonly keys: ReadonlyMap<string, ContextValue>;
  /** A denial is told to Envoy as an allow: `mode: shadow`, or the sidecar runs dry. */
  readonly shadow: boolean;
}

/**
 * The statement that `authType: NONE` and a valid preflight put before the service's own (EXC-10): one
 * record, so that it is compiled once a snapshot and known by its id in logs.
 */
export const impliedAllow: AppliedPolicy = Object.freeze({
  id: "mesh-iam:authentication-not-required",
  text: '{"Version":"2012-10-17","Statement":[{"Sid":"AuthenticationNotRequired","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
  source: null,
});

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
