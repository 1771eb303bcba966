import type { PolicyText } from "../../model.ts";
import {
  flag,
  ids,
  listOf,
  may,
  need,
  noTags,
  orNull,
  record,
  shared,
  tags,
  text,
  whole,
  word,
} from "../codec.ts";
import { type Frame, frameMembers, frameOf, kindCodec, pointing } from "./kind-codec.ts";

const none: readonly never[] = Object.freeze([]);

const identityMembers = {
  name: need(text),
  arn: need(text),
  attachedPolicyIds: may(ids, none),
  inlinePolicies: may(
    listOf(record({ policyName: need(shared), policyDocument: need(text) }), "policyName"),
    none,
  ),
  ...frameMembers,
};

const principalMembers = {
  permissionsBoundaryId: may(orNull(shared), null),
  tags: may(tags, noTags),
  state: may(word("active", "disabled"), "active"),
  sessionsValidFrom: may(orNull(record({ epoch: need(whole), revision: need(whole) })), null),
};

type InlineDoc = readonly { readonly policyName: string; readonly policyDocument: string }[];

function inlineOf(arn: string, policies: InlineDoc): readonly PolicyText[] {
  if (policies.length === 0) return none;
  return policies.map(({ policyName, policyDocument }) => ({
    id: `${arn}/${policyName}`,
    text: policyDocument,
    source: null,
  }));
}

function inlineDocOf(identity: {
  readonly arn: string;
  readonly inlinePolicies: readonly PolicyText[];
}): InlineDoc {
  return identity.inlinePolicies.map(({ id, text: policyDocument }) => ({
    policyName: id.slice(identity.arn.length + 1),
    policyDocument,
  }));
}

// The records are written member by member: objects that are spread together take more memory, and of
// these there may be a million.

export const user = kindCodec({
  kind: "user",
  doc: record({
    path: may(shared, "/"),
    groupIds: may(ids, none),
    ...identityMembers,
    ...principalMembers,
  }),
  toEntity: (frame, doc) => ({
    kind: "user",
    id: frame.id,
    account: frame.account,
    nameKey: frame.nameKey,
    record: {
      id: frame.id,
      account: frame.account,
      name: nameOf(frame, doc),
      path: doc.path,
      arn: doc.arn,
      groupIds: orNone(doc.groupIds),
      attachedPolicyIds: orNone(doc.attachedPolicyIds),
      inlinePolicies: inlineOf(doc.arn, doc.inlinePolicies),
      permissionsBoundaryId: doc.permissionsBoundaryId,
      tags: doc.tags,
      state: doc.state,
    },
    manager: doc.manager,
    createdAtMs: doc.createdAtMs,
    labels: doc.labels,
    description: doc.description,
    sessionsValidFrom: doc.sessionsValidFrom,
    createRevision: frame.createRevision,
    modRevision: frame.modRevision,
    size: frame.size,
    foreign: frame.foreign,
  }),
  toDoc: (entity) => ({
    ...entity.record,
    inlinePolicies: inlineDocOf(entity.record),
    sessionsValidFrom: entity.sessionsValidFrom,
    ...frameOf(entity),
  }),
  nameKey: ({ record: { name } }) => name,
  references: ({ record: one }) => [
    ...pointing("member", one.groupIds),
    ...pointing("attached", one.attachedPolicyIds),
    ...pointing("boundary", [one.permissionsBoundaryId]),
  ],
});

/** The key is the name in lower case, and most names are: then the text is kept once. */
function nameOf({ nameKey }: Frame, { name }: { readonly name: string }): string {
  return name === nameKey ? nameKey : name;
}

function orNone<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? none : list;
}

export const group = kindCodec({
  kind: "group",
  doc: record({ path: may(shared, "/"), ...identityMembers }),
  toEntity: (frame, doc) => ({
    ...frame,
    kind: "group",
    record: {
      id: frame.id,
      account: frame.account,
      name: nameOf(frame, doc),
      path: doc.path,
      arn: doc.arn,
      attachedPolicyIds: orNone(doc.attachedPolicyIds),
      inlinePolicies: inlineOf(doc.arn, doc.inlinePolicies),
    },
  }),
  toDoc: (entity) => ({
    ...entity.record,
    inlinePolicies: inlineDocOf(entity.record),
    ...frameOf(entity),
  }),
  nameKey: ({ record: { name } }) => name,
  references: ({ record: { attachedPolicyIds } }) => pointing("attached", attachedPolicyIds),
});

