import { compareText } from "../compare-text.ts";
import { listOf } from "../shape/collections.ts";
import { text } from "../shape/scalars.ts";
import { required } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import { mutation } from "./define.ts";
import type { Operation, OperationContext } from "./operation.ts";
import { one, requestTags, tagKeys } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { withRecord } from "./store-entity.ts";
import { type IdentityEntity, identities, identity, ownPolicy, policyArn } from "./subject.ts";

type PrincipalKind = "user" | "role" | "workload";
type PrincipalEntity = Extract<IdentityEntity, { readonly kind: PrincipalKind }>;

export const tagKeyList = listOf(text("a tag key of 1 to 128 characters", /^[^\p{Cc}]+$/u, 128), {
  min: 1,
  max: 50,
});

/** Returns boundary, tags and revocation of one kind of principal. */
export function principalOperations(kind: PrincipalKind): readonly Operation[] {
  const { title, service } = identities[kind];
  const common = { service, subject: identity(kind) } as const;
  return [
    mutation({
      ...common,
      name: `Put${title}PermissionsBoundary`,
      access: "Permissions management",
      members: { permissionsBoundary: required(policyArn, "A managed policy of the own account.") },
      keys: (input) => [one("iam:PermissionsBoundary", input.permissionsBoundary)],
      change: (entity, input, context) => putBoundary(entity, input.permissionsBoundary, context),
    }),
    mutation({
      ...common,
      name: `Delete${title}PermissionsBoundary`,
      access: "Permissions management",
      members: {},
      change: (entity) => {
        if (entity.record.permissionsBoundaryId === null) {
          return refuse("NoSuchEntity", "no permissions boundary", { resource: entity.record.arn });
        }
        return changed(entity, { permissionsBoundaryId: null });
      },
    }),
    mutation({
      ...common,
      name: `Tag${title}`,
      access: "Tagging",
      members: { tags: required(tags, "Tags that are added or replaced.") },
      keys: (input) => requestTags(input.tags),
      change: (entity, input) => {
        const merged = mergedTags(entity.record.tags, input.tags, entity.record.arn);
        return isRefused(merged) ? merged : changed(entity, { tags: merged });
      },
    }),
    mutation({
      ...common,
      name: `Untag${title}`,
      access: "Tagging",
      members: { tagKeys: required(tagKeyList, "Keys of the tags to remove.") },
      keys: (input) => [tagKeys(input.tagKeys)],
      change: (entity, input) =>
        changed(entity, { tags: withoutTags(entity.record.tags, input.tagKeys) }),
    }),
    mutation({
      service: "mesh-iam",
      subject: common.subject,
      name: `Revoke${title}Sessions`,
      reserved: true,
      members: {},
      change: (entity, _input, context) => ({ ...entity, sessionsValidFrom: context.position }),
    }),
  ];
}

function changed<E extends PrincipalEntity>(
  entity: E,
  members: Partial<Pick<E["record"], "tags" | "permissionsBoundaryId">>,
): E {
  return withRecord<PrincipalEntity>(entity, members) as E;
}

function putBoundary<E extends PrincipalEntity>(
  entity: E,
  arn: string,
  { state }: OperationContext,
): E | Refusal {
  const found = ownPolicy(state, arn, entity.account);
  return isRefused(found) ? found : changed(entity, { permissionsBoundaryId: found.id });
}

const maxTags = 50;

/** Returns `before` with `added` over it; keys are the same ignoring case (TAG-1). */
export function mergedTags(
  before: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
  resource: string,
): ReadonlyMap<string, string> | Refusal {
  const kept = withoutTags(before, [...added.keys()]);
  const sorted = [...kept, ...added].sort(([a], [b]) => compareText(a, b));
  if (sorted.length <= maxTags) return new Map(sorted);
  return refuse("LimitExceeded", `expected at most ${maxTags} tags`, { resource, field: "tags" });
}

/** Returns `before` without `keys`, ignoring case. */
export function withoutTags(
  before: ReadonlyMap<string, string>,
  keys: readonly string[],
): ReadonlyMap<string, string> {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return new Map([...before].filter(([key]) => !gone.has(key.toLowerCase())));
}
