import { quote } from "../../../iam/problem.ts";
import { parseSpiffeId, tableNamespaceOf } from "../../request/spiffe-id.ts";
import { entityName, spiffeId } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { text, whole, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { asKind } from "../state/entity.ts";
import { accountOfNamespace, trustTableOf } from "../trust-table.ts";
import { arnOfName } from "./arn-of.ts";
import { checkBare, checkRoom, checkTitle, removed, stored } from "./creating.ts";
import { mutation, operation } from "./define.ts";
import type { Operation, OperationContext } from "./operation.ts";
import { question } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, withRecord } from "./store-entity.ts";
import { accountMember, accountOf, arnOfWorkload, identity } from "./subject.ts";
import { resolveTrust } from "./trust.ts";
import {
  boundaryId,
  boundaryMember,
  creationKeys,
  creationQuestions,
  pathMember,
  stateMember,
  tagsMember,
} from "./users-and-groups.ts";
import { describeRole, describeWorkload } from "./views.ts";

export const descriptionMember = optional(
  text("a text of at most 1000 characters on one line", /^[^\p{Cc}]*$/u, 1000),
  null,
  "For people.",
);

const sessionMembers = {
  description: descriptionMember,
  maxSessionDuration: optional(whole(3600, 43_200), null, "Longest session in seconds."),
  sessionBinding: optional(
    word("peer", "certificate", "none"),
    null,
    "What a session that was issued over mTLS is bound to.",
  ),
};

const trustMember = required(policy("trust"), "Who may take the role on, as JSON text.");

const createRole = operation({
  name: "CreateRole",
  service: "iam",
  members: {
    account: accountMember,
    roleName: required(entityName(64), "Unique in the account, ignoring case."),
    path: pathMember,
    assumeRolePolicyDocument: trustMember,
    ...sessionMembers,
    permissionsBoundary: boundaryMember,
    tags: tagsMember,
  },
  questions: (input, context) => creationQuestions("Role", input, input.roleName, context),
  run: (input, context) => {
    const account = accountOf(input, context);
    const { roleName: name, path, tags } = input;
    const max = context.quotas.rolesPerAccount;
    const full = checkRoom(context, { kind: "role", account, name, max, title: "role" });
    if (full !== null) return full;
    const boundary = boundaryId(context, input.permissionsBoundary, account);
    if (isRefused(boundary)) return boundary;
    const trust = input.assumeRolePolicyDocument.text;
    const trusted = resolveTrust(context, trust);
    if (isRefused(trusted)) return trusted;
    const arn = arnOfName(context.state, account, "role", path, name);
    const role = newEntity(
      context,
      "role",
      {
        id: context.newId("role"),
        account,
        name,
        path,
        arn,
        trustPolicy: { id: `${arn}/assumeRolePolicyDocument`, text: trust, source: null },
        attachedPolicyIds: [],
        inlinePolicies: [],
        permissionsBoundaryId: boundary,
        tags,
        state: "active",
        maxSessionSeconds: input.maxSessionDuration ?? 3600,
        sessionBinding: input.sessionBinding ?? "peer",
        serviceLinked: false,
      },
      { trusted, permissionSetId: null, sessionsValidFrom: null },
      input.description ?? "",
    );
    return stored(context, role, { role: describeRole(context.state, role) });
  },
});

const updateRole = mutation({
  name: "UpdateRole",
  service: "iam",
  subject: identity("role"),
  members: { ...sessionMembers, state: stateMember },
  change: (role, input) => ({
    ...withRecord(role, {
      maxSessionSeconds: input.maxSessionDuration ?? role.record.maxSessionSeconds,
      sessionBinding: input.sessionBinding ?? role.record.sessionBinding,
      state: input.state ?? role.record.state,
    }),
    description: input.description ?? role.description,
  }),
});

