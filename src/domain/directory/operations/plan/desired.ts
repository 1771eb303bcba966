import { entityArn } from "../../arns.ts";
import type { ExistingObjects } from "../../document-options.ts";
import type { LoadedDocuments } from "../../documents.ts";
import type {
  Account,
  Group,
  ManagedPolicy,
  OidcProvider,
  Organization,
  OrganizationPolicy,
  Role,
  Service,
  TrustDomain,
  User,
  Workload,
  WrittenAssignment,
  WrittenPermissionSet,
} from "../../model.ts";
import { organizationalUnitIdOf, rootIdOf, uniqueId } from "../../unique-id.ts";

/**
 * What documents want to be there, references by name: policies by ARN, groups by name, units by path.
 * Unique ids of documents are derived (FILE-10) and mean nothing to a control plane.
 */
export type Desired =
  | {
      readonly kind: "organization";
      readonly record: Organization;
      /** Stated ids; null: a control plane makes one (FILE-10). */
      readonly id: string | null;
      readonly rootId: string | null;
    }
  | {
      readonly kind: "organizationalUnit";
      readonly path: string;
      readonly name: string;
      /** Stated, or null. */
      readonly id: string | null;
    }
  | { readonly kind: "account"; readonly record: Account; readonly parentPath: string | null }
  | {
      readonly kind: "serviceControlPolicy" | "resourceControlPolicy";
      readonly record: OrganizationPolicy;
      readonly targets: readonly string[];
    }
  | { readonly kind: "managedPolicy"; readonly record: ManagedPolicy }
  | DesiredIdentity
  | { readonly kind: "trustDomain"; readonly record: TrustDomain }
  | { readonly kind: "oidcProvider"; readonly record: OidcProvider }
  | { readonly kind: "service"; readonly record: Service }
  | { readonly kind: "permissionSet"; readonly record: WrittenPermissionSet }
  | { readonly kind: "permissionSetAssignment"; readonly record: WrittenAssignment };

interface Attached {
  readonly policyArns: readonly string[];
  readonly boundaryArn: string | null;
  readonly groupNames: readonly string[];
}

export type DesiredIdentity = Attached &
  (
    | { readonly kind: "user"; readonly record: User }
    | { readonly kind: "group"; readonly record: Group }
    | { readonly kind: "role"; readonly record: Role }
    | { readonly kind: "workload"; readonly record: Workload }
  );

type Loaded = Extract<LoadedDocuments, { readonly ok: true }>;

/** Documents that were read against a control plane's objects. */
export interface WrittenObjects {
  readonly objects: readonly Desired[];
}

/**
 * Returns `existing` with a memory of what is referred to, for reading documents with, and the function
 * that turns what was read into the objects that are wanted, in the order in which one may rest on
 * another. Needs no state: it runs before the queue (STO-72).
 */
export function createWrittenObjects(existing: ExistingObjects): {
  readonly existing: ExistingObjects;
  readonly from: (loaded: Loaded) => WrittenObjects;
} {
  const referred = new Map<string, { account: string; name: string; path: string }>();
  return {
    existing: {
      ...existing,
      pathOf: (kind, account, name) => {
        const path = existing.pathOf(kind, account, name);
        if (path !== undefined && (kind === "ManagedPolicy" || kind === "Group")) {
          referred.set(uniqueId(kind, account, name), { account, name, path });
        }
        return path;
      },
    },
    from: (loaded) => ({ objects: desiredOf(loaded, existing, referred) }),
  };
}

