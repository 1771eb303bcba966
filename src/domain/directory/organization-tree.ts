import type { OrganizationFacts } from "../../iam/request-context.ts";
import { fullAccess } from "./full-access.ts";
import type { Account, Directory, OrganizationPolicy } from "./model.ts";
import type { PoisonIndex, UnusablePolicy } from "./poison-index.ts";
import type { AppliedPolicy } from "./policies.ts";

export type Levels = readonly (readonly AppliedPolicy[])[];

/** What an account's place in the tree means for decisions. Frozen, one record an account. */
export interface AccountPlace {
  /** Null: the account is in no organization. */
  readonly organization: OrganizationFacts | null;
  /** Root first, null: no such step (APP-1). */
  readonly serviceControl: Levels | null;
  readonly resourceControl: Levels | null;
}

/** Returns the place of an account; the same record for the same account. */
export type PlaceOf = (account: string) => AccountPlace;

const nowhere: AccountPlace = Object.freeze({
  organization: null,
  serviceControl: null,
  resourceControl: null,
});

/**
 * Returns where the accounts of `directory` stand. A place is worked out when it is first asked for, in
 * the depth of the tree, and kept.
 *
 * SCPs are enabled as soon as one exists; FullAWSAccess is then attached to the root, every OU and every
 * account, unless a record with `policy` null says where instead (FILE-25). RCPFullAWSAccess is nothing
 * to evaluate, so a level without RCPs is an empty list (DEC-2).
 *
 * What cannot be known denies: an account or OU that is poisoned or without a parent, and any account
 * while the organization is poisoned, has one level that holds the stand-in of what is missing. A
 * poisoned SCP or RCP may be attached anywhere, so it stands at every root.
 */
export function createOrganizationTree(
  directory: Directory,
  accountById: (id: string) => Account | null,
  poison: PoisonIndex,
): PlaceOf {
  const places = new Map<string, AccountPlace>();
  const describe = placing(directory, accountById, poison);
  return (account) => {
    const known = places.get(account);
    if (known !== undefined) return known;
    const made = describe(account);
    places.set(account, made);
    return made;
  };
}

function placing(
  directory: Directory,
  accountById: (id: string) => Account | null,
  poison: PoisonIndex,
): PlaceOf {
  const { organization, serviceControlPolicies, resourceControlPolicies } = directory;
  const [lostOrganization] = poison.ofKind("organization");
  const units = new Map(directory.organizationalUnits.map((unit) => [unit.id, unit]));
  const lostServiceControl = poison.ofKind("serviceControlPolicy");
  const lostResourceControl = poison.ofKind("resourceControlPolicy");
  const serviceControlEnabled = serviceControlPolicies.length + lostServiceControl.length > 0;
  const resourceControlEnabled = resourceControlPolicies.length + lostResourceControl.length > 0;
  const serviceControl = attachments(serviceControlPolicies);
  const resourceControl = attachments(resourceControlPolicies);
  const fullAccessEverywhere = serviceControlPolicies.every(({ policy }) => policy !== null);
  const always = fullAccessEverywhere ? [fullAccess] : [];

  const unknown = (lost: UnusablePolicy): AccountPlace =>
    Object.freeze({
      organization: Object.freeze({
        id: organization?.id ?? directory.org,
        managementAccount: organization?.managementAccountId ?? null,
        path: null,
        serviceControlEnabled: true,
      }),
      serviceControl: [[lost]],
      resourceControl: [[lost]],
    });

  return (id) => {
    if (lostOrganization !== undefined) return unknown(lostOrganization);
    if (organization === null) return nowhere;
    const lostAccount = poison.byId(id);
    if (lostAccount !== null) return unknown(lostAccount);
    const account = accountById(id);
    if (account === null) return nowhere;
    // Where an organization exists it holds every account that is known (FILE-10).
    if (account.parentId === null) return unknown(poison.missing(organization.rootId));
    // From the account up to the root; a cycle or a gap ends it short of the root.
    const chain = [id];
    let step = account.parentId;
    while (step !== organization.rootId) {
      const unit = units.get(step);
      if (unit === undefined || chain.includes(step)) return unknown(poison.missing(step));
      chain.push(step);
      step = unit.parentId;
    }
    chain.push(step);
    chain.reverse();
    const levels = (
      attached: ReadonlyMap<string, readonly AppliedPolicy[]>,
      always: readonly AppliedPolicy[],
      lost: readonly AppliedPolicy[],
    ): Levels =>
      chain.map((target, level) => [
        ...always,
        ...(attached.get(target) ?? []),
        ...(level === 0 ? lost : []),
      ]);
    return Object.freeze({
      organization: Object.freeze({
        id: organization.id,
        managementAccount: organization.managementAccountId,
        path: `${[organization.id, ...chain.slice(0, -1)].join("/")}/`,
        serviceControlEnabled,
      }),
      serviceControl: serviceControlEnabled
        ? levels(serviceControl, always, lostServiceControl)
        : null,
      resourceControl: resourceControlEnabled
        ? levels(resourceControl, [], lostResourceControl)
        : null,
    });
  };
}

/** Returns the policies by the targets they are attached to, in the order of their ids. */
function attachments(
  policies: readonly OrganizationPolicy[],
): ReadonlyMap<string, readonly AppliedPolicy[]> {
  const byTarget = new Map<string, AppliedPolicy[]>();
  for (const { targetIds, policy } of policies) {
    for (const target of targetIds) {
      const attached = byTarget.get(target);
      if (attached === undefined) byTarget.set(target, [policy ?? fullAccess]);
      else attached.push(policy ?? fullAccess);
    }
  }
  return byTarget;
}
