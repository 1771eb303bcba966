import type { ServiceDefinition, Tags } from "../request/service-definition.ts";

/**
 * The organization as a sidecar or a control plane knows it: one plain, frozen record per entity.
 * Documents are read into it, parts are made from it and read back into it, and the snapshot is
 * compiled from it, so that a slice, a folder and a whole organization are the same shape.
 *
 * References are by unique id (`AIDA…`, `ANPA…`); names decide nothing after resolution.
 */
export interface Directory {
  /** Organization id, `local` without one (FILE-10). */
  readonly org: string;
  readonly partition: string;
  readonly organization: Organization | null;
  readonly organizationalUnits: readonly OrganizationalUnit[];
  readonly accounts: readonly Account[];
  readonly serviceControlPolicies: readonly OrganizationPolicy[];
  readonly resourceControlPolicies: readonly OrganizationPolicy[];
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly roles: readonly Role[];
  readonly workloads: readonly Workload[];
  readonly managedPolicies: readonly ManagedPolicy[];
  readonly oidcProviders: readonly OidcProvider[];
  readonly trustDomains: readonly TrustDomain[];
  readonly services: readonly Service[];
  /**
   * SPIFFE id → ARN of the service that it serves, for `mesh:SourceServiceArn`: from the `workloads` of
   * every service of the organization, in a slice too, whatever services it holds (control-plane 2.2,
   * part `providers`). An id that two services claim is not in it: a key is never guessed (KEY-3).
   */
  readonly serviceIdentities: ReadonlyMap<string, string>;
  /** Objects that could not be encoded, read or compiled (BUN-5): whatever they touch is an error. */
  readonly poison: readonly Poison[];
}

/**
 * The text of a policy: JSON exactly as it will be signed, logged and shown. `id` is what
 * `matchedStatements` prints: the policy's ARN, or `<owner ARN>/<policy name>` of an inline one.
 * Records of this type are shared by reference, so that a policy attached a thousand times is
 * compiled once. `source` (file and line) exists only when read from documents.
 */
export interface PolicyText {
  readonly id: string;
  readonly text: string;
  readonly source: string | null;
}

export interface Poison {
  readonly objectId: string;
  readonly kind: string;
  readonly reason: string;
}

export type EntityState = "active" | "disabled";

export interface Organization {
  /** `o-…` */
  readonly id: string;
  /** `r-…` */
  readonly rootId: string;
  readonly name: string;
  readonly managementAccountId: string;
}

export interface OrganizationalUnit {
  /** `ou-…` */
  readonly id: string;
  readonly name: string;
  /** The root's or another OU's id. */
  readonly parentId: string;
}

export interface Account {
  /** 12 digits; the unique id as well. */
  readonly id: string;
  readonly name: string;
  /** The root's or an OU's id; null for an account in no organization. */
  readonly parentId: string | null;
  readonly email: string;
  readonly tags: Tags;
  readonly state: EntityState;
}

/** An SCP or RCP. `policy` null is the built-in FullAWSAccess, which allows everything. */
export interface OrganizationPolicy {
  readonly id: string;
  readonly name: string;
  /** Ids of the root, OUs and accounts it is attached to. */
  readonly targetIds: readonly string[];
  readonly policy: PolicyText | null;
}

interface Identity {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly arn: string;
  /** Ids of managed policies of the own account. */
  readonly attachedPolicyIds: readonly string[];
  readonly inlinePolicies: readonly PolicyText[];
}

interface PrincipalIdentity extends Identity {
  readonly permissionsBoundaryId: string | null;
  readonly tags: Tags;
  readonly state: EntityState;
}

export interface User extends PrincipalIdentity {
  readonly path: string;
  readonly groupIds: readonly string[];
}

export interface Group extends Identity {
  readonly path: string;
}

export interface Role extends PrincipalIdentity {
  readonly path: string;
  readonly trustPolicy: PolicyText;
  readonly maxSessionSeconds: number;
  readonly sessionBinding: "peer" | "certificate" | "none";
  /** Under `/aws-service-role/` (EXC-5). */
  readonly serviceLinked: boolean;
}

