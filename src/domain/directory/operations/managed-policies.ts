import { quote } from "../../../iam/problem.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import { entityName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { flag, text } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import type { EntityOf, PolicyVersion } from "../state/entity.ts";
import { arnOfName } from "./arn-of.ts";
import { checkRoom, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import { done, type Operation, type OperationContext } from "./operation.ts";
import { question } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { descriptionMember } from "./roles-and-workloads.ts";
import { newEntity, store } from "./store-entity.ts";
import { accountMember, accountOf, managedPolicySubject } from "./subject.ts";
import { pathMember } from "./users-and-groups.ts";
import { describePolicy } from "./views.ts";

const document = required(policy("identity"), "The policy, as JSON text.");
export const versionId = text("a version like `v1`", /^v[1-9][0-9]{0,8}$/, 10);

function checkLength({ quotas }: OperationContext, source: string): Refusal | null {
  const max = quotas.managedPolicyCharacters;
  const characters = countWithoutWhiteSpace(source);
  if (characters <= max) return null;
  const message = `expected at most ${max} characters, got ${characters}`;
  return refuse("LimitExceeded", message, { field: "policyDocument" });
}

const createPolicy = operation({
  name: "CreatePolicy",
  service: "iam",
  access: "Permissions management",
  members: {
    account: accountMember,
    policyName: required(entityName(128), "Unique in the account, ignoring case."),
    path: pathMember,
    policyDocument: document,
    description: descriptionMember,
  },
  questions: (input, context) => {
    const account = accountOf(input, context);
    const arn = arnOfName(context.state, account, "policy", input.path, input.policyName);
    return [question("iam:CreatePolicy", arn, account)];
  },
  run: (input, context) => {
    const account = accountOf(input, context);
    const { policyName: name, path } = input;
    const max = context.quotas.managedPoliciesPerAccount;
    const room = { kind: "managedPolicy", account, name, max, title: "policy" } as const;
    const source = input.policyDocument.text;
    const refused = checkRoom(context, room) ?? checkLength(context, source);
    if (refused !== null) return refused;
    const arn = arnOfName(context.state, account, "policy", path, name);
    const id = context.newId("managedPolicy");
    const made = newEntity(
      context,
      "managedPolicy",
      { id, account, name, path, arn, policy: { id: arn, text: source, source: null } },
      {
        versions: [{ versionId: "v1", text: source, createdAtMs: context.nowMs }],
        defaultVersionId: "v1",
        lastVersion: 1,
      },
      input.description ?? "",
    );
    return stored(context, made, { policy: describePolicy(context.state, made) });
  },
});

/** Returns the policy with `version` in force. */
function inForce(
  entity: EntityOf<"managedPolicy">,
  version: PolicyVersion,
): EntityOf<"managedPolicy"> {
  const policyText = { ...entity.record.policy, text: version.text };
  const { versionId: defaultVersionId } = version;
  return { ...entity, defaultVersionId, record: { ...entity.record, policy: policyText } };
}

const createPolicyVersion = mutation({
  name: "CreatePolicyVersion",
  service: "iam",
  access: "Permissions management",
  subject: managedPolicySubject,
  members: {
    policyDocument: document,
    setAsDefault: optional(flag(), false, "Whether it is in force at once."),
  },
  change: (entity, input, context) => {
    const source = input.policyDocument.text;
    const tooLong = checkLength(context, source);
    if (tooLong !== null) return tooLong;
    const max = context.quotas.versionsPerManagedPolicy;
    if (entity.versions.length >= max) {
      const message = `expected at most ${max} versions: delete one first`;
      return refuse("LimitExceeded", message, { resource: entity.record.arn });
    }
    const lastVersion = entity.lastVersion + 1;
    const version = { versionId: `v${lastVersion}`, text: source, createdAtMs: context.nowMs };
    const more = { ...entity, versions: [...entity.versions, version], lastVersion };
    const next = input.setAsDefault ? inForce(more, version) : more;
    const change = store(context, next);
    if (isRefused(change)) return change;
    return done([change], { policyVersion: describeVersion(next, version) });
  },
});

/** Returns a version as AWS shows it. */
export function describeVersion(
  entity: EntityOf<"managedPolicy">,
  version: PolicyVersion,
): Readonly<Record<string, unknown>> {
  return {
    versionId: version.versionId,
    isDefaultVersion: version.versionId === entity.defaultVersionId,
    createDate: version.createdAtMs,
  };
}

/** Returns the version of that id, or `NoSuchEntity`. */
export function versionOf(entity: EntityOf<"managedPolicy">, id: string): PolicyVersion | Refusal {
  const found = entity.versions.find((one) => one.versionId === id);
  const { arn: resource } = entity.record;
  return found ?? refuse("NoSuchEntity", `no version ${quote(id)}`, { resource });
}

const setDefaultPolicyVersion = mutation({
  name: "SetDefaultPolicyVersion",
  service: "iam",
  access: "Permissions management",
  subject: managedPolicySubject,
  members: { versionId: required(versionId, "The version that is in force from now on.") },
  change: (entity, input) => {
    const version = versionOf(entity, input.versionId);
    return isRefused(version) ? version : inForce(entity, version);
  },
});

const deletePolicyVersion = mutation({
  name: "DeletePolicyVersion",
  service: "iam",
  access: "Permissions management",
  subject: managedPolicySubject,
  members: { versionId: required(versionId, "Any but the default version.") },
  change: (entity, input) => {
    const version = versionOf(entity, input.versionId);
    if (isRefused(version)) return version;
    if (version.versionId === entity.defaultVersionId) {
      const message = "the default version cannot be deleted: set another one first";
      return refuse("DeleteConflict", message, { resource: entity.record.arn });
    }
    return { ...entity, versions: entity.versions.filter((one) => one !== version) };
  },
});

const deletePolicy = mutation({
  name: "DeletePolicy",
  service: "iam",
  access: "Permissions management",
  subject: managedPolicySubject,
  members: {},
  change: (entity, _input, context) => {
    if (entity.versions.length > 1) {
      const message = "it has other versions than the default one: delete them first";
      return refuse("DeleteConflict", message, { resource: entity.record.arn });
    }
    return removed(context, entity);
  },
});

export const managedPolicyOperations: readonly Operation[] = [
  createPolicy,
  createPolicyVersion,
  setDefaultPolicyVersion,
  deletePolicyVersion,
  deletePolicy,
];
