import { accountOf, arnOf, type Principal } from "../../iam/principal.ts";

/**
 * Returns CloudTrail's `userIdentity` of a principal, with its words for the types it has (CloudTrail User
 * Guide, userIdentity element). What is not known is undefined, and so left out of JSON.
 */
export function userIdentity(principal: Principal): Readonly<Record<string, unknown>> {
  const arn = arnOf(principal) ?? undefined;
  const accountId = accountOf(principal) ?? undefined;
  switch (principal.type) {
    case "anonymous":
      return { type: "Anonymous" };
    case "root":
      return { type: "Root", principalId: principal.account, arn, accountId };
    case "user":
      return {
        type: "IAMUser",
        principalId: principal.id ?? undefined,
        arn,
        accountId,
        userName: principal.name,
      };
    case "workload":
      return { type: "Workload", principalId: principal.id ?? undefined, arn, accountId };
    case "assumed-role":
      return {
        type: "AssumedRole",
        principalId: principal.id === null ? undefined : `${principal.id}:${principal.sessionName}`,
        arn,
        accountId,
        sessionContext: {
          sessionIssuer: {
            type: "Role",
            principalId: principal.id ?? undefined,
            arn: principal.roleArn,
            accountId,
            userName: principal.roleName,
          },
        },
      };
    case "federated-user":
      return {
        type: "FederatedUser",
        principalId: `${accountId}:${principal.name}`,
        arn,
        accountId,
        sessionContext: {
          sessionIssuer: {
            type: "IAMUser",
            principalId: principal.userId ?? undefined,
            arn: principal.userArn,
          },
        },
      };
    case "service":
      return { type: "AWSService", invokedBy: principal.name };
    case "web-identity":
      return { type: "WebIdentityUser", identityProvider: principal.provider };
    case "saml":
      return { type: "SAMLUser", identityProvider: principal.provider };
  }
}
