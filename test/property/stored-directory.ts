import type { Directory, PolicyText } from "../../src/domain/directory/model.ts";
import type { Entity, Kind } from "../../src/domain/directory/state/entity.ts";
import { withNameKey } from "../../src/domain/directory/state/stored-form.ts";

/** Policies under the ids that they have where they are stored. */
export function asStored(directory: Directory): Directory {
  const inline = <
    T extends { readonly arn: string; readonly inlinePolicies: readonly PolicyText[] },
  >(
    one: T,
  ): T => ({
    ...one,
    inlinePolicies: one.inlinePolicies.map((policy, i) => ({ ...policy, id: `${one.arn}/p${i}` })),
  });
  return {
    ...directory,
    users: directory.users.map(inline),
    groups: directory.groups.map(inline),
    workloads: directory.workloads.map(inline),
    roles: directory.roles.map((role) => ({
      ...inline(role),
      trustPolicy: { ...role.trustPolicy, id: `${role.arn}/assumeRolePolicyDocument` },
    })),
    managedPolicies: directory.managedPolicies.map((one) => ({
      ...one,
      policy: { ...one.policy, id: one.arn },
    })),
    services: directory.services.map((one) => ({
      ...one,
      resourcePolicy: one.resourcePolicy && {
        ...one.resourcePolicy,
        id: `${one.arn}/resourcePolicy`,
      },
    })),
  };
}

const lists = {
  organizationalUnits: "organizationalUnit",
  accounts: "account",
  serviceControlPolicies: "serviceControlPolicy",
  resourceControlPolicies: "resourceControlPolicy",
  users: "user",
  groups: "group",
  roles: "role",
  workloads: "workload",
  managedPolicies: "managedPolicy",
  oidcProviders: "oidcProvider",
  trustDomains: "trustDomain",
  services: "service",
} as const satisfies Partial<Record<keyof Directory, Kind>>;

/** Returns the entities of a directory, with what only the store knows at plain values. */
export function entitiesOfDirectory(directory: Directory): Entity[] {
  const frame = {
    manager: "api",
    createdAtMs: 1,
    labels: new Map<string, string>(),
    description: "",
    createRevision: 1,
    modRevision: 1,
    size: 0,
    foreign: null,
    nameKey: "",
  };
  const entities: unknown[] = [];
  for (const [list, kind] of Object.entries(lists)) {
    for (const record of directory[list as keyof typeof lists]) {
      const { id } = record;
      const account = "account" in record ? record.account : "";
      const entity = { ...frame, kind, id, account, record };
      if (kind === "managedPolicy" && "policy" in record) {
        const text = record.policy?.text ?? "";
        const versions = [{ versionId: "v1", text, createdAtMs: 1 }];
        entities.push({ ...entity, versions, defaultVersionId: "v1", lastVersion: 1 });
      } else if (kind === "role") {
        entities.push({ ...entity, trusted: [], permissionSetId: null, sessionsValidFrom: null });
      } else if (kind === "user" || kind === "workload") {
        entities.push({ ...entity, sessionsValidFrom: null });
      } else entities.push(entity);
    }
  }
  const { organization: record, partition } = directory;
  if (record !== null) {
    entities.push({
      ...frame,
      kind: "organization",
      id: record.id,
      account: "",
      partition,
      record,
    });
  }
  return (entities as Entity[]).map(withNameKey);
}
