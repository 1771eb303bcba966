import { parseArn } from "../../../iam/arn.ts";
import { quote } from "../../../iam/problem.ts";
import { accountId, entityName } from "../shape/names.ts";
import { text, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { asKind, type EntityOf } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { principalByArn } from "../state/trusted-principals.ts";
import { arnFacts, organizationsArn, permissionSetArn } from "./arn-of.ts";
import { checkAccount, checkRoom, checkTitle } from "./creating.ts";
import { mutation } from "./define.ts";
import { done, type Operation, type OperationContext } from "./operation.ts";
import { permissionSetCommon } from "./permission-sets.ts";
import { draftWith, provision, provisionedRole, provisionedRoleName } from "./provisioning.ts";
import { question } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, store } from "./store-entity.ts";

const assignmentMembers = {
  principalType: required(word("USER", "GROUP"), "What `principalId` names."),
  principalId: required(
    text(
      "the ARN of a user or group",
      /^arn:[a-z0-9-]+:iam::[0-9]{12}:(user|group)\/[!-~]+$/,
      2048,
    ),
    "ARN of the user or group, of any account.",
  ),
  targetType: required(word("AWS_ACCOUNT"), "`AWS_ACCOUNT`."),
  targetId: required(accountId, "The account in which the permissions hold."),
};

interface AssignmentInput {
  readonly principalType: "USER" | "GROUP";
  readonly principalId: string;
  readonly targetId: string;
}

function aboutAccount(action: string) {
  return (input: { readonly targetId?: unknown }, { state }: OperationContext) => {
    const facts = arnFacts(state);
    const arn = organizationsArn(facts, "account", String(input.targetId));
    return [question(action, arn, facts.managementAccount)];
  };
}

/** Returns the user or group of an ARN, or `NoSuchEntity`. */
function assignee(
  state: OrganizationState,
  { principalType, principalId: arn }: AssignmentInput,
): EntityOf<"user" | "group"> | Refusal {
  const user = principalType === "USER" ? principalByArn(state, arn) : groupByArn(state, arn);
  if (user?.kind === "user" || user?.kind === "group") return user;
  const what = principalType.toLowerCase();
  return refuse("NoSuchEntity", `no ${what} ${quote(arn)}`, {
    resource: arn,
    field: "principalId",
  });
}

function groupByArn(state: OrganizationState, arn: string): EntityOf<"group"> | null {
  const parsed = parseArn(arn);
  if (!parsed.ok) return null;
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  const found = asKind(state.named("group", parsed.value.account, nameKeyOf(name)), "group");
  return found?.record.arn === arn ? found : null;
}

const createAssignment = mutation({
  ...permissionSetCommon,
  name: "CreateAccountAssignment",
  members: {
    ...assignmentMembers,
    name: optional(entityName(128), "", "Its name in documents."),
  },
  also: aboutAccount("sso:CreateAccountAssignment"),
  change: (set, input, context) => {
    const { state, quotas } = context;
    const { targetId, principalType, name } = input;
    const principal = assignee(state, input);
    if (isRefused(principal)) return principal;
    const refused = checkAccount(state, targetId);
    if (refused !== null) return refused;
    const key = `${set.id}/${targetId}/${principal.id}`;
    const full = checkRoom(context, {
      kind: "permissionSetAssignment",
      account: "",
      name: key,
      max: quotas.permissionSetAssignments,
      title: "assignment",
    });
    const taken = full ?? checkTitle(state, "permissionSetAssignment", "", name);
    if (taken !== null) return taken;
    // The role first: the assignment refers to it.
    const role = provisionedRole(context, state, set, targetId, [principal.id]);
    if (isRefused(role)) return role;
    const roleChange = store(context, role);
    if (isRefused(roleChange)) return roleChange;
    const assignment = newEntity(
      context,
      "permissionSetAssignment",
      {
        id: context.newId("permissionSetAssignment"),
        name,
        permissionSetId: set.id,
        principalType,
        principalId: principal.id,
        targetId,
        roleId: role.id,
      },
      {},
    );
    const change = store(context, assignment);
    if (isRefused(change)) return change;
    const draft = draftWith(context, [roleChange, change]);
    const failed = provision(context, draft, set);
    const answer = { accountAssignmentCreationStatus: { status: "SUCCEEDED" } };
    return failed ?? done(draft.changes(), answer);
  },
});

const deleteAssignment = mutation({
  ...permissionSetCommon,
  name: "DeleteAccountAssignment",
  members: assignmentMembers,
  also: aboutAccount("sso:DeleteAccountAssignment"),
  change: (set, input, context) => {
    const { state } = context;
    const principal = assignee(state, input);
    if (isRefused(principal)) return principal;
    const key = nameKeyOf(`${set.id}/${input.targetId}/${principal.id}`);
    const found = state.named("permissionSetAssignment", "", key);
    if (found === undefined) return refuse("NoSuchEntity", "no such assignment");
    const draft = draftWith(context, [{ type: "remove", id: found.id }]);
    return provision(context, draft, set) ?? done(draft.changes());
  },
});

/** Returns an assignment as Identity Center shows it. */
export function describeAssignment(
  state: OrganizationState,
  { record }: EntityOf<"permissionSetAssignment">,
): Readonly<Record<string, unknown>> {
  const { name, permissionSetId, principalType, principalId, targetId } = record;
  const principal = state.get(principalId);
  const arn =
    principal?.kind === "user" || principal?.kind === "group" ? principal.record.arn : principalId;
  const set = asKind(state.get(permissionSetId), "permissionSet");
  return {
    name,
    permissionSetArn: permissionSetArn(arnFacts(state), permissionSetId),
    principalType,
    principalId: arn,
    accountId: targetId,
    roleName: set === null ? null : provisionedRoleName(set, targetId),
  };
}

export const accountAssignmentOperations: readonly Operation[] = [
  createAssignment,
  deleteAssignment,
];
