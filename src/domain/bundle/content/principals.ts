import { create } from "@bufbuild/protobuf";
import {
  EntityState as EntityStateNumber,
  type Group as GroupMessage,
  GroupSchema,
  type Identity as IdentityMessage,
  IdentitySchema,
  type Role as RoleMessage,
  RoleSchema,
  SessionBinding,
  type User as UserMessage,
  UserSchema,
  type Workload as WorkloadMessage,
  WorkloadSchema,
} from "../../../gen/meshiam/bundle/v1/principal_pb.ts";
import type { EntityState, Group, Role, User, Workload } from "../../directory/model.ts";
import type { ObjectCheck } from "./object-check.ts";
import { decodeTags, encodePolicy, encodeTags } from "./policies.ts";
import { createWords } from "./words.ts";

/** The two states of an entity. */
export const entityStates = createWords<EntityState, EntityStateNumber>({
  active: EntityStateNumber.ACTIVE,
  disabled: EntityStateNumber.DISABLED,
});

const sessionBindings = createWords<Role["sessionBinding"], SessionBinding>({
  peer: SessionBinding.PEER,
  certificate: SessionBinding.CERTIFICATE,
  none: SessionBinding.NONE,
});

export function encodeUser(user: User): UserMessage {
  return create(UserSchema, {
    identity: encodeIdentity(user),
    path: user.path,
    ...encodePrincipal(user),
    groupIds: [...user.groupIds],
  });
}

export function encodeGroup(group: Group): GroupMessage {
  return create(GroupSchema, { identity: encodeIdentity(group), path: group.path });
}

export function encodeRole(role: Role): RoleMessage {
  return create(RoleSchema, {
    identity: encodeIdentity(role),
    path: role.path,
    ...encodePrincipal(role),
    trustPolicy: encodePolicy(role.trustPolicy),
    maxSessionSeconds: role.maxSessionSeconds,
    sessionBinding: sessionBindings.numberOf(role.sessionBinding),
    serviceLinked: role.serviceLinked,
  });
}

export function encodeWorkload(workload: Workload): WorkloadMessage {
  return create(WorkloadSchema, {
    identity: encodeIdentity(workload),
    ...encodePrincipal(workload),
    spiffeId: workload.spiffeId,
  });
}

function encodeIdentity(identity: User | Group | Role | Workload): IdentityMessage {
  return create(IdentitySchema, {
    id: identity.id,
    name: identity.name,
    arn: identity.arn,
    attachedPolicyIds: [...identity.attachedPolicyIds],
    inlinePolicies: identity.inlinePolicies.map(encodePolicy),
  });
}

function encodePrincipal(principal: User | Role | Workload) {
  const { permissionsBoundaryId } = principal;
  return {
    state: entityStates.numberOf(principal.state),
    tags: encodeTags(principal.tags),
    ...(permissionsBoundaryId === null ? {} : { permissionsBoundaryId }),
  };
}

export function decodeUser(message: UserMessage, account: string, check: ObjectCheck): User {
  return Object.freeze({
    ...decodeIdentity(message.identity, account, check),
    path: message.path,
    ...decodePrincipal(message, check),
    groupIds: message.groupIds,
  });
}

export function decodeGroup(message: GroupMessage, account: string, check: ObjectCheck): Group {
  return Object.freeze({
    ...decodeIdentity(message.identity, account, check),
    path: message.path,
  });
}

export function decodeRole(message: RoleMessage, account: string, check: ObjectCheck): Role {
  return Object.freeze({
    ...decodeIdentity(message.identity, account, check),
    path: message.path,
    ...decodePrincipal(message, check),
    trustPolicy: check.policy(message.trustPolicy, "trustPolicy"),
    maxSessionSeconds: message.maxSessionSeconds,
    sessionBinding: check.word(sessionBindings, message.sessionBinding, "sessionBinding"),
    serviceLinked: message.serviceLinked,
  });
}

export function decodeWorkload(
  message: WorkloadMessage,
  account: string,
  check: ObjectCheck,
): Workload {
  return Object.freeze({
    ...decodeIdentity(message.identity, account, check),
    ...decodePrincipal(message, check),
    spiffeId: check.filled(message.spiffeId, "spiffeId"),
  });
}

function decodeIdentity(message: IdentityMessage | undefined, account: string, check: ObjectCheck) {
  if (message === undefined) check.fail("identity is absent");
  return {
    id: check.filled(message?.id ?? "", "id"),
    account,
    name: check.filled(message?.name ?? "", "name"),
    arn: check.filled(message?.arn ?? "", "arn"),
    attachedPolicyIds: message?.attachedPolicyIds ?? [],
    inlinePolicies: (message?.inlinePolicies ?? []).map((one) =>
      check.policy(one, "inlinePolicies"),
    ),
  };
}

function decodePrincipal(message: UserMessage | RoleMessage | WorkloadMessage, check: ObjectCheck) {
  return {
    permissionsBoundaryId: message.permissionsBoundaryId ?? null,
    tags: decodeTags(message.tags, check),
    state: check.word(entityStates, message.state, "state"),
  };
}
