import { accountAssignmentOperations } from "./account-assignments.ts";
import { attachmentOperations } from "./attachments.ts";
import { identitySourceOperations } from "./identity-sources.ts";
import { managedPolicyOperations } from "./managed-policies.ts";
import type { Operation } from "./operation.ts";
import { organizationOperations } from "./organization.ts";
import { organizationPolicyOperations } from "./organization-policies.ts";
import { permissionSetOperations } from "./permission-sets.ts";
import { principalOperations } from "./principal-facts.ts";
import { readOperations } from "./reads.ts";
import { roleAndWorkloadOperations } from "./roles-and-workloads.ts";
import { serviceOperations } from "./services.ts";
import { userAndGroupOperations } from "./users-and-groups.ts";

/** Every operation on the directory, by the action that authorizes it: `iam:CreateRole`. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  [
    ...organizationOperations,
    ...organizationPolicyOperations,
    ...userAndGroupOperations,
    ...roleAndWorkloadOperations,
    ...(["user", "group", "role", "workload"] as const).flatMap(attachmentOperations),
    ...(["user", "role", "workload"] as const).flatMap(principalOperations),
    ...managedPolicyOperations,
    ...permissionSetOperations,
    ...accountAssignmentOperations,
    ...identitySourceOperations,
    ...serviceOperations,
    ...readOperations,
  ].map((one) => [`${one.service}:${one.name}`, one]),
);
