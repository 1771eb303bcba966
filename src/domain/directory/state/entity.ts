import type { Problem } from "../../../iam/problem.ts";
import type { Tags } from "../../request/service-definition.ts";
import type {
  Account,
  Group,
  ManagedPolicy,
  OidcProvider,
  Organization,
  OrganizationalUnit,
  OrganizationPolicy,
  Role,
  Service,
  TrustDomain,
  User,
  Workload,
  WrittenPermissionSet,
} from "../model.ts";

/**
 * What a control plane keeps of an organization: the records of the model, each with what only the
 * store needs to know of it. The words of `kind` are those of control-plane 3.11.
 */

/** A place in the store's history; compared epoch first (TOK-12). */
export interface StorePosition {
  readonly epoch: number;
  readonly revision: number;
}

/** What every stored object has. Records are shared by reference and never changed. */
export interface Stored<K extends string, R> {
  readonly kind: K;
  /** Unique, never given out again (STO-77). */
  readonly id: string;
  /** Empty for objects of the organization. */
  readonly account: string;
  /** Unique within kind and account. */
  readonly nameKey: string;
  readonly record: R;
  /** The field manager (FILE-6). */
  readonly manager: string;
  readonly createdAtMs: number;
  readonly labels: Tags;
  readonly description: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Length of the doc in UTF-16 units; 0 before it is written. */
  readonly size: number;
  /** The doc, where it has members that this release does not know (STO-53); else null. */
  readonly foreign: string | null;
}

export interface StoredOrganization extends Stored<"organization", Organization> {
  readonly partition: string;
}

/** An OU, or the root, whose parent is null. */
export interface UnitRecord extends Omit<OrganizationalUnit, "parentId"> {
  readonly parentId: string | null;
}

/** Sessions minted before that position are over (TOK-12); null: all are valid. */
interface Watermarked {
  readonly sessionsValidFrom: StorePosition | null;
}

export interface StoredUser extends Stored<"user", User>, Watermarked {}
export interface StoredWorkload extends Stored<"workload", Workload>, Watermarked {}

/** `record.trustPolicy` is the text as it was written; whom it meant then is in `trusted`. */
export interface StoredRole extends Stored<"role", Role>, Watermarked {
  readonly trusted: readonly TrustedPrincipal[];
  /** The permission set that this role is provisioned from; null: an ordinary role. */
  readonly permissionSetId: string | null;
}

/** A principal that a trust policy names, with the unique id it had when the policy was stored (PRIN-3). */
export interface TrustedPrincipal {
  readonly arn: string;
  readonly id: string;
}

/** `record.policy` is the default version's text. */
export interface StoredManagedPolicy extends Stored<"managedPolicy", ManagedPolicy> {
  /** At most five, oldest first; the default one is among them. */
  readonly versions: readonly PolicyVersion[];
  readonly defaultVersionId: string;
  /** Number of the newest version ever made: numbers are not used again. */
  readonly lastVersion: number;
}

export interface PolicyVersion {
  /** `v1`, `v2`, … */
  readonly versionId: string;
  readonly text: string;
  readonly createdAtMs: number;
}

export interface PermissionSet extends WrittenPermissionSet {
  readonly id: string;
}

export interface PermissionSetAssignment {
  readonly id: string;
  readonly name: string;
  readonly permissionSetId: string;
  readonly principalType: "USER" | "GROUP";
  readonly principalId: string;
  readonly targetId: string;
  /** The provisioned role. */
  readonly roleId: string;
}

/** An object that cannot be read: it keeps its name, and whatever it touches is denied (BUN-5). */
export interface PoisonedObject extends Stored<"poisoned", { readonly id: string }> {
  readonly storedKind: string;
  readonly problem: Problem;
  readonly doc: string;
}

/** An object of a kind that has its own keeper (keys, denied sessions) or of a newer release. */
export interface OpaqueObject extends Stored<"opaque", { readonly id: string }> {
  readonly storedKind: string;
  readonly doc: string;
}

export type Entity =
  | StoredOrganization
  | Stored<"organizationalUnit", UnitRecord>
  | Stored<"account", Account>
  | Stored<"serviceControlPolicy", OrganizationPolicy>
  | Stored<"resourceControlPolicy", OrganizationPolicy>
  | StoredUser
  | Stored<"group", Group>
  | StoredRole
  | StoredWorkload
  | StoredManagedPolicy
  | Stored<"permissionSet", PermissionSet>
  | Stored<"permissionSetAssignment", PermissionSetAssignment>
  | Stored<"oidcProvider", OidcProvider>
  | Stored<"trustDomain", TrustDomain>
  | Stored<"service", Service>;

export type Kind = Entity["kind"];
type ByKind = { readonly [E in Entity as E["kind"]]: E };
export type EntityOf<K extends Kind> = ByKind[K];
export type RecordOf<K extends Kind> = ByKind[K]["record"];

/** Whatever the store holds under an id. */
export type StateObject = Entity | PoisonedObject | OpaqueObject;

/** Returns the kind that the store knows the object by. */
export function storedKindOf(object: StateObject): string {
  return "storedKind" in object ? object.storedKind : object.kind;
}

/** Returns the object if it is readable and of that kind, else null. */
export function asKind<K extends Kind>(
  object: StateObject | undefined,
  kind: K,
): EntityOf<K> | null {
  return object?.kind === kind ? (object as EntityOf<K>) : null;
}
