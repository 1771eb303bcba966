/** The ARNs of what a directory holds (iam-semantics 4.1; `workload` and `service` are ours). */

export type EntityType = "user" | "group" | "role" | "policy";

/** Returns `arn:<partition>:iam::<account>:<type><path><name>`; `path` begins and ends with `/`. */
export function entityArn(
  partition: string,
  account: string,
  type: EntityType,
  path: string,
  name: string,
): string {
  return `arn:${partition}:iam::${account}:${type}${path}${name}`;
}

/** Returns the ARN of a SPIFFE identity; `spiffePath` begins with `/` (PRIN-9). */
export function workloadArn(
  partition: string,
  account: string,
  trustDomain: string,
  spiffePath: string,
): string {
  return `arn:${partition}:iam::${account}:workload/${trustDomain}${spiffePath}`;
}

/** Returns the ARN of the provider of `issuer`, which begins with `https://` (STS-5). */
export function oidcProviderArn(partition: string, account: string, issuer: string): string {
  return `arn:${partition}:iam::${account}:oidc-provider/${issuer.slice("https://".length)}`;
}

/** Returns the ARN of a service as a thing to manage and to come from (iam-semantics 8.3). */
export function serviceArn(partition: string, account: string, name: string): string {
  return `arn:${partition}:mesh-iam::${account}:service/${name}`;
}

/** Returns the ARN of an SCP or RCP, with the account that owns the organization, as at AWS. */
export function organizationPolicyArn(
  partition: string,
  managementAccount: string,
  organization: string,
  type: "service_control_policy" | "resource_control_policy",
  id: string,
): string {
  const owner = `arn:${partition}:organizations::${managementAccount}`;
  return `${owner}:policy/${organization}/${type}/${id}`;
}
