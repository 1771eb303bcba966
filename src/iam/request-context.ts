import type { Arn } from "./arn.ts";
import type { Principal } from "./principal.ts";
import type { Reason } from "./reason.ts";

/** `ordinary`, a role under `sts:AssumeRole*`, or KMS-like (iam-semantics 1). */
export type ResourceClass = "ordinary" | "role-trust" | "owner-delegates";

export interface RequestResource {
  /** Null is the pseudo-resource `*` of actions that have no resource type (RES-1). */
  readonly arn: Arn | null;
  /** The owner's account; of the pseudo-resource the caller's. */
  readonly account: string | null;
  readonly class: ResourceClass;
}

/** What the decision procedure needs to know of an organization (iam-semantics 6.1). */
export interface OrganizationFacts {
  readonly id: string;
  readonly managementAccount: string | null;
  /** `o-x/r-y/ou-z/…/`, for `aws:PrincipalOrgPaths`; null where unknown. */
  readonly path: string | null;
  /** False skips the SCP step (APP-1). */
  readonly serviceControlEnabled: boolean;
}

/**
 * The value of a present condition key. A multivalued key may hold an empty list; a single-valued key
 * holds exactly one text. All values are texts: the operator gives them their type.
 */
export interface ContextValue {
  readonly multivalued: boolean;
  readonly values: readonly string[];
}

/** Looks a condition key up by its ASCII-lower-cased name; undefined means absent. */
export interface ContextKeys {
  get(keyLower: string): ContextValue | undefined;
}

/**
 * A key whose value cannot be given: an internal fault or a claim of the wrong shape
 * (`evaluation-error`; KEY-3, KEY-9), a repeated header (`ambiguous-header`; KEY-8).
 * It decides the request only if a candidate statement can read the key.
 */
export type KeyFault = Extract<Reason, "evaluation-error" | "ambiguous-header">;

/** One question to the engine. Borrowed for the time of one evaluation; the engine keeps nothing of it. */
export interface RequestContext {
  readonly principal: Principal;
  /** `service:Name` as the mapper built it; compared ignoring ASCII case. */
  readonly action: string;
  readonly resource: RequestResource;
  readonly principalOrganization: OrganizationFacts | null;
  readonly resourceOrganization: OrganizationFacts | null;
  readonly keys: ContextKeys;
  /** Faulty keys by lower-cased name; null (nearly always) means none. */
  readonly faults: ReadonlyMap<string, KeyFault> | null;
  /** Evaluation time; `aws:CurrentTime` is derived from it by whoever fills `keys`. */
  readonly nowMs: number;
}

/** The policies of one question, by policy type; `P` is a policy in the form an evaluator takes. */
export interface PolicyLayers<P> {
  readonly identity: readonly P[];
  readonly resource: P | null;
  readonly permissionsBoundary: P | null;
  /** Null: no session policy was passed. An empty list never occurs. */
  readonly session: readonly P[] | null;
  /** One list a level, root first; null: no SCP step. */
  readonly serviceControl: readonly (readonly P[])[] | null;
  readonly resourceControl: readonly (readonly P[])[] | null;
}
