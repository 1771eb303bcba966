import { accountKind } from "./account.ts";
import { groupKind } from "./group.ts";
import type { DocumentKind } from "./kind.ts";
import { managedPolicyKind } from "./managed-policy.ts";
import { oidcProviderKind } from "./oidc-provider.ts";
import { organizationKind } from "./organization.ts";
import { resourceControlPolicyKind, serviceControlPolicyKind } from "./organization-policy.ts";
import { organizationalUnitKind } from "./organizational-unit.ts";
import { permissionSetAssignmentKind, permissionSetKind } from "./permission-set.ts";
import { roleKind } from "./role.ts";
import { serviceKind } from "./service.ts";
import { trustDomainKind } from "./trust-domain.ts";
import { userKind } from "./user.ts";
import { workloadKind } from "./workload.ts";

/**
 * Every kind of document (control-plane 5.3), in the order in which a kind may rest on earlier ones,
 * which is also the order in which they are written and described.
 */
export const documentKinds: readonly DocumentKind[] = [
  organizationKind,
  organizationalUnitKind,
  accountKind,
  serviceControlPolicyKind,
  resourceControlPolicyKind,
  managedPolicyKind,
  groupKind,
  userKind,
  roleKind,
  trustDomainKind,
  workloadKind,
  permissionSetKind,
  permissionSetAssignmentKind,
  oidcProviderKind,
  serviceKind,
];
