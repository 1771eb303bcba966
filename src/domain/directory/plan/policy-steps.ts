import { fullAccessId } from "../full-access.ts";
import type { ManagedPolicy, OrganizationPolicy } from "../model.ts";
import { asKind } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { idOfTarget } from "./organization-steps.ts";
import { foreign, missing, type PlanContext, type Steps } from "./step.ts";

/** Yields what makes the managed policies as `desired` has them; a changed text is a new version. */
export function* managedPolicySteps(context: PlanContext): Steps {
  for (const policy of context.desired.managedPolicies) yield* managedSteps(context, policy);
}

function* managedSteps({ state, manager }: PlanContext, wanted: ManagedPolicy): Steps {
  const { account, name: policyName, path, arn: policyArn } = wanted;
  const policyDocument = wanted.policy.text;
  const object = `ManagedPolicy ${account}/${policyName}`;
  const found = asKind(
    state.named("managedPolicy", account, nameKeyOf(policyName)),
    "managedPolicy",
  );
  if (found === null) {
    const input = { account, policyName, path, policyDocument };
    yield { object, change: "create", operation: "iam:CreatePolicy", input };
    return;
  }
  if (found.record.arn !== policyArn) {
    yield { object, obstacle: `it is ${found.record.arn}: name and path of a policy never change` };
    return;
  }
  if (found.record.policy.text === policyDocument) return;
  const other = foreign(object, found, manager);
  if (other !== null) yield other;
  const step = { object, change: "update" } as const;
  // At most five versions are kept, as at AWS: the oldest that is not in force makes room.
  const oldest = found.versions.find(({ versionId }) => versionId !== found.defaultVersionId);
  if (found.versions.length >= 5 && oldest !== undefined) {
    const input = { policyArn, versionId: oldest.versionId };
    yield { ...step, operation: "iam:DeletePolicyVersion", input };
  }
  const input = { policyArn, policyDocument, setAsDefault: true };
  yield { ...step, operation: "iam:CreatePolicyVersion", input };
}

const types = {
  serviceControlPolicy: "SERVICE_CONTROL_POLICY",
  resourceControlPolicy: "RESOURCE_CONTROL_POLICY",
} as const;
type ControlKind = keyof typeof types;

/** Yields what makes SCPs and RCPs as `desired` has them. */
export function* controlPolicySteps(context: PlanContext): Steps {
  const { serviceControlPolicies, resourceControlPolicies } = context.desired;
  for (const policy of serviceControlPolicies) {
    yield* controlSteps(context, "serviceControlPolicy", policy);
  }
  for (const policy of resourceControlPolicies) {
    yield* controlSteps(context, "resourceControlPolicy", policy);
  }
}

function* controlSteps(context: PlanContext, kind: ControlKind, wanted: OrganizationPolicy): Steps {
  const { desired, state, manager } = context;
  const { name } = wanted;
  const title = kind === "serviceControlPolicy" ? "ServiceControlPolicy" : "ResourceControlPolicy";
  const object = `${title} ${name}`;
  const find = () => asKind<ControlKind>(state.named(kind, "", nameKeyOf(name)), kind);
  const before = find();
  const change = before === null ? "create" : "update";
  const content = wanted.policy?.text ?? null;
  if (content !== null && before === null) {
    const input = { name, type: types[kind], content };
    yield { object, change, operation: "organizations:CreatePolicy", input };
  }
  if (content !== null && before !== null && before.record.policy?.text !== content) {
    const other = foreign(object, before, manager);
    if (other !== null) yield other;
    const input = { policyId: before.id, content };
    yield { object, change, operation: "organizations:UpdatePolicy", input };
  }
  const found = find();
  const policyId = found?.id ?? fullAccessId;
  // FullAWSAccess has no record for as long as it is everywhere (FILE-25).
  const has = found?.record.targetIds ?? everywhere(state);
  const targets = wanted.targetIds.map((id) => idOfTarget(state, desired, id));
  for (const targetId of missing(targets, has)) {
    const input = { policyId, targetId };
    yield { object, change, operation: "organizations:AttachPolicy", input };
  }
  for (const targetId of missing(has, targets)) {
    const input = { policyId, targetId };
    yield { object, change, operation: "organizations:DetachPolicy", input };
  }
}

function everywhere(state: OrganizationState): readonly string[] {
  return [...state.list("organizationalUnit", ""), ...state.list("account", "")].map(
    ({ id }) => id,
  );
}
