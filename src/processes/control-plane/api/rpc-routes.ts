import type { Operation } from "../../../domain/directory/operations/operation.ts";
import { operations } from "../../../domain/directory/operations/registry.ts";

/**
 * Every operation by the path at which it is called: `/meshiam.iam.v1.UserService/CreateUser`. Derived
 * from the table of operations, so a new one is callable once it stands there.
 */
export const rpcRoutes: ReadonlyMap<string, Operation> = new Map(
  [...operations.values()].map((one) => [`/meshiam.iam.v1.${serviceOf(one)}/${one.name}`, one]),
);

/** Returns the service that offers an operation (control-plane 5.1). */
function serviceOf({ service, name }: Operation): string {
  switch (service) {
    case "organizations":
      return name.includes("Account") ? "AccountService" : "OrganizationService";
    case "sso":
      return "PermissionSetService";
    case "iam":
    case "mesh-iam":
      return serviceOfName(name);
  }
}

function serviceOfName(name: string): string {
  if (name.includes("Workload")) return "WorkloadService";
  if (name.includes("OpenIDConnectProvider")) return "IdentityProviderService";
  if (name.includes("TrustDomain")) return "IdentityProviderService";
  if (name.includes("Service") || name.includes("ResourcePolicy"))
    return "ServiceDefinitionService";
  if (name.includes("Group") && !name.endsWith("ForUser")) return "GroupService";
  if (name.includes("User")) return "UserService";
  if (name.includes("Role")) return "RoleService";
  return "PolicyService";
}
