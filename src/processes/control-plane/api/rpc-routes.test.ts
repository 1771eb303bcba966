import { expect, test } from "vitest";
import { operations } from "../../../domain/directory/operations/registry.ts";
import { rpcRoutes } from "./rpc-routes.ts";

test("every operation is called at a path of its own", () => {
  expect(operations.size).toBeGreaterThan(100);
  expect(rpcRoutes.size).toBe(operations.size);
  expect(new Set(rpcRoutes.values())).toEqual(new Set(operations.values()));
});

test.each([
  { operation: "organizations:CreatePolicy", service: "OrganizationService" },
  { operation: "organizations:TagAccount", service: "AccountService" },
  { operation: "iam:CreatePolicy", service: "PolicyService" },
  { operation: "iam:AttachUserPolicy", service: "UserService" },
  { operation: "iam:AddUserToGroup", service: "GroupService" },
  { operation: "iam:ListGroupsForUser", service: "UserService" },
  { operation: "iam:UpdateAssumeRolePolicy", service: "RoleService" },
  { operation: "mesh-iam:RevokeRoleSessions", service: "RoleService" },
  { operation: "mesh-iam:PutTrustDomain", service: "IdentityProviderService" },
  { operation: "mesh-iam:PutResourcePolicy", service: "ServiceDefinitionService" },
  { operation: "sso:CreateAccountAssignment", service: "PermissionSetService" },
])("$operation is an operation of $service", ({ operation, service }) => {
  const name = operation.slice(operation.indexOf(":") + 1);
  expect(rpcRoutes.get(`/meshiam.iam.v1.${service}/${name}`)).toBe(operations.get(operation));
});
