/**
 * Who asks, in IAM's words (iam-semantics 1 and 4). `arn` is what `aws:PrincipalArn` and the identity
 * header are made from; see `principalArnKey` for the difference that a role session makes.
 * Tags are the principal tags in force: user tags, or role tags with session tags over them (TAG-1).
 */
export type Principal =
  | AnonymousPrincipal
  | RootPrincipal
  | UserPrincipal
  | WorkloadPrincipal
  | AssumedRolePrincipal
  | FederatedUserPrincipal
  | ServicePrincipal
  | WebIdentityPrincipal
  | SamlPrincipal;

export type PrincipalType = Principal["type"];

export interface AnonymousPrincipal {
  readonly type: "anonymous";
}

export interface RootPrincipal {
  readonly type: "root";
  readonly account: string;
  /** `arn:<partition>:iam::<account>:root` */
  readonly arn: string;
}

export interface UserPrincipal {
  readonly type: "user";
  readonly account: string;
  readonly arn: string;
  readonly name: string;
  /** Unique id (`AIDA…`), null where a scenario gives none. */
  readonly id: string | null;
  readonly tags: ReadonlyMap<string, string>;
}

/** A SPIFFE identity that is not mapped to a role session: behaves like a user (PRIN-9). */
export interface WorkloadPrincipal {
  readonly type: "workload";
  readonly account: string;
  /** `arn:<partition>:iam::<account>:workload/<trust domain><SPIFFE path>` */
  readonly arn: string;
  readonly id: string | null;
  readonly tags: ReadonlyMap<string, string>;
}

export interface AssumedRolePrincipal {
  readonly type: "assumed-role";
  readonly account: string;
  /** The session's ARN: `arn:<partition>:sts::<account>:assumed-role/<role name>/<session name>`. */
  readonly arn: string;
  /** The role's ARN, with its path. */
  readonly roleArn: string;
  readonly roleName: string;
  readonly sessionName: string;
  /** The role's unique id (`AROA…`), null where a scenario gives none. */
  readonly id: string | null;
  readonly serviceLinked: boolean;
  readonly tags: ReadonlyMap<string, string>;
}

export interface FederatedUserPrincipal {
  readonly type: "federated-user";
  readonly account: string;
  readonly arn: string;
  readonly name: string;
  /** The IAM user who called GetFederationToken: ARN and unique id. */
  readonly userArn: string;
  readonly userId: string | null;
  readonly tags: ReadonlyMap<string, string>;
}

export interface ServicePrincipal {
  readonly type: "service";
  /** For example `sns.amazonaws.com` or `gateway.svc.mesh`. */
  readonly name: string;
}

/** A caller of AssumeRoleWithWebIdentity; `provider` is the provider's ARN or built-in host. */
export interface WebIdentityPrincipal {
  readonly type: "web-identity";
  readonly provider: string;
}

export interface SamlPrincipal {
  readonly type: "saml";
  readonly provider: string;
}

/** Returns the caller's account, or null for callers that have none. */
export function accountOf(principal: Principal): string | null {
  return "account" in principal ? principal.account : null;
}

/** Returns the ARN that names the caller (of a session the session's), or null where there is none. */
export function arnOf(principal: Principal): string | null {
  return "arn" in principal ? principal.arn : null;
}
