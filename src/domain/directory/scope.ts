import { parseArn } from "../../iam/arn.ts";
import type { PrincipalElement } from "../../iam/policy/document.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { Account, Directory, Service } from "./model.ts";

/** Returns the services that an identity serves, alone or beside others: step 1 of BUN-15. */
export function servicesOf(directory: Directory, spiffeId: string): readonly Service[] {
  return directory.services.filter(
    ({ workloads, gateways }) => workloads.includes(spiffeId) || gateways.includes(spiffeId),
  );
}

/**
 * Returns the part of `directory` that decides every request for `services`: whole services and whole
 * accounts, nothing finer (BUN-15, steps 2 to 4). Records are shared, not copied. Cost: one pass over
 * the entities, and the parsing of the services' resource policies.
 *
 * In scope are the services' own accounts and every account that an Allow of their resource policies can
 * name, by id or ARN; `*` and NotPrincipal name all, whatever the conditions say. Besides, always and
 * whole: organization, SCPs and RCPs, the places of all accounts, providers with their rules, trust
 * domains with their tables, service identities, poison.
 *
 * Why that is enough (BUN-38). A decision reads the service, its account's RCPs, and of the caller the
 * identity policies, boundary, SCPs and tags, all of the caller's account.
 *
 * - The caller has no account (anonymous, also by `authType: NONE` and CORS; a service principal): it
 *   reads only what is always there.
 * - Its account is in scope: everything it reads is there, so decision, `deniedBy` and statements are
 *   the same. Rules and tables that map it are of the whole organization, so it is the same principal.
 * - Its account is not in scope: it is another account than the service's, and no Allow of the resource
 *   policy names it, an ARN in it, or everybody. Across accounts nothing is granted without a match in
 *   the resource policy (iam-semantics 6.3), so on the whole organization the answer is a denial. On the
 *   scope it is one too: a user or role is not found, which is `principal-not-mapped`, and a mesh
 *   identity, whose account comes from the table, finds no Allow in the resource policy either. Both
 *   ways are denials; reason and `deniedBy` may differ.
 *
 * The facts of accounts out of scope (name, address, tags) decide nothing and are left out.
 */
export function scopeOf(directory: Directory, services: readonly Service[]): Directory {
  const accounts = accountsInScope(services);
  if (accounts === "all") return { ...directory, services };
  const own = <T extends { readonly account: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ account }) => accounts.has(account));
  return {
    ...directory,
    accounts: directory.accounts.map((one) => (accounts.has(one.id) ? one : placeOnly(one))),
    users: own(directory.users),
    groups: own(directory.groups),
    roles: own(directory.roles),
    workloads: own(directory.workloads),
    managedPolicies: own(directory.managedPolicies),
    services,
  };
}

function placeOnly({ id, parentId, state }: Account): Account {
  return Object.freeze({ id, name: "", parentId, email: "", tags: noTags, state });
}

const noTags: ReadonlyMap<string, string> = new Map();

function accountsInScope(services: readonly Service[]): ReadonlySet<string> | "all" {
  const accounts = new Set<string>();
  for (const { account, resourcePolicy } of services) {
    accounts.add(account);
    if (resourcePolicy === null) continue;
    const loaded = parsePolicyDocument(resourcePolicy.text, "resource");
    // Unreadable here may be readable there: then everybody may be named in it.
    if (!loaded.ok) return "all";
    for (const { effect, principal } of loaded.value.statements) {
      if (effect !== "Allow" || principal === null) continue;
      if (!addNamed(principal, accounts)) return "all";
    }
  }
  return accounts;
}

/** Adds the accounts that `principal` names; false when it names all. */
function addNamed(principal: PrincipalElement, accounts: Set<string>): boolean {
  if (principal.negated) return false;
  for (const { type, text } of principal.entries) {
    switch (type) {
      case "any":
        return false;
      case "AWS": {
        const arn = parseArn(text);
        // Twelve digits stand for the account; a bare unique id names nobody (iam-semantics 4.1).
        accounts.add(arn.ok ? arn.value.account : text);
        break;
      }
      case "Service":
      case "Federated":
      case "CanonicalUser":
        break;
    }
  }
  return true;
}
