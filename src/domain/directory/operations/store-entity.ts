import type { Tags } from "../../request/service-definition.ts";
import type { Entity, EntityOf, Kind, RecordOf } from "../state/entity.ts";
import type { StateChange } from "../state/organization-state.ts";
import { withNameKey, writeRow } from "../state/stored-form.ts";
import { arnOf } from "./arn-of.ts";
import type { OperationContext } from "./operation.ts";
import { type Refusal, refuse } from "./refusal.ts";

const noLabels: Tags = new Map();

type Extra<K extends Kind> = Omit<EntityOf<K>, keyof EntityOf<"group"> | "kind" | "record">;

/** Returns a new entity of the context's revision, time and manager; its record says id and account. */
export function newEntity<K extends Kind>(
  context: OperationContext,
  kind: K,
  record: RecordOf<K>,
  extra: Extra<K>,
  description = "",
): EntityOf<K> {
  const { revision } = context.position;
  const entity = {
    kind,
    id: record.id,
    account: "account" in record ? record.account : "",
    nameKey: "",
    record,
    ...extra,
    manager: context.manager,
    createdAtMs: context.nowMs,
    labels: noLabels,
    description,
    createRevision: revision,
    modRevision: revision,
    size: 0,
    foreign: null,
  };
  return withNameKey(entity as unknown as EntityOf<K>);
}

/** Returns `entity` with other members of its record. */
export function withRecord<E extends Entity>(entity: E, members: Partial<E["record"]>): E {
  return { ...entity, record: { ...entity.record, ...members } };
}

/**
 * Returns the change that stores `entity`, under the name that its record has now and at the context's
 * revision; `LimitExceeded` for a doc that is too long (STO-2). Writes the doc once.
 */
export function store(context: OperationContext, entity: Entity): StateChange | Refusal {
  const named = { ...withNameKey(entity), modRevision: context.position.revision };
  const { doc } = writeRow(named);
  const max = context.quotas.docBytes;
  if (doc.length > max / 4 && Buffer.byteLength(doc) > max) {
    const message = `expected at most ${max} bytes in all, got ${Buffer.byteLength(doc)}`;
    return refuse("LimitExceeded", message, { resource: arnOf(context.state, entity) });
  }
  return {
    type: "put",
    object: { ...named, size: doc.length, foreign: named.foreign === null ? null : doc },
  };
}
