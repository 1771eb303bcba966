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

/** What is known of principals beyond their names, as it was when the policies were saved. */
export interface KnownIds {
  /** Unique ids by the ARN of a role or user (PRIN-3). */
  readonly principalIds?: ReadonlyMap<string, string>;
  /** Accounts by the canonical user id that they declare (4.1). */
  readonly canonicalUsers?: ReadonlyMap<string, string>;
}

/** Who asks, as statements with a Principal see it. */
export interface Caller {
  readonly principal: Principal;
  /** A permissions boundary applies to the caller (NPR-3). */
  readonly hasBoundary: boolean;
  readonly known: KnownIds;
}

/**
 * Returns how strongly a statement of a resource policy, trust policy or RCP names the caller.
 * Without a Principal nobody is named (PRIN-8).
 */
export function principalLevel(
  element: PrincipalElement | null,
  caller: Caller,
  effect: Effect,
): Level {
  if (element === null) return "none";
  const names = element.entries.map((entry) => nameOf(entry, caller.known));
  if (element.negated) return notPrincipalApplies(names, caller) ? "direct" : "none";
  return names.map((name) => entryLevel(name, caller.principal, effect)).reduce(stronger, "none");
}

/** What an entry of the policy names (4.1). */
type Name =
  | { readonly type: "any" }
  | { readonly type: "account"; readonly account: string; readonly partition: string | null }
  | { readonly type: "user"; readonly arn: string; readonly id: string | null }
  | { readonly type: "workload" | "session" | "federated-user"; readonly arn: string }
  | {
      readonly type: "role";
      readonly partition: string;
      readonly account: string;
      readonly role: string;
      readonly id: string | null;
    }
  | { readonly type: "service" | "provider"; readonly name: string }
  /** A group, a unique id left behind, a canonical user no account declares, a malformed text. */
  | { readonly type: "nobody" };

const nobody: Name = { type: "nobody" };

function nameOf(entry: PrincipalEntry, known: KnownIds): Name {
  switch (entry.type) {
    case "any":
      return { type: "any" };
    case "Service":
      return { type: "service", name: entry.text };
    case "Federated":
      return { type: "provider", name: entry.text };
    case "CanonicalUser": {
      const account = known.canonicalUsers?.get(entry.text);
      return account === undefined ? nobody : { type: "account", account, partition: null };
    }
    case "AWS": {
      if (isAccount(entry.text)) return { type: "account", account: entry.text, partition: null };
      const arn = parseArn(entry.text);
      const id = known.principalIds?.get(entry.text) ?? null;
      return arn.ok && arn.value.region === "" ? nameOfArn(arn.value, entry.text, id) : nobody;
    }
  }
}

function nameOfArn(
  { partition, service, account, resource }: Arn,
  text: string,
  id: string | null,
): Name {
  // PRIN-1: a partial wildcard names nobody
  if (text.includes("*") || text.includes("?") || !isAccount(account)) return nobody;
  if (service === "iam" && resource === "root") return { type: "account", account, partition };
  const slash = resource.indexOf("/");
  const kind = `${service}:${resource.slice(0, slash)}`;
  const name = resource.slice(slash + 1);
  if (slash < 0 || name === "") return nobody;
  switch (kind) {
    case "iam:user":
      return { type: "user", arn: text, id };
    case "iam:workload":
      return { type: "workload", arn: text };
    case "iam:role":
      // PRIN-4: a session carries the role's name without its path
      return { type: "role", partition, account, role: name.slice(name.lastIndexOf("/") + 1), id };
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
      if (!isUser(name, principal)) return "none";
      return principal.type === "user" ? "direct" : "user-of-federated";
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

/** Whether the caller is the user, or a federated session made by that user. */
function isUser(name: Name & { type: "user" }, principal: Principal): boolean {
  switch (principal.type) {
    case "user":
      return sameId(name.id, principal.id) ?? principal.arn === name.arn;
    case "federated-user":
      return sameId(name.id, principal.userId) ?? principal.userArn === name.arn;
    default:
      return false;
  }
}

/** PRIN-3: the unique ids decide when both sides have one; null: the names have to. */
function sameId(a: string | null, b: string | null): boolean | null {
  return a === null || b === null ? null : a === b;
}

function isSessionOf(name: Name & { type: "role" }, principal: Principal): boolean {
  if (principal.type !== "assumed-role") return false;
  const byId = sameId(name.id, principal.id);
  if (byId !== null) return byId;
  return (
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
function notPrincipalApplies(names: readonly Name[], { principal, hasBoundary }: Caller): boolean {
  if (hasBoundary) return true; // NPR-3
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
      return [account, (name) => name.type === "user" && isUser(name, principal)];
    case "workload":
      return [account, (name) => name.type === "workload" && name.arn === principal.arn];
    case "assumed-role":
      return [
        account,
        (name) => name.type === "role" && isSessionOf(name, principal),
        (name) => name.type === "session" && name.arn === principal.arn,
      ];
    case "federated-user":
      return [
        account,
        (name) => name.type === "user" && isUser(name, principal),
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
