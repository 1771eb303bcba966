import type { OrganizationFacts, ResourceClass } from "../../iam/request-context.ts";
import type { PolicyText } from "./model.ts";

/** A policy that applies, or the id of one that cannot be used: the question then ends in ERROR. */
export type AppliedPolicy = PolicyText | { readonly id: string; readonly poisoned: string };

/** What applies to a principal (iam-semantics 6.1). Whether a layer counts is the engine's business. */
export interface PrincipalPolicies {
  /** Own and the groups', attached before inline, in order of ids. */
  readonly identity: readonly AppliedPolicy[];
  readonly permissionsBoundary: AppliedPolicy | null;
  readonly session: readonly AppliedPolicy[] | null;
  /** One list a level, root first; null: no SCP step. */
  readonly serviceControl: readonly (readonly AppliedPolicy[])[] | null;
  readonly organization: OrganizationFacts | null;
}

/** What applies to a resource. */
export interface ResourcePolicies {
  readonly account: string;
  readonly class: ResourceClass;
  readonly resource: AppliedPolicy | null;
  readonly resourceControl: readonly (readonly AppliedPolicy[])[] | null;
  readonly organization: OrganizationFacts | null;
}
