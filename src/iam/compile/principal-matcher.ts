import type { Effect, PrincipalElement, PrincipalEntry } from "../policy/document.ts";
import {
  type NamedPrincipal,
  parseAwsPrincipal,
  parseCanonicalUser,
  parseFederatedPrincipal,
  parseServicePrincipal,
} from "../policy/principal-text.ts";
import type { AssumedRolePrincipal, Principal } from "../principal.ts";
import { intern } from "./intern.ts";

/**
 * How strongly a statement names the caller (iam-semantics 4.1), weakest first. `role` and
 * `userOfFederated` belong to different principal types and have the same effect everywhere.
 */
export const levels = { none: 0, account: 1, role: 2, userOfFederated: 3, direct: 4 } as const;

export type Level = (typeof levels)[keyof typeof levels];

/** `Principal` or `NotPrincipal`, prepared. */
export interface PrincipalMatcher {
  readonly negated: boolean;
  readonly entries: readonly PrincipalName[];
}

/** A named principal; `id` is the unique id that a role or user had when the policy was saved. */
export interface PrincipalName {
  readonly named: NamedPrincipal;
  readonly id: string | null;
}

/** Principals that compiled policies share, by their texts. */
export interface PrincipalTable {
  readonly principals: Map<string, PrincipalMatcher>;
}

/** What is known of principals beyond their names. */
export interface KnownPrincipals {
  /** Unique ids by role or user ARN, as they were when the policy was saved (PRIN-3). */
  readonly principalIds?: ReadonlyMap<string, string>;
  /** Accounts by canonical user id. */
  readonly canonicalUsers?: ReadonlyMap<string, string>;
}

/** Returns the matcher of `element`; what is malformed names nobody (PRIN-1, LOAD-4). */
export function createPrincipalMatcher(
  element: PrincipalElement,
  known: KnownPrincipals,
  table: PrincipalTable,
): PrincipalMatcher {
  const entries = element.entries.flatMap((entry) => nameOf(entry, known));
  const key = JSON.stringify([element.negated, entries]);
  return intern(table.principals, key, () => ({ negated: element.negated, entries }));
}

/**
 * Returns how strongly the statement names the caller. `hasBoundary`: a permissions boundary applies
 * to the caller, so no NotPrincipal spares it (NPR-3). Allocates nothing.
 */
export function principalLevel(
  matcher: PrincipalMatcher,
  principal: Principal,
  effect: Effect,
  hasBoundary: boolean,
): Level {
  if (matcher.negated) {
    const spared = !hasBoundary && isSpared(matcher.entries, principal);
    return spared ? levels.none : levels.direct;
  }
  let strongest: Level = levels.none;
  for (const entry of matcher.entries) {
    const level = entryLevel(entry, principal, effect);
    if (level > strongest) strongest = level;
  }
  return strongest;
}

function entryLevel(entry: PrincipalName, principal: Principal, effect: Effect): Level {
  const { named } = entry;
  switch (named.type) {
    case "any": {
      // 4.1: an Allow for everybody leaves out callers that Federated names
      const isFederated = principal.type === "web-identity" || principal.type === "saml";
      return effect === "Allow" && isFederated ? levels.none : levels.direct;
    }
    case "account":
      return isOfAccount(named, principal) ? levels.account : levels.none;
    case "user":
      if (!isUser(entry, named.arn, principal)) return levels.none;
      return principal.type === "user" ? levels.direct : levels.userOfFederated;
    case "role":
      return isSessionOf(entry, named, principal) ? levels.role : levels.none;
    case "workload":
      return principal.type === "workload" && principal.arn === named.arn
        ? levels.direct
        : levels.none;
    case "session":
      return principal.type === "assumed-role" && principal.arn === named.arn
        ? levels.direct
        : levels.none;
    case "federated-user":
      return principal.type === "federated-user" && principal.arn === named.arn
        ? levels.direct
        : levels.none;
    case "service":
      return principal.type === "service" && principal.name === named.name
        ? levels.direct
        : levels.none;
    case "provider":
      return (principal.type === "web-identity" || principal.type === "saml") &&
        principal.provider === named.provider
        ? levels.direct
        : levels.none;
    case "canonical-user": // one that no account declares
    case "dangling-id":
      return levels.none;
  }
}

