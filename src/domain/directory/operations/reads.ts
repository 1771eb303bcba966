import { quote } from "../../../iam/problem.ts";
import { entityName } from "../shape/names.ts";
import { optional, required } from "../shape/shape.ts";
import { asKind } from "../state/entity.ts";
import { describeAssignment } from "./account-assignments.ts";
import { arnOf } from "./arn-of.ts";
import { isNamed } from "./attachments.ts";
import { providerSubject, trustDomainSubject } from "./identity-sources.ts";
import { describeVersion, versionId, versionOf } from "./managed-policies.ts";
import { done, type Operation, type OperationContext } from "./operation.ts";
import { accountSubject } from "./organization.ts";
import { targetId } from "./organization-policies.ts";
import { organizationReads } from "./organization-reads.ts";
import { type Item, page, pageMembers } from "./pagination.ts";
import { describePermissionSet, permissionSetSubject } from "./permission-sets.ts";
import { assignmentsOf } from "./provisioning.ts";
import { getting, listing, listingAll, reading } from "./reading.ts";
import { isRefused, refuse } from "./refusal.ts";
import { serviceSubject } from "./services.ts";
import {
  type IdentityEntity,
  type IdentityKind,
  identities,
  identity,
  managedPolicySubject,
} from "./subject.ts";
import { membersOf } from "./users-and-groups.ts";
import {
  describeGroup,
  describePolicy,
  describeRole,
  describeTags,
  describeUser,
  describeWorkload,
} from "./views.ts";

function describe(entity: IdentityEntity, { state }: OperationContext): unknown {
  switch (entity.kind) {
    case "user":
      return describeUser(state, entity);
    case "group":
      return describeGroup(entity);
    case "role":
      return describeRole(state, entity);
    case "workload":
      return describeWorkload(state, entity);
  }
}

function identityReads(kind: IdentityKind): readonly Operation[] {
  const { title, service } = identities[kind];
  const subject = identity(kind);
  const common = { service, subject, members: {} } as const;
  return [
    ...(kind === "group" ? [] : [getting(`Get${title}`, service, subject, kind, describe)]),
    listingAll({
      name: `List${title}s`,
      service,
      kind,
      scope: "account",
      hasPath: kind !== "workload",
      member: `${kind}s`,
      show: describe,
    }),
    listing({
      ...common,
      name: `ListAttached${title}Policies`,
      member: "attachedPolicies",
      items: ({ record }, _input, { state }) =>
        record.attachedPolicyIds.map((id): Item => {
          const policy = asKind(state.get(id), "managedPolicy");
          const { name: policyName, arn: policyArn } = policy?.record ?? { name: id, arn: id };
          return { key: id, show: () => ({ policyName, policyArn }) };
        }),
    }),
    listing({
      ...common,
      name: `List${title}Policies`,
      member: "policyNames",
      items: ({ record: { arn, inlinePolicies } }) =>
        inlinePolicies.map(({ id }): Item => ({ key: id, show: () => id.slice(arn.length + 1) })),
    }),
    reading({
      name: `Get${title}Policy`,
      service,
      subject,
      members: { policyName: required(entityName(128), "The inline policy.") },
      show: ({ record: { arn, inlinePolicies } }, { policyName }) => {
        const found = inlinePolicies.find(({ id }) => isNamed(id, arn, policyName));
        if (found === undefined) {
          return refuse("NoSuchEntity", `no inline policy ${quote(policyName)}`, { resource: arn });
        }
        return done([], {
          policyName: found.id.slice(arn.length + 1),
          policyDocument: found.text,
        });
      },
    }),
  ];
}

function tagReads(kind: Exclude<IdentityKind, "group">): Operation {
  const { title, service } = identities[kind];
  return listing({
    name: `List${title}Tags`,
    service,
    subject: identity(kind),
    members: {},
    member: "tags",
    items: ({ record }) =>
      describeTags(record.tags).map((tag): Item => ({ key: String(tag.key), show: () => tag })),
  });
}

const getGroup = reading({
  name: "GetGroup",
  service: "iam",
  subject: identity("group"),
  members: pageMembers,
  show: (group, input, context) => {
    const items = membersOf(context, group).map(
      (user): Item => ({ key: user.nameKey, show: () => describeUser(context.state, user) }),
    );
    const shown = page("iam:GetGroup", "users", items, input);
    if (isRefused(shown)) return shown;
    return done([], { group: describeGroup(group), ...shown.answer });
  },
});

