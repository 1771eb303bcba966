import type { AssumedRolePrincipal } from "../../iam/principal.ts";
import type { Role } from "../directory/model.ts";

/**
 * Returns the principal of a session of `role`. `tags` are those in force, the role's among them (TAG-1).
 * The session's ARN holds the role's name without its path (PRIN-4).
 */
export function sessionPrincipal(
  role: Role,
  sessionName: string,
  tags: ReadonlyMap<string, string>,
  partition: string,
): AssumedRolePrincipal {
  return {
    type: "assumed-role",
    account: role.account,
    arn: `arn:${partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
    roleArn: role.arn,
    roleName: role.name,
    sessionName,
    id: role.id,
    serviceLinked: role.serviceLinked,
    tags,
  };
}
