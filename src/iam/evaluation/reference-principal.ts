import { type Arn, parseArn } from "../arn.ts";
import type { Effect, PrincipalElement, PrincipalEntry } from "../policy/document.ts";
import type { Principal } from "../principal.ts";

/**
 * The reference evaluator's reading of Principal and NotPrincipal (iam-semantics 4).
 */

/** How strongly an entry names the caller; `user-of-federated` has the effect of `role` (4.1). */
export type Level = "none" | "account" | "role" | "user-of-federated" | "direct";

const strength: Readonly<Record<Level, number>> = {
  none: 0,
  account: 1,
  role: 2,
  "user-of-federated": 2,
  direct: 3,
};

/** Returns the stronger of two levels. */
export function stronger(a: Level, b: Level): Level {
  return strength[b] > strength[a] ? b : a;
}

/**
 * Returns how strongly a statement of a resource policy, trust policy or RCP names the caller.
 * `hasBoundary` says whether a permissions boundary applies to the caller (NPR-3).
 * Without a Principal nobody is named (PRIN-8).
 */
export function principalLevel(
  element: PrincipalElement | null,
  principal: Principal,
  effect: Effect,
  hasBoundary: boolean,
): Level {
  if (element === null) return "none";
  if (element.negated) {
    return notPrincipalApplies(element.entries, principal, hasBoundary) ? "direct" : "none";
  }
  return element.entries
    .map((entry) => entryLevel(nameOf(entry), principal, effect))
    .reduce(stronger, "none");
}

/** What an entry of the policy names (4.1). */
type Name =
  | { readonly type: "any" }
  | { readonly type: "account"; readonly account: string; readonly partition: string | null }
  | { readonly type: "user" | "workload" | "session" | "federated-user"; readonly arn: string }
  | {
      readonly type: "role";
      readonly partition: string;
      readonly account: string;
      readonly role: string;
    }
  | { readonly type: "service" | "provider"; readonly name: string }
  /** A group, a unique id left behind, a canonical user no account declares, a malformed text. */
  | { readonly type: "nobody" };

const nobody: Name = { type: "nobody" };

function nameOf(entry: PrincipalEntry): Name {
  switch (entry.type) {
    case "any":
      return { type: "any" };
    case "Service":
      return { type: "service", name: entry.text };
    case "Federated":
      return { type: "provider", name: entry.text };
    case "CanonicalUser":
      return nobody;
    case "AWS": {
      if (isAccount(entry.text)) return { type: "account", account: entry.text, partition: null };
      const arn = parseArn(entry.text);
      return arn.ok && arn.value.region === "" ? nameOfArn(arn.value, entry.text) : nobody;
    }
  }
}

function nameOfArn({ partition, service, account, resource }: Arn, text: string): Name {
  // PRIN-1: a partial wildcard names nobody
  if (text.includes("*") || text.includes("?") || !isAccount(account)) return nobody;
  if (service === "iam" && resource === "root") return { type: "account", account, partition };
  const slash = resource.indexOf("/");
  const kind = `${service}:${resource.slice(0, slash)}`;
  const name = resource.slice(slash + 1);
  if (slash < 0 || name === "") return nobody;
  switch (kind) {
    case "iam:user":
      return { type: "user", arn: text };
    case "iam:workload":
      return { type: "workload", arn: text };
    case "iam:role":
      // PRIN-4: a session carries the role's name without its path
      return { type: "role", partition, account, role: name.slice(name.lastIndexOf("/") + 1) };
    case "sts:assumed-role":
      return { type: "session", arn: text };
    case "sts:federated-user":
      return { type: "federated-user", arn: text };
    default:
      return nobody;
  }
}

function isAccount(text: string): boolean {
  return /^[0-9]{12}$/.test(text);
}

function entryLevel(name: Name, principal: Principal, effect: Effect): Level {
  switch (name.type) {
    case "any": {
      // 4.1: an Allow for everyone does not take in callers who are named by Federated only
      const federated = principal.type === "web-identity" || principal.type === "saml";
      return effect === "Allow" && federated ? "none" : "direct";
    }
    case "account":
      return isOfAccount(name, principal) ? "account" : "none";
    case "user":
      if (principal.type === "user" && principal.arn === name.arn) return "direct";
      if (principal.type === "federated-user" && principal.userArn === name.arn) {
        return "user-of-federated";
      }
      return "none";
    case "role":
      return isSessionOf(name, principal) ? "role" : "none";
    case "workload":
      return principal.type === "workload" && principal.arn === name.arn ? "direct" : "none";
    case "session":
      return principal.type === "assumed-role" && principal.arn === name.arn ? "direct" : "none";
    case "federated-user":
      return principal.type === "federated-user" && principal.arn === name.arn ? "direct" : "none";
    case "service":
      return principal.type === "service" && principal.name === name.name ? "direct" : "none";
    case "provider": {
      const federated = principal.type === "web-identity" || principal.type === "saml";
      return federated && principal.provider === name.name ? "direct" : "none";
    }
    case "nobody":
      return "none";
  }
}

function isOfAccount(name: Name & { type: "account" }, principal: Principal): boolean {
  switch (principal.type) {
    case "root":
    case "user":
    case "workload":
    case "assumed-role":
    case "federated-user":
      return (
        principal.account === name.account &&
        (name.partition === null || name.partition === partitionOf(principal.arn))
      );
    default:
      return false;
  }
}

function isSessionOf(name: Name & { type: "role" }, principal: Principal): boolean {
  return (
    principal.type === "assumed-role" &&
    principal.account === name.account &&
    principal.roleName === name.role &&
    partitionOf(principal.arn) === name.partition
  );
}

function partitionOf(arn: string): string {
  const parsed = parseArn(arn);
  return parsed.ok ? parsed.value.partition : "";
}

/** NPR-2: a NotPrincipal spares only a caller of whom every link of the chain is listed. */
function notPrincipalApplies(
  entries: readonly PrincipalEntry[],
  principal: Principal,
  hasBoundary: boolean,
): boolean {
  if (hasBoundary) return true; // NPR-3
  const names = entries.map(nameOf);
  const links = chainOf(principal);
  return links.length === 0 || links.some((isListed) => !names.some(isListed));
}

/** The chain of NPR-4, each link as the test that finds it in the list; empty: cannot be listed. */
function chainOf(principal: Principal): ((name: Name) => boolean)[] {
  const account = (name: Name): boolean => name.type === "account" && isOfAccount(name, principal);
  switch (principal.type) {
    case "root":
      return [account];
    case "user":
    case "workload":
      return [account, (name) => name.type === principal.type && name.arn === principal.arn];
    case "assumed-role":
      return [
        account,
        (name) => name.type === "role" && isSessionOf(name, principal),
        (name) => name.type === "session" && name.arn === principal.arn,
      ];
    case "federated-user":
      return [
        account,
        (name) => name.type === "user" && name.arn === principal.userArn,
        (name) => name.type === "federated-user" && name.arn === principal.arn,
      ];
    case "service":
      return [(name) => name.type === "service" && name.name === principal.name];
    case "anonymous":
    case "web-identity":
    case "saml":
      return [];
  }
}