export interface Workload extends PrincipalIdentity {
  readonly spiffeId: string;
}

export interface ManagedPolicy {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly policy: PolicyText;
}

export type TokenKind = "kubernetes" | "oidc-id" | "rfc9068" | "generic";

/** Where the keys of a provider or trust domain come from. */
export type KeySource =
  | { readonly type: "discovery" }
  | { readonly type: "uri"; readonly uri: string }
  | { readonly type: "keys" /** JWK Set as JSON text. */; readonly json: string };

export interface OidcProvider {
  readonly id: string;
  readonly account: string;
  /** The document's name, the alias in metrics. */
  readonly name: string;
  /** `arn:<partition>:iam::<account>:oidc-provider/<issuer without https://>` */
  readonly arn: string;
  /** The exact `iss`. */
  readonly issuer: string;
  readonly tokenKind: TokenKind;
  readonly audiences: readonly string[];
  readonly audienceRule: "aud" | "google";
  readonly algorithms: readonly string[];
  /** Extra accepted `typ` (kind generic only), null for none. */
  readonly typ: string | null;
  readonly maxTokenLifetimeSeconds: number;
  readonly clockSkewSeconds: number;
  readonly mfaFromAmr: boolean;
  /** Claims of arity M; the default list of iam-semantics 8.3 is already merged in. */
  readonly multivaluedClaims: readonly string[];
  readonly keys: KeySource;
  /** Empty: tokens of this provider are not accepted directly (FILE-20). */
  readonly rules: readonly ProviderRule[];
}

/** The first rule whose `when` holds decides; exactly one of `user` and `role` is set. */
export interface ProviderRule {
  readonly when: ClaimTest | null;
  readonly user: { readonly account: string; readonly name: TextOrClaim } | null;
  readonly role: {
    readonly account: string;
    readonly name: TextOrClaim;
    readonly sessionName: TextOrClaim | null;
    readonly tags: ReadonlyMap<string, TextOrClaim>;
  } | null;
}

export type TextOrClaim =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "claim"; readonly claim: string };

/** `matches` is a glob of the policy language. */
export interface ClaimTest {
  readonly claim: string;
  readonly test: "equals" | "contains" | "matches" | "exists";
  readonly value: string;
}

export interface TrustDomain {
  readonly id: string;
  readonly name: string;
  /** Accepted `aud` values of JWT-SVIDs. */
  readonly audiences: readonly string[];
  /** The SPIFFE bundle with the JWT-SVID keys; null: JWT-SVIDs of this domain are not accepted. */
  readonly keys: KeySource | null;
  readonly refreshHintSeconds: number | null;
  /** Longest match wins; `namespace` null is the row of the whole domain (PRIN-9). */
  readonly accounts: readonly { readonly namespace: string | null; readonly account: string }[];
}

/**
 * A permission set as it is written (iam-semantics 7.5). No directory holds one: what decides are the
 * roles that a control plane provisions from it.
 */
export interface WrittenPermissionSet {
  readonly name: string;
  readonly sessionSeconds: number;
  readonly managedPolicies: readonly { readonly name: string; readonly path: string }[];
  readonly inlinePolicy: string | null;
  readonly permissionsBoundary: { readonly name: string; readonly path: string } | null;
  readonly tags: Tags;
}

/** The assignment of a permission set by its name, to a user or group by its ARN. */
export interface WrittenAssignment {
  readonly name: string;
  readonly permissionSet: string;
  readonly principalType: "USER" | "GROUP";
  readonly principalArn: string;
  readonly targetId: string;
}

/** A service definition as stored: what `request/` reads of it, and its policy. */
export interface Service extends ServiceDefinition {
  readonly id: string;
  readonly workloads: readonly string[];
  readonly gateways: readonly string[];
  readonly resourcePolicy: PolicyText | null;
}
