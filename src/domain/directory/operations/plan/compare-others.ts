import { parseArn } from "../../../../iam/arn.ts";
import { oidcProviderArn } from "../../arns.ts";
import type { Entity, EntityOf, Kind, RecordOf } from "../../state/entity.ts";
import { kindCodecs } from "../../state/kinds/registry.ts";
import type { OrganizationState } from "../../state/organization-state.ts";
import { nameKeyOf } from "../../state/stored-form.ts";
import { principalByArn } from "../../state/trusted-principals.ts";
import { arnFacts, permissionSetArn } from "../arn-of.ts";
import { assignmentsOf } from "../provisioning.ts";
import type { Desired } from "./desired.ts";
import {
  type Comparison,
  changed,
  type Difference,
  type Impossible,
  source,
  tagDifferences,
} from "./difference.ts";

type Of<K extends Desired["kind"]> = Extract<Desired, { readonly kind: K }>;

export const comparePolicies: Comparison<Of<"managedPolicy">> = {
  find: ({ record }, state) => state.named("managedPolicy", record.account, nameKeyOf(record.name)),
  differences: ({ record }, current, _state, canDeny) => {
    const { account, name, path, arn, policy } = record;
    const policyDocument = source(policy.text);
    if (current === null) {
      const input = { account, policyName: name, path, policyDocument, description: null };
      const operation = "iam:CreatePolicy";
      return [{ phase: "create", operation, input, field: "", before: null, after: arn }];
    }
    const entity = current as EntityOf<"managedPolicy">;
    if (entity.record.arn !== arn) {
      const impossible = `the policy is ${entity.record.arn}: neither its path nor the spelling of its name can be changed, delete it first`;
      return [{ impossible, field: "metadata.path" }];
    }
    const before = entity.record.policy.text;
    if (before === policy.text) return [];
    const phase = canDeny(policy.text) ? "restrict" : "change";
    const oldest = entity.versions.find((one) => one.versionId !== entity.defaultVersionId);
    const subject = { policyArn: arn, expectedRevision: null };
    const room: Difference[] =
      entity.versions.length < maxVersions || oldest === undefined
        ? []
        : [
            {
              phase,
              operation: "iam:DeletePolicyVersion",
              input: { ...subject, versionId: oldest.versionId },
              field: "versions",
              before: oldest.versionId,
              after: null,
            },
          ];
    const version: Difference = {
      phase,
      operation: "iam:CreatePolicyVersion",
      input: { ...subject, policyDocument, setAsDefault: true },
      field: "spec.policyDocument",
      before,
      after: policy.text,
    };
    return [...room, version];
  },
};

/** AWS keeps five; whoever allows fewer makes room himself. */
const maxVersions = 5;

/** Returns the differences of an object that is written whole: none, or one that replaces it. */
function whole<K extends "trustDomain" | "oidcProvider" | "service">(
  kind: K,
  wanted: RecordOf<K>,
  current: Entity | null,
  how: Pick<Difference, "phase" | "operation" | "input">,
): readonly Difference[] {
  const after = written(kind, wanted);
  if (current === null) return [{ ...how, field: "", before: null, after }];
  const entity = current as EntityOf<K>;
  const before = written(kind, entity.record);
  return before === after ? [] : [{ ...how, field: "spec", before, after }];
}

const frame = { manager: "api", createdAtMs: 0, labels: new Map(), description: "" };

/** The record as it would be stored, without its ids. */
function written<K extends Kind>(kind: K, record: RecordOf<K>): string {
  const codec = kindCodecs[kind];
  const entity = { ...frame, kind, record } as unknown as EntityOf<K>;
  return codec.doc.write(codec.toDoc(entity));
}

export const compareTrustDomains: Comparison<Of<"trustDomain">> = {
  find: ({ record }, state) => state.named("trustDomain", "", nameKeyOf(record.name)),
  differences: ({ record }, current) =>
    whole("trustDomain", record, current, {
      phase: "create",
      operation: "mesh-iam:PutTrustDomain",
      input: { account: null, record, expectedRevision: null },
    }),
};

export const compareProviders: Comparison<Of<"oidcProvider">> = {
  find: ({ record }, state) => {
    const name = nameKeyOf(record.issuer.slice("https://".length));
    return state.named("oidcProvider", record.account, name);
  },
  differences: ({ record }, current, state) => {
    const { account, issuer } = record;
    const arn = oidcProviderArn(arnFacts(state).partition, account, issuer);
    const verb = current === null ? "Create" : "Update";
    return whole("oidcProvider", { ...record, arn }, current, {
      phase: "connect",
      operation: `iam:${verb}OpenIDConnectProvider`,
      input: { account, record, expectedRevision: null },
    });
  },
};

export const compareServices: Comparison<Of<"service">> = {
  find: ({ record }, state) => state.named("service", record.account, nameKeyOf(record.name)),
  differences: ({ record }, current) =>
    whole("service", record, current, {
      phase: "connect",
      operation: "mesh-iam:PutServiceDefinition",
      input: { account: record.account, record, expectedRevision: null },
    }),
};