function desiredOf(
  { value: directory, permissionSets, assignments }: Loaded,
  existing: ExistingObjects,
  referred: ReadonlyMap<string, { account: string; name: string; path: string }>,
): readonly Desired[] {
  const paths = pathsOf(directory, existing);
  const policyArns = new Map(directory.managedPolicies.map(({ id, arn }) => [id, arn]));
  const groupNames = new Map(directory.groups.map(({ id, name }) => [id, name]));
  for (const [id, { account, name, path }] of referred) {
    const arn = entityArn(directory.partition, account, "policy", path, name);
    if (!policyArns.has(id)) policyArns.set(id, arn);
    if (!groupNames.has(id)) groupNames.set(id, name);
  }
  const attached = (one: {
    readonly attachedPolicyIds: readonly string[];
    readonly permissionsBoundaryId?: string | null;
    readonly groupIds?: readonly string[];
  }): Attached => ({
    policyArns: one.attachedPolicyIds.map((id) => policyArns.get(id) ?? id).sort(),
    boundaryArn: one.permissionsBoundaryId
      ? (policyArns.get(one.permissionsBoundaryId) ?? one.permissionsBoundaryId)
      : null,
    groupNames: (one.groupIds ?? []).map((id) => groupNames.get(id) ?? id).sort(),
  });
  const policies = (
    kind: "serviceControlPolicy" | "resourceControlPolicy",
    all: readonly OrganizationPolicy[],
  ): Desired[] =>
    all.map((record) => ({
      kind,
      record,
      targets: record.targetIds.map((id) => paths.get(id) ?? id),
    }));
  const { organization } = directory;
  const units = directory.organizationalUnits.map(({ id, name }): Desired & { path: string } => {
    const path = paths.get(id) ?? `/${name}`;
    const derived = organizationalUnitIdOf(organization?.rootId ?? "r-none", path);
    return { kind: "organizationalUnit", path, name, id: id === derived ? null : id };
  });
  return [
    // One that no document writes is what exists, by the same record.
    ...(organization === null || organization === existing.organization
      ? []
      : [wantedOrganization(organization)]),
    ...units.sort((a, b) => a.path.split("/").length - b.path.split("/").length),
    ...directory.accounts.map((record): Desired => {
      const parentPath = record.parentId === null ? null : (paths.get(record.parentId) ?? null);
      return { kind: "account", record, parentPath };
    }),
    ...policies("serviceControlPolicy", directory.serviceControlPolicies),
    ...policies("resourceControlPolicy", directory.resourceControlPolicies),
    ...directory.managedPolicies.map((record): Desired => ({ kind: "managedPolicy", record })),
    ...directory.groups.map((record): Desired => ({ kind: "group", record, ...attached(record) })),
    ...directory.users.map((record): Desired => ({ kind: "user", record, ...attached(record) })),
    ...directory.roles.map((record): Desired => ({ kind: "role", record, ...attached(record) })),
    ...directory.trustDomains.map((record): Desired => ({ kind: "trustDomain", record })),
    ...directory.workloads.map(
      (record): Desired => ({
        kind: "workload",
        record,
        ...attached(record),
      }),
    ),
    ...permissionSets.map((record): Desired => ({ kind: "permissionSet", record })),
    ...assignments.map((record): Desired => ({ kind: "permissionSetAssignment", record })),
    ...directory.oidcProviders.map((record): Desired => ({ kind: "oidcProvider", record })),
    ...directory.services.map((record): Desired => ({ kind: "service", record })),
  ];
}

function wantedOrganization(record: Organization): Desired {
  const { id, rootId, name } = record;
  return {
    kind: "organization",
    record,
    id: id === uniqueId("Organization", "", name) ? null : id,
    rootId: rootId === rootIdOf(id) ? null : rootId,
  };
}

/** Returns the paths of root and units by their ids, those beside the documents too. */
function pathsOf(
  directory: Loaded["value"],
  existing: ExistingObjects,
): ReadonlyMap<string, string> {
  const paths = new Map([...existing.units].map(([path, id]) => [id, path]));
  const { organization, organizationalUnits } = directory;
  for (const root of [existing.organization?.rootId, organization?.rootId]) {
    if (root !== undefined) paths.set(root, "/");
  }
  // A unit's parent may be written behind it; as many rounds as the tree is deep.
  for (let left = organizationalUnits; left.length > 0; ) {
    const next = left.filter(({ id, name, parentId }) => {
      const parent = paths.get(parentId);
      if (parent === undefined) return true;
      paths.set(id, parent === "/" ? `/${name}` : `${parent}/${name}`);
      return false;
    });
    if (next.length === left.length) break;
    left = next;
  }
  return paths;
}
