import type { Kind } from "../entity.ts";
import { oidcProvider, trustDomain } from "./identity-sources.ts";
import type { KindCodec } from "./kind-codec.ts";
import { managedPolicy } from "./managed-policy.ts";
import { account, organization, organizationalUnit } from "./organization.ts";
import { resourceControlPolicy, serviceControlPolicy } from "./organization-policy.ts";
import { permissionSet, permissionSetAssignment } from "./permission-sets.ts";
import { group, role, user, workload } from "./principals.ts";
import { service } from "./service.ts";

/** Every kind that the directory keeps in the store, by the store's word for it (control-plane 3.11). */
export const kindCodecs: { readonly [K in Kind]: KindCodec<K> } = {
  organization,
  organizationalUnit,
  account,
  serviceControlPolicy,
  resourceControlPolicy,
  user,
  group,
  role,
  workload,
  managedPolicy,
  permissionSet,
  permissionSetAssignment,
  oidcProvider,
  trustDomain,
  service,
};

/** Returns the codec of a kind, or null for one that the directory does not keep. */
export function kindCodecOf(kind: string): KindCodec<Kind> | null {
  return Object.hasOwn(kindCodecs, kind)
    ? (kindCodecs[kind as Kind] as unknown as KindCodec<Kind>)
    : null;
}