export const comparePermissionSets: Comparison<Of<"permissionSet">> = {
  find: ({ record }, state) => state.named("permissionSet", "", nameKeyOf(record.name)),
  differences: ({ record }, current, state) => {
    const hours = `PT${record.sessionSeconds / 3600}H`;
    if (current === null) {
      const { name, tags } = record;
      const input = { name, sessionDuration: hours, description: null, tags };
      const operation = "sso:CreatePermissionSet";
      return [{ phase: "create", operation, input, field: "", before: null, after: name }];
    }
    return ofPermissionSet(record, (current as EntityOf<"permissionSet">).record, hours, state);
  },
};

function ofPermissionSet(
  wanted: Of<"permissionSet">["record"],
  before: RecordOf<"permissionSet">,
  hours: string,
  state: OrganizationState,
): readonly (Difference | Impossible)[] {
  const subject = {
    permissionSetArn: permissionSetArn(arnFacts(state), before.id),
    expectedRevision: null,
  };
  const same = ({ name, path }: { name: string; path: string }) => `${path}${name}`;
  const present = before.managedPolicies.map(same);
  const references = wanted.managedPolicies.map(same);
  const field = "spec.customerManagedPolicyReferences";
  const boundary = wanted.permissionsBoundary;
  const { inlinePolicy } = wanted;
  return [
    ...changed(before.sessionSeconds, wanted.sessionSeconds, {
      phase: "connect",
      operation: "sso:UpdatePermissionSet",
      input: { ...subject, description: null, sessionDuration: hours },
      field: "spec.sessionDuration",
    }),
    ...changed(before.inlinePolicy, inlinePolicy, {
      phase: "connect",
      operation:
        inlinePolicy === null
          ? "sso:DeleteInlinePolicyFromPermissionSet"
          : "sso:PutInlinePolicyToPermissionSet",
      input: inlinePolicy === null ? subject : { ...subject, inlinePolicy: source(inlinePolicy) },
      field: "spec.inlinePolicy",
    }),
    ...before.managedPolicies
      .filter((one) => !references.includes(same(one)))
      .map(
        (customerManagedPolicyReference): Difference => ({
          phase: "connect",
          operation: "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
          input: { ...subject, customerManagedPolicyReference },
          field,
          before: same(customerManagedPolicyReference),
          after: null,
        }),
      ),
    ...wanted.managedPolicies
      .filter((one) => !present.includes(same(one)))
      .map(
        (customerManagedPolicyReference): Difference => ({
          phase: "connect",
          operation: "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
          input: { ...subject, customerManagedPolicyReference },
          field,
          before: null,
          after: same(customerManagedPolicyReference),
        }),
      ),
    ...changed(
      before.permissionsBoundary === null ? null : same(before.permissionsBoundary),
      boundary === null ? null : same(boundary),
      {
        phase: "connect",
        operation:
          boundary === null
            ? "sso:DeletePermissionsBoundaryFromPermissionSet"
            : "sso:PutPermissionsBoundaryToPermissionSet",
        input:
          boundary === null
            ? subject
            : { ...subject, permissionsBoundary: { customerManagedPolicyReference: boundary } },
        field: "spec.permissionsBoundary",
      },
    ),
    ...tagDifferences(
      before.tags,
      wanted.tags,
      { tag: "sso:TagPermissionSet", untag: "sso:UntagPermissionSet" },
      { permissionSetArn: subject.permissionSetArn },
      "connect",
    ),
  ];
}

export const compareAssignments: Comparison<Of<"permissionSetAssignment">> = {
  find: ({ record }, state) => {
    const set = state.named("permissionSet", "", nameKeyOf(record.permissionSet));
    const principal = principalIdOf(state, record);
    if (set === undefined || principal === null) return undefined;
    return assignmentsOf(state, set.id, record.targetId).find(
      (one) => one.record.principalId === principal,
    );
  },
  differences: ({ record }, current, state) => {
    if (current !== null) return [];
    const set = state.named("permissionSet", "", nameKeyOf(record.permissionSet));
    const input = {
      permissionSetArn: permissionSetArn(arnFacts(state), set?.id ?? ""),
      principalType: record.principalType,
      principalId: record.principalArn,
      targetType: "AWS_ACCOUNT",
      targetId: record.targetId,
      name: record.name,
      expectedRevision: null,
    };
    const operation = "sso:CreateAccountAssignment";
    return [{ phase: "connect", operation, input, field: "", before: null, after: record.name }];
  },
};

function principalIdOf(
  state: OrganizationState,
  { principalType, principalArn }: Of<"permissionSetAssignment">["record"],
): string | null {
  if (principalType === "USER") return principalByArn(state, principalArn)?.id ?? null;
  const arn = parseArn(principalArn);
  const name = nameKeyOf(principalArn.slice(principalArn.lastIndexOf("/") + 1));
  return arn.ok ? (state.named("group", arn.value.account, name)?.id ?? null) : null;
}
