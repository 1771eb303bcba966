import { defaultQuotas, type Quotas } from "../document-options.ts";

/** How many objects there may be, beside the quotas that documents have too. AWS's defaults. */
export interface OperationQuotas extends Quotas {
  readonly usersPerAccount: number;
  readonly groupsPerAccount: number;
  readonly rolesPerAccount: number;
  readonly workloadsPerAccount: number;
  readonly managedPoliciesPerAccount: number;
  readonly versionsPerManagedPolicy: number;
  readonly oidcProvidersPerAccount: number;
  readonly servicesPerAccount: number;
  /** AWS begins with 10 and raises it on request. */
  readonly accounts: number;
  readonly organizationalUnits: number;
  readonly serviceControlPolicies: number;
  readonly resourceControlPolicies: number;
  readonly permissionSets: number;
  readonly permissionSetAssignments: number;
  readonly trustDomains: number;
  /** UTF-8 bytes of one stored object (STO-2). */
  readonly docBytes: number;
}

export const defaultOperationQuotas: OperationQuotas = Object.freeze({
  ...defaultQuotas,
  usersPerAccount: 5_000,
  groupsPerAccount: 300,
  rolesPerAccount: 1_000,
  workloadsPerAccount: 5_000,
  managedPoliciesPerAccount: 1_500,
  versionsPerManagedPolicy: 5,
  oidcProvidersPerAccount: 100,
  servicesPerAccount: 1_000,
  accounts: 10_000,
  organizationalUnits: 2_000,
  serviceControlPolicies: 10_000,
  resourceControlPolicies: 1_000,
  permissionSets: 2_000,
  permissionSetAssignments: 50_000,
  trustDomains: 100,
  docBytes: 262_144,
});