const listGroupsForUser = listing({
  name: "ListGroupsForUser",
  service: "iam",
  subject: identity("user"),
  members: {},
  member: "groups",
  items: function* ({ record }, _input, { state }): Generator<Item> {
    for (const id of record.groupIds) {
      const group = asKind(state.get(id), "group");
      if (group !== null) yield { key: group.nameKey, show: () => describeGroup(group) };
    }
  },
});

const policyReads: readonly Operation[] = [
  getting("GetPolicy", "iam", managedPolicySubject, "policy", (policy, { state }) =>
    describePolicy(state, policy),
  ),
  reading({
    name: "GetPolicyVersion",
    service: "iam",
    subject: managedPolicySubject,
    members: { versionId: required(versionId, "The version.") },
    show: (policy, input) => {
      const version = versionOf(policy, input.versionId);
      if (isRefused(version)) return version;
      const shown = { ...describeVersion(policy, version), document: version.text };
      return done([], { policyVersion: shown });
    },
  }),
  listing({
    name: "ListPolicyVersions",
    service: "iam",
    subject: managedPolicySubject,
    members: {},
    member: "versions",
    items: (policy) =>
      policy.versions.map(
        (version): Item => ({
          key: version.versionId.slice(1).padStart(10, "0"),
          show: () => describeVersion(policy, version),
        }),
      ),
  }),
  listingAll({
    name: "ListPolicies",
    service: "iam",
    kind: "managedPolicy",
    scope: "account",
    hasPath: true,
    member: "policies",
    show: (policy, { state }) => describePolicy(state, policy),
  }),
  listing({
    name: "ListEntitiesForPolicy",
    service: "iam",
    subject: managedPolicySubject,
    members: {},
    member: "policyEntities",
    items: function* (policy, _input, { state }): Generator<Item> {
      for (const id of state.referrers(policy.id)) {
        const object = state.get(id);
        if (object === undefined) continue;
        yield { key: id, show: () => ({ type: object.kind, id, arn: arnOf(state, object) }) };
      }
    },
  }),
];

const permissionSetReads: readonly Operation[] = [
  getting("DescribePermissionSet", "sso", permissionSetSubject, "permissionSet", (set, { state }) =>
    describePermissionSet(state, set),
  ),
  listingAll({
    name: "ListPermissionSets",
    service: "sso",
    kind: "permissionSet",
    scope: "organization",
    member: "permissionSets",
    show: (set, { state }) => describePermissionSet(state, set),
  }),
  listing({
    name: "ListAccountAssignments",
    service: "sso",
    subject: permissionSetSubject,
    members: {
      accountId: optional(
        accountSubject.members.accountId?.shape ?? targetId,
        null,
        "One account.",
      ),
    },
    member: "accountAssignments",
    items: (set, input, { state }) => {
      const account = typeof input.accountId === "string" ? input.accountId : null;
      return assignmentsOf(state, set.id, account).map(
        (one): Item => ({ key: one.id, show: () => describeAssignment(state, one) }),
      );
    },
  }),
];

const sourceReads: readonly Operation[] = [
  getting("GetOpenIDConnectProvider", "iam", providerSubject, "openIDConnectProvider", (one) => ({
    ...one.record,
    revision: one.modRevision,
  })),
  listingAll({
    name: "ListOpenIDConnectProviders",
    service: "iam",
    kind: "oidcProvider",
    scope: "account",
    member: "openIDConnectProviderList",
    show: ({ record: { arn } }) => ({ arn }),
  }),
  getting("GetTrustDomain", "mesh-iam", trustDomainSubject, "trustDomain", (one) => ({
    ...one.record,
    revision: one.modRevision,
  })),
  listingAll({
    name: "ListTrustDomains",
    service: "mesh-iam",
    kind: "trustDomain",
    scope: "organization",
    member: "trustDomains",
    show: ({ record: { name } }) => ({ name }),
  }),
  getting("GetServiceDefinition", "mesh-iam", serviceSubject, "service", (one) => ({
    ...one.record,
    tags: describeTags(one.record.tags),
    resourcePolicy: one.record.resourcePolicy?.text ?? null,
    revision: one.modRevision,
  })),
  listingAll({
    name: "ListServiceDefinitions",
    service: "mesh-iam",
    kind: "service",
    scope: "account",
    member: "services",
    show: ({ record: { name: serviceName, arn } }) => ({ serviceName, arn }),
  }),
];

export const readOperations: readonly Operation[] = [
  ...(["user", "group", "role", "workload"] as const).flatMap(identityReads),
  ...(["user", "role", "workload"] as const).map(tagReads),
  getGroup,
  listGroupsForUser,
  ...policyReads,
  ...organizationReads,
  ...permissionSetReads,
  ...sourceReads,
];
