import { create } from "@bufbuild/protobuf";
import {
  type AccountPlace as AccountPlaceMessage,
  AccountPlaceSchema,
  type OrganizationalUnit as OrganizationalUnitMessage,
  OrganizationalUnitSchema,
  type OrganizationFacts,
  OrganizationFactsSchema,
  type OrganizationPolicy as OrganizationPolicyMessage,
  OrganizationPolicySchema,
} from "../../../gen/meshiam/bundle/v1/organization_pb.ts";
import type {
  Account,
  EntityState,
  Organization,
  OrganizationalUnit,
  OrganizationPolicy,
} from "../../directory/model.ts";
import type { ObjectCheck } from "./object-check.ts";
import { encodePolicy } from "./policies.ts";
import { entityStates } from "./principals.ts";

/** Where an account stands, which every slice knows; the rest is in the account's index. */
export interface AccountPlace {
  readonly id: string;
  readonly parentId: string | null;
  readonly state: EntityState;
}

export function encodeOrganization(organization: Organization): OrganizationFacts {
  return create(OrganizationFactsSchema, organization);
}

export function decodeOrganization(message: OrganizationFacts, check: ObjectCheck): Organization {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    rootId: check.filled(message.rootId, "rootId"),
    name: message.name,
    managementAccountId: check.filled(message.managementAccountId, "managementAccountId"),
  });
}

export function encodeOrganizationalUnit(unit: OrganizationalUnit): OrganizationalUnitMessage {
  return create(OrganizationalUnitSchema, unit);
}

export function decodeOrganizationalUnit(
  message: OrganizationalUnitMessage,
  check: ObjectCheck,
): OrganizationalUnit {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    name: message.name,
    parentId: check.filled(message.parentId, "parentId"),
  });
}

export function encodeAccountPlace(account: Account): AccountPlaceMessage {
  return create(AccountPlaceSchema, {
    id: account.id,
    ...(account.parentId === null ? {} : { parentId: account.parentId }),
    state: entityStates.numberOf(account.state),
  });
}

export function decodeAccountPlace(message: AccountPlaceMessage, check: ObjectCheck): AccountPlace {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    parentId: message.parentId ?? null,
    state: check.word(entityStates, message.state, "state"),
  });
}

export function encodeOrganizationPolicy(policy: OrganizationPolicy): OrganizationPolicyMessage {
  return create(OrganizationPolicySchema, {
    id: policy.id,
    name: policy.name,
    targetIds: [...policy.targetIds],
    content:
      policy.policy === null
        ? { case: "fullAccess", value: {} }
        : { case: "policy", value: encodePolicy(policy.policy) },
  });
}

export function decodeOrganizationPolicy(
  message: OrganizationPolicyMessage,
  check: ObjectCheck,
): OrganizationPolicy {
  const { content } = message;
  if (content.case === undefined) check.fail("policy is absent");
  return Object.freeze({
    id: check.filled(message.id, "id"),
    name: check.filled(message.name, "name"),
    targetIds: message.targetIds,
    policy: content.case === "policy" ? check.policy(content.value, "policy") : null,
  });
}
