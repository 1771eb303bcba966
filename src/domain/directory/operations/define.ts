import type { ContextValue } from "../../../iam/request-context.ts";
import { isReservedPath } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { whole } from "../shape/scalars.ts";
import { type Members, optional, type ValueOf } from "../shape/shape.ts";
import type { Entity, EntityOf, Kind, StateObject } from "../state/entity.ts";
import type { OrganizationState } from "../state/organization-state.ts";
import { arnOf } from "./arn-of.ts";
import {
  type AccessLevel,
  done,
  type Operation,
  type OperationContext,
  type Question,
  type Success,
  type TypedOperation,
} from "./operation.ts";
import { question, resourceTags } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { store } from "./store-entity.ts";
import type { Input, Subject } from "./subject.ts";

type Keys = Iterable<readonly [string, ContextValue]>;

/** Of every operation that changes an object (API-2); `clientToken` and `dryRun` are the API's. */
export const expectedRevision = optional(
  whole(0, 999_999_999_999_999),
  null,
  "The revision at which the object was last changed; another one is `ConcurrentModification`.",
);

interface Common<M extends Members> {
  readonly name: string;
  readonly service: Operation["service"];
  readonly access?: AccessLevel;
  readonly members: M;
}

/** Returns an operation that makes an object, or reads. */
export function operation<const M extends Members>(
  definition: Common<M> & {
    readonly questions: (input: ValueOf<M>, context: OperationContext) => readonly Question[];
    readonly run: (input: ValueOf<M>, context: OperationContext) => Success | Refusal;
  },
): TypedOperation<ValueOf<M>> {
  const { name, service, access = "Write", members, questions, run } = definition;
  return { name, service, access, input: record(members), secretMembers: [], questions, run };
}

/**
 * Returns an operation that changes one object. `change` returns the object as it becomes, or all of
 * what happens. The question is about the object's ARN, with its tags and what `keys` adds.
 */
export function mutation<const M extends Members, K extends Kind>(
  definition: Common<M> & {
    readonly subject: Subject<K>;
    readonly keys?: (input: ValueOf<M> & Input, context: OperationContext) => Keys;
    readonly also?: (input: ValueOf<M> & Input, context: OperationContext) => readonly Question[];
    /** Whether it is for roles that the control plane keeps too, under reserved paths. */
    readonly reserved?: boolean;
    readonly change: (
      entity: EntityOf<K>,
      input: ValueOf<M> & Input,
      context: OperationContext,
    ) => EntityOf<K> | Success | Refusal;
  },
): TypedOperation<ValueOf<M> & Input> {
  const { name, service, access = "Write", subject, members, keys, also, change } = definition;
  const all = { ...subject.members, ...members, expectedRevision };
  return {
    name,
    service,
    access,
    input: record(all) as unknown as TypedOperation<ValueOf<M> & Input>["input"],
    secretMembers: [],
    questions: (input, context) => {
      const found = subject.find(input, context);
      const account = subject.account(input, context);
      const tags = isRefused(found) ? [] : resourceTags(tagsOf(found), service);
      const asked = question(
        `${service}:${name}`,
        subject.arn(input, context),
        account,
        tags,
        keys?.(input, context) ?? [],
      );
      return [asked, ...(also?.(input, context) ?? [])];
    },
    run: (input, context) => {
      const found = subject.find(input, context);
      if (isRefused(found)) return found;
      const guarded = guard(found, input, context.state, definition.reserved ?? false);
      if (guarded !== null) return guarded;
      return finish(found, change(found, input, context), context);
    },
  };
}

function guard(
  entity: Entity,
  input: Input,
  state: OrganizationState,
  reserved: boolean,
): Refusal | null {
  const stale = checkRevision(entity, input.expectedRevision, state);
  if (stale !== null) return stale;
  if (reserved || entity.kind !== "role" || !isReservedPath(entity.record.path)) return null;
  const message = "the control plane keeps this role: change its permission set or assignments";
  return refuse("UnmodifiableEntity", message, { resource: arnOf(state, entity) });
}

/** Returns `ConcurrentModification` for an object that is not at the `expected` revision, or null. */
export function checkRevision(
  entity: Entity,
  expected: unknown,
  state: OrganizationState,
): Refusal | null {
  if (typeof expected !== "number" || expected === entity.modRevision) return null;
  const message = `expected revision ${expected}, the object is at ${entity.modRevision}`;
  const where = { resource: arnOf(state, entity), field: "expectedRevision" };
  return refuse("ConcurrentModification", message, where);
}

function finish(
  before: Entity,
  result: Entity | Success | Refusal,
  context: OperationContext,
): Success | Refusal {
  if (isRefused(result) || "changes" in result) return result;
  if (result === before) return done([]);
  const stored = store(context, result);
  return isRefused(stored) ? stored : done([stored]);
}

/** Returns the tags of an object, for `aws:ResourceTag/*`. */
export function tagsOf(object: StateObject): ReadonlyMap<string, string> {
  return "tags" in object.record ? object.record.tags : new Map();
}
