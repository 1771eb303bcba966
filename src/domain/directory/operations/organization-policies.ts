import { quote } from "../../../iam/problem.ts";
import { organizationPolicyArn } from "../arns.ts";
import { compareText } from "../compare-text.ts";
import {
  fullAccess,
  fullAccessId,
  fullAccessName,
  resourceFullAccessName,
} from "../full-access.ts";
import { countCharacters } from "../policy-size.ts";
import { displayName } from "../shape/names.ts";
import { type PolicySource, policy } from "../shape/policy.ts";
import { text, word } from "../shape/scalars.ts";
import { optional, required, type Shape } from "../shape/shape.ts";
import type { EntityOf } from "../state/entity.ts";
import { type OrganizationState, organizationOf } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnFacts, arnOf } from "./arn-of.ts";
import { checkRoom, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import type { Operation, OperationContext } from "./operation.ts";
import { asProblem, noPlace, refusalOf } from "./prepare.ts";
import { question } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { descriptionMember } from "./roles-and-workloads.ts";
import { newEntity, withRecord } from "./store-entity.ts";
import { identified, type Subject } from "./subject.ts";

type ControlKind = "serviceControlPolicy" | "resourceControlPolicy";
type ControlPolicy = EntityOf<ControlKind>;

const types = {
  SERVICE_CONTROL_POLICY: "serviceControlPolicy",
  RESOURCE_CONTROL_POLICY: "resourceControlPolicy",
} as const;

export const policyTypeName = word("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY");
const controlPolicyId = text("a policy id like `p-abc`", /^p-[A-Za-z0-9]{8,128}$/, 130);
export const targetId = text(
  "the id of a root, OU or account",
  /^(r-[a-z0-9]{4,32}|ou-[a-z0-9-]{9,68}|[0-9]{12})$/,
  71,
);

/** A policy whose sort is another member: any text here, read as that sort by `documentOf`. */
const content: Shape<string> = text("a policy as JSON text", /^[\s\S]*$/, 262_144);

/** Returns the policy, read as an SCP or RCP, or `MalformedPolicyDocument`. */
function documentOf(kind: ControlKind, source: string, quotas: OperationContext["quotas"]) {
  const { position } = noPlace;
  const report = { problems: [], findings: [] } as Parameters<Shape<PolicySource>["read"]>[2];
  const shape = policy(kind === "serviceControlPolicy" ? "serviceControl" : "resourceControl");
  const place = { ...noPlace, path: "content" };
  shape.read({ type: "text", position, text: source, literal: null }, place, report);
  const [problem] = report.problems;
  if (problem !== undefined) return refusalOf(problem);
  const max =
    kind === "serviceControlPolicy"
      ? quotas.serviceControlPolicyCharacters
      : quotas.resourceControlPolicyCharacters;
  const characters = countCharacters(source);
  if (characters <= max) return report.findings.map(asProblem);
  const message = `expected at most ${max} characters, got ${characters}`;
  return refuse("LimitExceeded", message, { field: "content" });
}

const createPolicy = operation({
  name: "CreatePolicy",
  service: "organizations",
  access: "Permissions management",
  members: {
    name: required(displayName, "Unique in its type, ignoring case."),
    type: required(policyTypeName, "What it bounds: principals or resources."),
    content: required(content, "The policy, as JSON text."),
    description: descriptionMember,
  },
  questions: (_input, { state }) => [
    question("organizations:CreatePolicy", "*", arnFacts(state).managementAccount),
  ],
  run: (input, context) => {
    const { state, quotas } = context;
    const kind = types[input.type];
    const { name } = input;
    const organization = organizationOf(state);
    if (organization === null) return refuse("NoSuchEntity", "there is no organization");
    const builtIn = [fullAccessName, resourceFullAccessName].some(
      (one) => nameKeyOf(one) === nameKeyOf(name),
    );
    if (builtIn) {
      return refuse("EntityAlreadyExists", `${quote(name)} is built in`, { field: "name" });
    }
    const max =
      kind === "serviceControlPolicy"
        ? quotas.serviceControlPolicies
        : quotas.resourceControlPolicies;
    const full = checkRoom(context, { kind, account: "", name, max, title: "policy" });
    if (full !== null) return full;
    const findings = documentOf(kind, input.content, quotas);
    if (isRefused(findings)) return findings;
    const id = context.newId(kind);
    const arn = organizationPolicyArn(
      organization.partition,
      organization.record.managementAccountId,
      organization.id,
      kind === "serviceControlPolicy" ? "service_control_policy" : "resource_control_policy",
      id,
    );
    const record = {
      id,
      name,
      targetIds: [],
      policy: { id: arn, text: input.content, source: null },
    };
    const made = newEntity(context, kind, record, {}, input.description ?? "");
    const result = stored(context, made, { policy: describeControlPolicy(state, made) });
    return isRefused(result) ? result : { ...result, findings };
  },
});

/** Returns a policy as AWS Organizations shows it. */
export function describeControlPolicy(
  state: OrganizationState,
  { kind, record, description, modRevision }: ControlPolicy,
): Readonly<Record<string, unknown>> {
  const arn = record.policy === null ? fullAccess.id : record.policy.id;
  return {
    policySummary: {
      id: record.id,
      arn,
      name: record.name,
      description,
      type: kind === "serviceControlPolicy" ? "SERVICE_CONTROL_POLICY" : "RESOURCE_CONTROL_POLICY",
      awsManaged: record.policy === null,
    },
    content: record.policy?.text ?? fullAccess.text,
    revision: modRevision,
    organization: organizationOf(state)?.id ?? null,
  };
}

/** The subject of operations on an SCP or RCP. */
export const controlPolicySubject: Subject<ControlKind> = {
  kind: "serviceControlPolicy",
  members: { policyId: required(controlPolicyId, "The policy.") },
  find: (input, context) => controlPolicy(context, String(input.policyId)),
  arn: (input, context) => {
    const found = controlPolicy(context, String(input.policyId));
    if (isRefused(found)) return String(input.policyId);
    return found.record.policy === null ? fullAccess.id : arnOf(context.state, found);
  },
  account: (_input, { state }) => arnFacts(state).managementAccount,
};

function controlPolicy(context: OperationContext, id: string): ControlPolicy | Refusal {
  const { state } = context;
  const found = state.get(id);
  if (found?.kind === "resourceControlPolicy") return found;
  if (found === undefined && id === fullAccessId) return builtIn(context);
  return identified(state, "serviceControlPolicy", id, "policy");
}

/** FullAWSAccess before it has a record: attached to the root, every unit and every account (FILE-25). */
function builtIn(context: OperationContext): EntityOf<"serviceControlPolicy"> {
  const { state } = context;
  const targets = [...state.list("organizationalUnit", ""), ...state.list("account", "")];
  const targetIds = targets.map(({ id }) => id).sort(compareText);
  const record = { id: fullAccessId, name: fullAccessName, targetIds, policy: null };
  return { ...newEntity(context, "serviceControlPolicy", record, {}), modRevision: 0 };
}

function unlessBuiltIn(policyOf: ControlPolicy): Refusal | null {
  if (policyOf.record.policy !== null) return null;
  const message = `${quote(fullAccessName)} is built in: it can only be attached and detached`;
  return refuse("UnmodifiableEntity", message, { resource: fullAccess.id });
}

const updatePolicy = mutation({
  name: "UpdatePolicy",
  service: "organizations",
  access: "Permissions management",
  subject: controlPolicySubject,
  members: {
    name: optional(displayName, null, "Absent: as it is."),
    content: optional(content, null, "Absent: as it is."),
    description: descriptionMember,
  },
  change: (found, input, context) => {
    const refused = unlessBuiltIn(found);
    if (refused !== null) return refused;
    const name = input.name ?? found.record.name;
    const taken = context.state.named(found.kind, "", nameKeyOf(name));
    if (taken !== undefined && taken.id !== found.id) {
      const message = `the policy ${quote(name)} exists already`;
      return refuse("EntityAlreadyExists", message, { resource: taken.id });
    }
    const before = found.record.policy;
    const text = input.content ?? before?.text ?? "";
    const findings = documentOf(found.kind, text, context.quotas);
    if (isRefused(findings)) return findings;
    const policyText = before === null ? null : { ...before, text };
    const next = {
      ...withRecord<ControlPolicy>(found, { name, policy: policyText }),
      description: input.description ?? found.description,
    };
    const result = stored(context, next, { policy: describeControlPolicy(context.state, next) });
    return isRefused(result) ? result : { ...result, findings };
  },
});

const deletePolicy = mutation({
  name: "DeletePolicy",
  service: "organizations",
  access: "Permissions management",
  subject: controlPolicySubject,
  members: {},
  change: (found, _input, context) => {
    const refused = unlessBuiltIn(found);
    if (refused !== null) return refused;
    if (found.record.targetIds.length > 0) {
      const message = "it is attached: detach it everywhere first";
      return refuse("DeleteConflict", message, { resource: arnOf(context.state, found) });
    }
    return removed(context, found);
  },
});

const target = required(targetId, "A root, unit or account.");

const attachPolicy = mutation({
  name: "AttachPolicy",
  service: "organizations",
  access: "Permissions management",
  subject: controlPolicySubject,
  members: { targetId: target },
  also: (input, { state }) => aboutTarget(state, "organizations:AttachPolicy", input.targetId),
  change: (found, input, { state, quotas }) => {
    const object = state.get(input.targetId);
    if (object?.kind !== "organizationalUnit" && object?.kind !== "account") {
      return refuse("NoSuchEntity", `no target ${quote(input.targetId)}`, { field: "targetId" });
    }
    if (found.record.targetIds.includes(object.id)) return found;
    const [max, count] = attachedTo(state, found.kind, object.id, quotas);
    if (count >= max) {
      const message = `expected at most ${max} policies of this type, built-in ones counted`;
      return refuse("LimitExceeded", message, { resource: arnOf(state, object) });
    }
    const targetIds = [...found.record.targetIds, object.id].sort(compareText);
    return withRecord<ControlPolicy>(found, { targetIds });
  },
});

function aboutTarget(state: OrganizationState, action: string, id: string) {
  const object = state.get(id);
  const arn = object === undefined ? id : arnOf(state, object);
  return [question(action, arn, arnFacts(state).managementAccount)];
}

/** Returns the quota of a target and how many policies of the kind are attached to it, built-in ones too. */
function attachedTo(
  state: OrganizationState,
  kind: ControlKind,
  id: string,
  quotas: OperationContext["quotas"],
): readonly [number, number] {
  const attached = [...state.referrers(id)].map((from) => state.get(from));
  const count = attached.filter((object) => object?.kind === kind).length;
  if (kind === "resourceControlPolicy") return [quotas.resourceControlPoliciesPerTarget, count + 1];
  const everywhere = state.get(fullAccessId) === undefined ? 1 : 0;
  return [quotas.serviceControlPoliciesPerTarget, count + everywhere];
}

const detachPolicy = mutation({
  name: "DetachPolicy",
  service: "organizations",
  access: "Permissions management",
  subject: controlPolicySubject,
  members: { targetId: target },
  also: (input, { state }) => aboutTarget(state, "organizations:DetachPolicy", input.targetId),
  change: (found, input, { state }) => {
    if (!found.record.targetIds.includes(input.targetId)) {
      const message = `it is not attached to ${quote(input.targetId)}`;
      return refuse("NoSuchEntity", message, { resource: arnOf(state, found) });
    }
    const targetIds = found.record.targetIds.filter((id) => id !== input.targetId);
    return withRecord<ControlPolicy>(found, { targetIds });
  },
});

export const organizationPolicyOperations: readonly Operation[] = [
  createPolicy,
  updatePolicy,
  deletePolicy,
  attachPolicy,
  detachPolicy,
];
