import type {
  Group,
  ManagedPolicy,
  OidcProvider,
  Organization,
  OrganizationalUnit,
  OrganizationPolicy,
  Poison,
  Role,
  Service,
  TrustDomain,
  User,
  Workload,
} from "../directory/model.ts";
import type { Tags } from "../request/service-definition.ts";
import type { AccountPlace } from "./content/organization.ts";
import type { PartRef } from "./manifest.ts";

/** What a part says, in the words of the directory. Its type is that of the part's id. */
export type PartContent =
  | {
      readonly type: "organization";
      readonly partition: string;
      readonly organization: Organization | null;
      readonly organizationalUnits: readonly OrganizationalUnit[];
      readonly places: readonly AccountPlace[];
      readonly serviceControlPolicies: readonly OrganizationPolicy[];
      readonly resourceControlPolicies: readonly OrganizationPolicy[];
    }
  /** Null: a marker stands in its place. */
  | { readonly type: "service"; readonly service: Service | null }
  | {
      readonly type: "account-index";
      readonly account: string;
      readonly name: string;
      readonly email: string;
      readonly tags: Tags;
      readonly parts: readonly PartRef[];
    }
  | {
      readonly type: "principal-bucket";
      readonly users: readonly User[];
      readonly groups: readonly Group[];
      readonly roles: readonly Role[];
      readonly workloads: readonly Workload[];
    }
  | { readonly type: "policy-group"; readonly managedPolicies: readonly ManagedPolicy[] }
  | {
      readonly type: "providers";
      readonly oidcProviders: readonly OidcProvider[];
      readonly trustDomains: readonly TrustDomain[];
      readonly serviceIdentities: ReadonlyMap<string, string>;
    }
  | { readonly type: "sts-keys" }
  | { readonly type: "revocations" };

/**
 * A part whose bytes are those that the signed head leads to. Immutable, so that the next revision,
 * which shares most parts, takes it over without reading it again.
 */
export interface VerifiedPart {
  readonly ref: PartRef;
  readonly content: PartContent;
  /** Markers that came with the part, and one for each object in it that this binary cannot read. */
  readonly poison: readonly Poison[];
}
