import type { PolicyText } from "../../model.ts";
import { asKind, type EntityOf } from "../../state/entity.ts";
import type { OrganizationState } from "../../state/organization-state.ts";
import { nameKeyOf } from "../../state/stored-form.ts";
import { arnOf } from "../arn-of.ts";
import { identities } from "../subject.ts";
import type { DesiredIdentity } from "./desired.ts";
import { type CanDeny, changed, type Difference, source } from "./difference.ts";

export type IdentityEntity = EntityOf<"user" | "group" | "role" | "workload">;
/** The object as an input names it. */
export type Subject = Readonly<Record<string, string>>;

/** Returns the operation of a kind of identity: `iam:AttachRolePolicy`. */
export function operation(kind: DesiredIdentity["kind"], verb: string, what: string): string {
  const { service, title } = identities[kind];
  return `${service}:${verb}${title}${what}`;
}

/** What is attached. */
export function attachments(
  { kind, policyArns }: DesiredIdentity,
  entity: IdentityEntity,
  state: OrganizationState,
  subject: Subject,
  canDeny: CanDeny,
): readonly Difference[] {
  const policies = entity.record.attachedPolicyIds.map((id) => state.get(id));
  const present = new Map(
    policies.filter((one) => one !== undefined).map((one) => [arnOf(state, one), one]),
  );
  const denies = (arn: string): boolean => {
    const found = present.get(arn) ?? policyAt(state, arn);
    const policy = asKind(found, "managedPolicy");
    return policy === null || canDeny(policy.record.policy.text);
  };
  const input = (policyArn: string) => ({ ...subject, policyArn, expectedRevision: null });
  const field = "spec.managedPolicyArns";
  return [
    ...[...present.keys()]
      .filter((arn) => !policyArns.includes(arn))
      .map(
        (arn): Difference => ({
          phase: denies(arn) ? "release" : "restrict",
          operation: operation(kind, "Detach", "Policy"),
          input: input(arn),
          field,
          before: arn,
          after: null,
        }),
      ),
    ...policyArns
      .filter((arn) => !present.has(arn))
      .map(
        (arn): Difference => ({
          phase: denies(arn) ? "restrict" : "change",
          operation: operation(kind, "Attach", "Policy"),
          input: input(arn),
          field,
          before: null,
          after: arn,
        }),
      ),
  ];
}

function policyAt(state: OrganizationState, arn: string) {
  const account = arn.split(":")[4] ?? "";
  return state.named("managedPolicy", account, nameKeyOf(arn.slice(arn.lastIndexOf("/") + 1)));
}

/** Inline policies. */
export function inline(
  kind: DesiredIdentity["kind"],
  wanted: { readonly arn: string; readonly inlinePolicies: readonly PolicyText[] },
  entity: IdentityEntity,
  subject: Subject,
  canDeny: CanDeny,
): readonly Difference[] {
  const named = (arn: string, policies: readonly PolicyText[]) =>
    new Map(policies.map(({ id, text }) => [id.slice(arn.length + 1), text]));
  const before = named(entity.record.arn, entity.record.inlinePolicies);
  const after = named(wanted.arn, wanted.inlinePolicies);
  const kept = new Set([...after.keys()].map((name) => name.toLowerCase()));
  const deletions = [...before]
    .filter(([name]) => !kept.has(name.toLowerCase()))
    .map(
      ([name, text]): Difference => ({
        phase: canDeny(text) ? "release" : "restrict",
        operation: operation(kind, "Delete", "Policy"),
        input: { ...subject, policyName: name, expectedRevision: null },
        field: `spec.policies[${name}]`,
        before: text,
        after: null,
      }),
    );
  const puts = [...after]
    .filter(([name, text]) => before.get(name) !== text)
    .map(
      ([name, text]): Difference => ({
        phase: canDeny(text) ? "restrict" : "change",
        operation: operation(kind, "Put", "Policy"),
        input: {
          ...subject,
          policyName: name,
          policyDocument: source(text),
          expectedRevision: null,
        },
        field: `spec.policies[${name}]`,
        before: before.get(name) ?? null,
        after: text,
      }),
    );
  return [...deletions, ...puts];
}

/** The permissions boundary. */
export function boundary(
  { kind, boundaryArn }: DesiredIdentity,
  entity: IdentityEntity,
  state: OrganizationState,
  subject: Subject,
): readonly Difference[] {
  if (entity.kind === "group") return [];
  const { permissionsBoundaryId: id } = entity.record;
  const policy = id === null ? undefined : state.get(id);
  const before = policy === undefined ? id : arnOf(state, policy);
  const field = "spec.permissionsBoundary";
  const input = { ...subject, expectedRevision: null };
  if (boundaryArn === null) {
    const deletion = operation(kind, "Delete", "PermissionsBoundary");
    return changed(before, null, { phase: "release", operation: deletion, field, input });
  }
  return changed(before, boundaryArn, {
    phase: "restrict",
    operation: operation(kind, "Put", "PermissionsBoundary"),
    field,
    input: { ...input, permissionsBoundary: boundaryArn },
  });
}
