import type { ExistingObjects } from "../../document-options.ts";
import { asKind, type Kind } from "../../state/entity.ts";
import {
  entitiesOf,
  type OrganizationState,
  organizationOf,
} from "../../state/organization-state.ts";
import { nameKeyOf } from "../../state/stored-form.ts";
import { trustTableOf } from "../../trust-table.ts";

/** The kinds that documents may refer to by name, with the store's words for them. */
const kinds: Readonly<Record<string, Kind>> = {
  User: "user",
  Group: "group",
  Role: "role",
  ManagedPolicy: "managedPolicy",
  PermissionSet: "permissionSet",
  TrustDomain: "trustDomain",
};

/**
 * Returns what documents may refer to beside themselves: the objects of `state`. The tables of units,
 * trust domains and permission sets are made at once, everything else is looked up.
 */
export function existingObjects(state: OrganizationState): ExistingObjects {
  const domains = entitiesOf(state.all("trustDomain"), "trustDomain");
  const sets = entitiesOf(state.all("permissionSet"), "permissionSet");
  return {
    organization: organizationOf(state)?.record ?? null,
    units: unitsByPath(state),
    hasAccount: (id) => state.named("account", "", id) !== undefined,
    pathOf: (kind, account, name) => {
      const stored = kinds[kind];
      if (stored === undefined) return undefined;
      const found = asKind(state.named(stored, account, nameKeyOf(name)), stored);
      if (found === null || !("name" in found.record) || found.record.name !== name)
        return undefined;
      return "path" in found.record ? found.record.path : "/";
    },
    trustTables: new Map([...domains].map(({ record }) => [record.name, trustTableOf(record)])),
    permissionSets: new Map(
      [...sets].map(({ record: { name, managedPolicies, permissionsBoundary } }) => [
        name,
        permissionsBoundary === null ? managedPolicies : [...managedPolicies, permissionsBoundary],
      ]),
    ),
  };
}

/** Returns the ids of organizational units by their paths; a unit that hangs on none is left out. */
export function unitsByPath(state: OrganizationState): ReadonlyMap<string, string> {
  const root = organizationOf(state)?.record.rootId;
  const units = [...entitiesOf(state.all("organizationalUnit"), "organizationalUnit")];
  const children = Map.groupBy(units, ({ record }) => record.parentId);
  const paths = new Map<string, string>();
  const walk = (parent: string, prefix: string): void => {
    for (const { id, record } of children.get(parent) ?? []) {
      const path = `${prefix}/${record.name}`;
      if (paths.has(path)) continue;
      paths.set(path, id);
      walk(id, path);
    }
  };
  if (root !== undefined) walk(root, "");
  return paths;
}