/** NPR-2, NPR-4: a caller is spared if every link of its chain is listed. */
function isSpared(entries: readonly PrincipalName[], principal: Principal): boolean {
  switch (principal.type) {
    case "root":
      return listsAccount(entries, principal);
    case "user":
      return listsAccount(entries, principal) && listsUser(entries, principal);
    case "workload":
      return listsAccount(entries, principal) && listsArn(entries, "workload", principal.arn);
    case "assumed-role":
      return (
        listsAccount(entries, principal) &&
        listsRole(entries, principal) &&
        listsArn(entries, "session", principal.arn)
      );
    case "federated-user":
      return (
        listsAccount(entries, principal) &&
        listsUser(entries, principal) &&
        listsArn(entries, "federated-user", principal.arn)
      );
    case "service":
      return entries.some(({ named }) => named.type === "service" && named.name === principal.name);
    case "anonymous":
    case "web-identity":
    case "saml":
      return false;
  }
}

function listsAccount(entries: readonly PrincipalName[], principal: Principal): boolean {
  return entries.some(({ named }) => named.type === "account" && isOfAccount(named, principal));
}

function listsUser(entries: readonly PrincipalName[], principal: Principal): boolean {
  return entries.some(
    (entry) => entry.named.type === "user" && isUser(entry, entry.named.arn, principal),
  );
}

function listsRole(entries: readonly PrincipalName[], principal: Principal): boolean {
  return entries.some(
    (entry) => entry.named.type === "role" && isSessionOf(entry, entry.named, principal),
  );
}

function listsArn(
  entries: readonly PrincipalName[],
  type: "workload" | "session" | "federated-user",
  arn: string,
): boolean {
  return entries.some(({ named }) => named.type === type && named.arn === arn);
}

function isOfAccount(named: NamedPrincipal & { type: "account" }, principal: Principal): boolean {
  switch (principal.type) {
    case "root":
    case "user":
    case "workload":
    case "assumed-role":
    case "federated-user":
      return (
        principal.account === named.account &&
        (named.partition === null || isOfPartition(principal.arn, named.partition))
      );
    case "anonymous":
    case "service":
    case "web-identity":
    case "saml":
      return false;
  }
}

// PRIN-3: by unique id where both sides have one, otherwise by name.
function isUser({ id }: PrincipalName, arn: string, principal: Principal): boolean {
  switch (principal.type) {
    case "user":
      return id !== null && principal.id !== null ? id === principal.id : arn === principal.arn;
    case "federated-user":
      return id !== null && principal.userId !== null
        ? id === principal.userId
        : arn === principal.userArn;
    default:
      return false;
  }
}

// PRIN-4: a session does not carry the role's path.
function isSessionOf(
  { id }: PrincipalName,
  role: NamedPrincipal & { type: "role" },
  principal: Principal,
): principal is AssumedRolePrincipal {
  if (principal.type !== "assumed-role") return false;
  if (id !== null && principal.id !== null) return id === principal.id;
  return (
    principal.account === role.account &&
    principal.roleName === role.name &&
    isOfPartition(principal.arn, role.partition)
  );
}

// `arn:` stands before the partition and a colon behind it.
function isOfPartition(arn: string, partition: string): boolean {
  return arn.startsWith(partition, 4) && arn.charCodeAt(4 + partition.length) === 0x3a;
}

function nameOf(entry: PrincipalEntry, known: KnownPrincipals): readonly PrincipalName[] {
  const named = parseEntry(entry);
  if (named === null) return [];
  if (named.type === "canonical-user") {
    const account = known.canonicalUsers?.get(named.id);
    if (account === undefined) return [{ named, id: null }];
    return [{ named: { type: "account", partition: null, account }, id: null }];
  }
  const hasId = named.type === "role" || named.type === "user";
  return [{ named, id: (hasId ? known.principalIds?.get(named.arn) : null) ?? null }];
}

function parseEntry({ type, text }: PrincipalEntry): NamedPrincipal | null {
  if (type === "any") return { type: "any" };
  if (text.includes("*") || text.includes("?")) return null;
  switch (type) {
    case "AWS":
      return parseAwsPrincipal(text);
    case "Service":
      return parseServicePrincipal(text);
    case "Federated":
      return parseFederatedPrincipal(text);
    case "CanonicalUser":
      return parseCanonicalUser(text);
  }
}