const updateAssumeRolePolicy = mutation({
  name: "UpdateAssumeRolePolicy",
  service: "iam",
  access: "Permissions management",
  subject: identity("role"),
  members: { policyDocument: trustMember },
  change: (role, input, context) => {
    const { text: trust } = input.policyDocument;
    const trusted = resolveTrust(context, trust);
    if (isRefused(trusted)) return { ...trusted, field: "policyDocument" };
    const trustPolicy = { ...role.record.trustPolicy, text: trust };
    return { ...withRecord(role, { trustPolicy }), trusted };
  },
});

const deleteRole = mutation({
  name: "DeleteRole",
  service: "iam",
  subject: identity("role"),
  members: {},
  change: (role, _input, context) => checkBare(context.state, role) ?? removed(context, role),
});

const createWorkload = operation({
  name: "CreateWorkload",
  service: "mesh-iam",
  members: {
    account: accountMember,
    spiffeId: required(spiffeId, "The identity; of the account by its trust domain's table."),
    name: required(entityName(128), "Its name in documents."),
    permissionsBoundary: boundaryMember,
    tags: tagsMember,
  },
  questions: (input, context) => {
    const account = accountOf(input, context);
    const arn = arnOfWorkload(context.state, account, input.spiffeId);
    return [question("mesh-iam:CreateWorkload", arn, account, creationKeys(input))];
  },
  run: (input, context) => {
    const account = accountOf(input, context);
    const { spiffeId: id, name, tags } = input;
    const max = context.quotas.workloadsPerAccount;
    const full = checkRoom(context, {
      kind: "workload",
      account,
      name: id,
      max,
      title: "workload",
    });
    const refused =
      full ??
      checkTitle(context.state, "workload", account, name) ??
      checkPlace(context, account, id);
    if (refused !== null) return refused;
    const boundary = boundaryId(context, input.permissionsBoundary, account);
    if (isRefused(boundary)) return boundary;
    const workload = newEntity(
      context,
      "workload",
      {
        id: context.newId("workload"),
        account,
        name,
        arn: arnOfWorkload(context.state, account, id),
        spiffeId: id,
        attachedPolicyIds: [],
        inlinePolicies: [],
        permissionsBoundaryId: boundary,
        tags,
        state: "active",
      },
      { sessionsValidFrom: null },
    );
    return stored(context, workload, { workload: describeWorkload(context.state, workload) });
  },
});

/** Returns the refusal of a workload in another account than its SPIFFE id is of (FILE-22), or null. */
function checkPlace({ state }: OperationContext, account: string, id: string): Refusal | null {
  const parsed = parseSpiffeId(id);
  if (!parsed.ok) return refuse("ValidationError", parsed.message, { field: "spiffeId" });
  const name = parsed.value.trustDomain;
  const domain = asKind(state.named("trustDomain", "", name), "trustDomain");
  if (domain === null) return refuse("NoSuchEntity", `no trust domain ${quote(name)}`);
  const owner = accountOfNamespace(trustTableOf(domain.record), tableNamespaceOf(parsed.value));
  if (owner === account) return null;
  const of = owner === null ? "no account" : `account ${quote(owner)}`;
  const message = `expected a SPIFFE id of account ${quote(account)}, got one of ${of}`;
  return refuse("ValidationError", message, { field: "spiffeId" });
}

const updateWorkload = mutation({
  name: "UpdateWorkload",
  service: "mesh-iam",
  subject: identity("workload"),
  members: { name: optional(entityName(128), null, "Absent: as it is."), state: stateMember },
  change: (workload, input, { state }) => {
    const { account, id, record } = workload;
    const name = input.name ?? record.name;
    const refused = checkTitle(state, "workload", account, name, id);
    return refused ?? withRecord(workload, { name, state: input.state ?? record.state });
  },
});

const deleteWorkload = mutation({
  name: "DeleteWorkload",
  service: "mesh-iam",
  subject: identity("workload"),
  members: {},
  change: (workload, _input, context) =>
    checkBare(context.state, workload) ?? removed(context, workload),
});

export const roleAndWorkloadOperations: readonly Operation[] = [
  createRole,
  updateRole,
  updateAssumeRolePolicy,
  deleteRole,
  createWorkload,
  updateWorkload,
  deleteWorkload,
];
