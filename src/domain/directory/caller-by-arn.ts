import { meant } from "../../iam/nearest-word.ts";
import type { Principal } from "../../iam/principal.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import { parseSpiffeId, tableNamespaceOf } from "../request/spiffe-id.ts";
import { policiesOfAccount, policiesOfRole, policiesOfUser, policiesOfWorkload } from "./apply.ts";
import type { DirectoryLookup } from "./lookup.ts";
import type { EntityState, Role, User, Workload } from "./model.ts";
import type { PrincipalPolicies } from "./policies.ts";
import { nearest } from "./suggestion.ts";

/** A caller as the directory knows him. */
export interface KnownCaller {
  readonly policies: PrincipalPolicies;
  /** Of a role session the role; null of callers that have no entity of their own. */
  readonly entity: User | Role | Workload | null;
}

/** What applies to callers without an account: nothing. */
export const noPolicies: PrincipalPolicies = Object.freeze({
  identity: [],
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  organization: null,
});

/**
 * Returns what applies to `principal` in the directory, looked up by the ARN it comes with: a role's
 * policies for its sessions, without session policies, which are no part of a directory.
 *
 * Refusals: `unknown-principal` for a user, role, account or SPIFFE identity that the directory does not
 * have, the nearest name told; `disabled-principal` for one that no credential would give (POL-099).
 */
export function callerByArn(lookup: DirectoryLookup, principal: Principal): Parsed<KnownCaller> {
  switch (principal.type) {
    case "anonymous":
    case "service":
    case "web-identity":
    case "saml":
      return { ok: true, value: { policies: noPolicies, entity: null } };
    case "root":
      return rootByArn(lookup, principal.account, principal.arn);
    case "user":
      return userByArn(lookup, principal.account, principal.name, principal.arn);
    case "federated-user": {
      const { userArn, account } = principal;
      return userByArn(lookup, account, userArn.slice(userArn.lastIndexOf("/") + 1), userArn);
    }
    case "assumed-role":
      return roleByArn(lookup, principal.account, principal.roleName, principal.roleArn);
    case "workload":
      return workloadByArn(lookup, principal.account, principal.arn);
  }
}

function rootByArn(lookup: DirectoryLookup, account: string, arn: string): Parsed<KnownCaller> {
  if (lookup.accountById(account) === null) {
    const ids = lookup.directory.accounts.map(({ id }) => id);
    return unknown("account", arn, nearest(account, ids));
  }
  const policies = policiesOfAccount(lookup, account);
  return found(lookup, account, { policies, entity: null }, "active", arn);
}

function userByArn(
  lookup: DirectoryLookup,
  account: string,
  name: string,
  arn: string,
): Parsed<KnownCaller> {
  const user = lookup.userByName(account, name);
  if (user === null) {
    return unknown("user", arn, nearest(name, namesIn(lookup.directory.users, account)));
  }
  if (user.arn !== arn) return unknown("user", arn, user.arn);
  const policies = policiesOfUser(lookup, user);
  return found(lookup, account, { policies, entity: user }, user.state, arn);
}

function roleByArn(
  lookup: DirectoryLookup,
  account: string,
  name: string,
  arn: string,
): Parsed<KnownCaller> {
  const role = lookup.roleByName(account, name);
  if (role === null) {
    return unknown("role", arn, nearest(name, namesIn(lookup.directory.roles, account)));
  }
  if (role.arn !== arn) return unknown("role", arn, role.arn);
  const policies = policiesOfRole(lookup, role);
  return found(lookup, account, { policies, entity: role }, role.state, arn);
}

function workloadByArn(lookup: DirectoryLookup, account: string, arn: string): Parsed<KnownCaller> {
  const marker = ":workload/";
  const spiffeId = `spiffe://${arn.slice(arn.indexOf(marker) + marker.length)}`;
  const parsed = parseSpiffeId(spiffeId);
  const id = parsed.ok ? parsed.value : null;
  const owner = id && lookup.accountOfSpiffeId(id.trustDomain, tableNamespaceOf(id));
  if (owner !== account) {
    const message = `no trust domain gives ${quote(spiffeId)} to the account ${quote(account)}`;
    return { ok: false, code: "unknown-principal", message };
  }
  const document = lookup.workloadBySpiffeId(spiffeId);
  // a document of another account is no document of this identity (FILE-22)
  const entity = document?.account === account ? document : null;
  const policies = policiesOfWorkload(lookup, entity, account);
  return found(lookup, account, { policies, entity }, entity?.state ?? "active", arn);
}

function found(
  lookup: DirectoryLookup,
  account: string,
  value: KnownCaller,
  state: EntityState,
  arn: string,
): Parsed<KnownCaller> {
  const isDisabled = state === "disabled" || lookup.accountById(account)?.state === "disabled";
  if (!isDisabled) return { ok: true, value };
  return { ok: false, code: "disabled-principal", message: `${quote(arn)} is disabled` };
}

function namesIn(
  entities: readonly { readonly account: string; readonly name: string }[],
  account: string,
): readonly string[] {
  return entities.filter((entity) => entity.account === account).map(({ name }) => name);
}

function unknown(what: string, arn: string, near: string | null): Parsed<KnownCaller> {
  const message = `the documents have no ${what} ${quote(arn)}${meant(near)}`;
  return { ok: false, code: "unknown-principal", message };
}
