import { required } from "../shape/shape.ts";
import { asKind, type EntityOf } from "../state/entity.ts";
import { entitiesOf, organizationOf } from "../state/organization-state.ts";
import { arnFacts, arnOf, organizationsArn } from "./arn-of.ts";
import { operation } from "./define.ts";
import { done, type Operation, type OperationContext } from "./operation.ts";
import { accountSubject, unit, unitId } from "./organization.ts";
import {
  controlPolicySubject,
  describeControlPolicy,
  policyTypeName,
  targetId,
} from "./organization-policies.ts";
import { type Item, page, pageMembers } from "./pagination.ts";
import { question } from "./questions.ts";
import { getting, listing, listingAll } from "./reading.ts";
import { isRefused, refuse } from "./refusal.ts";
import { describeTags } from "./views.ts";

const describeAccount = (account: EntityOf<"account">, { state }: OperationContext) => {
  const { id, name, email, parentId, state: active, tags } = account.record;
  return {
    id,
    arn: arnOf(state, account),
    name,
    email,
    parentId,
    status: active === "active" ? "ACTIVE" : "SUSPENDED",
    tags: describeTags(tags),
    revision: account.modRevision,
  };
};

const describeUnit = (entity: EntityOf<"organizationalUnit">, { state }: OperationContext) => ({
  id: entity.id,
  arn: arnOf(state, entity),
  name: entity.record.name,
  parentId: entity.record.parentId,
  revision: entity.modRevision,
});

const parent = { parentId: required(unitId, "The root or a unit.") };

function aboutParent(name: string) {
  return (input: { readonly parentId: string }, { state }: OperationContext) => {
    const facts = arnFacts(state);
    const arn = organizationsArn(
      facts,
      input.parentId.startsWith("r-") ? "root" : "ou",
      input.parentId,
    );
    return [question(`organizations:${name}`, arn, facts.managementAccount)];
  };
}

/** What stands in the parent, of one kind. */
function children<K extends "account" | "organizationalUnit">(
  name: string,
  kind: K,
  member: string,
  show: (entity: EntityOf<K>, context: OperationContext) => unknown,
): Operation {
  return operation({
    name,
    service: "organizations",
    access: "List",
    members: { ...parent, ...pageMembers },
    questions: aboutParent(name),
    run: (input, context) => {
      const found = unit(context.state, input.parentId);
      if (isRefused(found)) return found;
      const objects = [...context.state.referrers(found.id)].map((id) => context.state.get(id));
      const items: Item[] = [];
      for (const object of objects) {
        const entity = asKind(object, kind);
        if (entity !== null) items.push({ key: entity.id, show: () => show(entity, context) });
      }
      return page(`organizations:${name}`, member, items, input);
    },
  });
}

export const organizationReads: readonly Operation[] = [
  operation({
    name: "DescribeOrganization",
    service: "organizations",
    access: "Read",
    members: {},
    questions: (_input, { state }) => [
      question("organizations:DescribeOrganization", "*", arnFacts(state).managementAccount),
    ],
    run: (_input, { state }) => {
      const found = organizationOf(state);
      if (found === null) return refuse("NoSuchEntity", "there is no organization");
      const { id, rootId, name, managementAccountId } = found.record;
      const organization = { id, rootId, name, masterAccountId: managementAccountId };
      return done([], { organization: { ...organization, arn: arnOf(state, found) } });
    },
  }),
  getting("DescribeAccount", "organizations", accountSubject, "account", describeAccount),
  listingAll({
    name: "ListAccounts",
    service: "organizations",
    kind: "account",
    scope: "organization",
    member: "accounts",
    show: describeAccount,
  }),
  children("ListAccountsForParent", "account", "accounts", describeAccount),
  children(
    "ListOrganizationalUnitsForParent",
    "organizationalUnit",
    "organizationalUnits",
    describeUnit,
  ),
  operation({
    name: "DescribeOrganizationalUnit",
    service: "organizations",
    access: "Read",
    members: { organizationalUnitId: required(unitId, "The unit.") },
    questions: (input, context) =>
      aboutParent("DescribeOrganizationalUnit")({ parentId: input.organizationalUnitId }, context),
    run: (input, context) => {
      const found = unit(context.state, input.organizationalUnitId);
      return isRefused(found)
        ? found
        : done([], { organizationalUnit: describeUnit(found, context) });
    },
  }),
  getting("DescribePolicy", "organizations", controlPolicySubject, "policy", (policy, { state }) =>
    describeControlPolicy(state, policy),
  ),
  listing({
    name: "ListTargetsForPolicy",
    service: "organizations",
    subject: controlPolicySubject,
    members: {},
    member: "targets",
    items: ({ record }) =>
      record.targetIds.map((id): Item => ({ key: id, show: () => ({ targetId: id }) })),
  }),
  operation({
    name: "ListPoliciesForTarget",
    service: "organizations",
    access: "List",
    members: {
      targetId: required(targetId, "A root, unit or account."),
      filter: required(policyTypeName, "Which type."),
      ...pageMembers,
    },
    questions: (input, { state }) => {
      const object = state.get(input.targetId);
      const arn = object === undefined ? input.targetId : arnOf(state, object);
      const { managementAccount } = arnFacts(state);
      return [question("organizations:ListPoliciesForTarget", arn, managementAccount)];
    },
    run: (input, { state }) => {
      const kind =
        input.filter === "SERVICE_CONTROL_POLICY"
          ? "serviceControlPolicy"
          : "resourceControlPolicy";
      const items: Item[] = [];
      for (const id of state.referrers(input.targetId)) {
        const found = asKind(state.get(id), kind);
        if (found !== null)
          items.push({ key: id, show: () => describeControlPolicy(state, found) });
      }
      return page("organizations:ListPoliciesForTarget", "policies", items, input);
    },
  }),
  operation({
    name: "ListPolicies",
    service: "organizations",
    access: "List",
    members: { filter: required(policyTypeName, "Which type."), ...pageMembers },
    questions: (_input, { state }) => [
      question("organizations:ListPolicies", "*", arnFacts(state).managementAccount),
    ],
    run: (input, { state }) => {
      const kind =
        input.filter === "SERVICE_CONTROL_POLICY"
          ? "serviceControlPolicy"
          : "resourceControlPolicy";
      const found = [...entitiesOf(state.list(kind, ""), kind)].map(
        (one): Item => ({ key: one.nameKey, show: () => describeControlPolicy(state, one) }),
      );
      return page("organizations:ListPolicies", "policies", found, input);
    },
  }),
];
