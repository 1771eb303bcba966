import type { Service } from "../../domain/directory/model.ts";
import type { AppliedPolicy, ResourcePolicies } from "../../domain/directory/policies.ts";
import type { HiddenHeaders } from "../../domain/request/identity-headers.ts";
import type { RouteMap } from "../../domain/request/route-map.ts";
import type { PolicySet } from "../../iam/compile/policy-set.ts";
import type { ContextValue } from "../../iam/request-context.ts";

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
