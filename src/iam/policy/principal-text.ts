import { parseArn } from "../arn.ts";

/**
 * A principal as a policy names it (iam-semantics 4.1). `account` of the partition null is the
 * bare 12-digit form, which is the account in every partition.
 */
export type NamedPrincipal =
  | { readonly type: "any" }
  | { readonly type: "account"; readonly partition: string | null; readonly account: string }
  | { readonly type: "user"; readonly arn: string }
  | { readonly type: "workload"; readonly arn: string }
  | {
      readonly type: "role";
      readonly arn: string;
      readonly partition: string;
      readonly account: string;
      /** Without the path (PRIN-4). */
      readonly name: string;
    }
  | { readonly type: "session"; readonly arn: string }
  | { readonly type: "federated-user"; readonly arn: string }
  | { readonly type: "service"; readonly name: string }
  | { readonly type: "provider"; readonly provider: string }
  | { readonly type: "canonical-user"; readonly id: string }
  /** What is left of a deleted role or user: matches nobody. */
  | { readonly type: "dangling-id"; readonly id: string };

const accountId = /^[0-9]{12}$/;
const uniqueId = /^A(?:ROA|IDA)[A-Z0-9]{4,124}$/;
const canonicalUserId = /^[0-9a-f]{64}$/;
const serviceName = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;
const providerHosts: ReadonlySet<string> = new Set([
  "accounts.google.com",
  "cognito-identity.amazonaws.com",
  "graph.facebook.com",
  "www.amazon.com",
]);

/** Returns the principal that a value under `AWS` names, or null where it names none. */
export function parseAwsPrincipal(text: string): NamedPrincipal | null {
  if (text === "*") return { type: "any" };
  if (accountId.test(text)) return { type: "account", partition: null, account: text };
  if (uniqueId.test(text)) return { type: "dangling-id", id: text };
  const arn = parseArn(text);
  if (!arn.ok) return null;
  const { partition, service, region, account, resource } = arn.value;
  if (partition === "" || region !== "" || !accountId.test(account)) return null;
  const slash = resource.indexOf("/");
  const kind = slash < 0 ? resource : resource.slice(0, slash);
  const rest = slash < 0 ? "" : resource.slice(slash + 1);
  const name = rest.slice(rest.lastIndexOf("/") + 1);
  switch (`${service}:${kind}`) {
    case "iam:root":
      return slash < 0 ? { type: "account", partition, account } : null;
    case "iam:user":
      return name === "" ? null : { type: "user", arn: text };
    case "iam:workload":
      return rest === "" ? null : { type: "workload", arn: text };
    case "iam:role":
      return name === "" ? null : { type: "role", arn: text, partition, account, name };
    case "sts:assumed-role": {
      const parts = rest.split("/");
      return parts.length === 2 && !parts.includes("") ? { type: "session", arn: text } : null;
    }
    case "sts:federated-user":
      return rest === "" || rest.includes("/") ? null : { type: "federated-user", arn: text };
    default:
      return null;
  }
}

/** Returns the service principal of `text`, a lower-case dotted name, or null. */
export function parseServicePrincipal(text: string): NamedPrincipal | null {
  if (text.length > 253 || !text.includes(".") || !serviceName.test(text)) return null;
  return { type: "service", name: text };
}

/** Returns the identity provider of `text`: an OIDC or SAML provider ARN or a built-in host; or null. */
export function parseFederatedPrincipal(text: string): NamedPrincipal | null {
  if (providerHosts.has(text)) return { type: "provider", provider: text };
  const arn = parseArn(text);
  if (!arn.ok) return null;
  const { partition, service, region, account, resource } = arn.value;
  const isProvider = /^(?:oidc|saml)-provider\/./.test(resource);
  if (partition === "" || service !== "iam" || region !== "" || !isProvider) return null;
  return accountId.test(account) ? { type: "provider", provider: text } : null;
}

/** Returns the canonical user id of `text`, 64 lower-case hexadecimal digits, or null. */
export function parseCanonicalUser(text: string): NamedPrincipal | null {
  return canonicalUserId.test(text) ? { type: "canonical-user", id: text } : null;
}