export const role = kindCodec({
  kind: "role",
  doc: record({
    path: may(shared, "/"),
    assumeRolePolicyDocument: need(text),
    trusted: may(listOf(record({ arn: need(text), id: need(text) }), "arn"), none),
    permissionSetId: may(orNull(shared), null),
    maxSessionSeconds: may(whole, 3600),
    sessionBinding: may(word("peer", "certificate", "none"), "peer"),
    serviceLinked: may(flag, false),
    ...identityMembers,
    ...principalMembers,
  }),
  toEntity: (frame, doc) => ({
    kind: "role",
    id: frame.id,
    account: frame.account,
    nameKey: frame.nameKey,
    record: {
      id: frame.id,
      account: frame.account,
      name: nameOf(frame, doc),
      path: doc.path,
      arn: doc.arn,
      trustPolicy: {
        id: `${doc.arn}/assumeRolePolicyDocument`,
        text: doc.assumeRolePolicyDocument,
        source: null,
      },
      attachedPolicyIds: orNone(doc.attachedPolicyIds),
      inlinePolicies: inlineOf(doc.arn, doc.inlinePolicies),
      permissionsBoundaryId: doc.permissionsBoundaryId,
      tags: doc.tags,
      state: doc.state,
      maxSessionSeconds: doc.maxSessionSeconds,
      sessionBinding: doc.sessionBinding,
      serviceLinked: doc.serviceLinked,
    },
    trusted: orNone(doc.trusted),
    permissionSetId: doc.permissionSetId,
    manager: doc.manager,
    createdAtMs: doc.createdAtMs,
    labels: doc.labels,
    description: doc.description,
    sessionsValidFrom: doc.sessionsValidFrom,
    createRevision: frame.createRevision,
    modRevision: frame.modRevision,
    size: frame.size,
    foreign: frame.foreign,
  }),
  toDoc: (entity) => ({
    ...entity.record,
    assumeRolePolicyDocument: entity.record.trustPolicy.text,
    inlinePolicies: inlineDocOf(entity.record),
    trusted: entity.trusted,
    permissionSetId: entity.permissionSetId,
    sessionsValidFrom: entity.sessionsValidFrom,
    ...frameOf(entity),
  }),
  nameKey: ({ record: { name } }) => name,
  references: ({ record: one, permissionSetId }) => [
    ...pointing("attached", one.attachedPolicyIds),
    ...pointing("boundary", [one.permissionsBoundaryId]),
    ...pointing("set", [permissionSetId]),
  ],
});

export const workload = kindCodec({
  kind: "workload",
  doc: record({ spiffeId: need(text), ...identityMembers, ...principalMembers }),
  toEntity: (frame, doc) => ({
    ...frame,
    kind: "workload",
    record: {
      id: frame.id,
      account: frame.account,
      name: doc.name,
      arn: doc.arn,
      spiffeId: doc.spiffeId,
      attachedPolicyIds: orNone(doc.attachedPolicyIds),
      inlinePolicies: inlineOf(doc.arn, doc.inlinePolicies),
      permissionsBoundaryId: doc.permissionsBoundaryId,
      tags: doc.tags,
      state: doc.state,
    },
    sessionsValidFrom: doc.sessionsValidFrom,
  }),
  toDoc: (entity) => ({
    ...entity.record,
    inlinePolicies: inlineDocOf(entity.record),
    sessionsValidFrom: entity.sessionsValidFrom,
    ...frameOf(entity),
  }),
  nameKey: ({ record: { spiffeId } }) => spiffeId,
  references: ({ record: one }) => [
    ...pointing("attached", one.attachedPolicyIds),
    ...pointing("boundary", [one.permissionsBoundaryId]),
  ],
});
