import { type Codec, may, noTags, shared, tags, text, whole } from "../codec.ts";
import type { Entity, EntityOf, Kind, Stored } from "../entity.ts";

/** What stands around a record, as it is read from its row and its doc. */
export type Frame = Omit<Stored<never, never>, "kind" | "record">;

/** `from` points to `to`: what the database refuses to leave dangling (STO-71). */
export interface Reference {
  readonly rel: Relation;
  readonly to: string;
}

export type Relation =
  | "parent"
  | "target"
  | "member"
  | "attached"
  | "boundary"
  | "set"
  | "principal"
  | "account"
  | "role";

/** A kind of object in its stored form, declared once; `D` is what its doc holds. */
export interface KindCodec<K extends Kind, D = unknown> {
  readonly kind: K;
  readonly doc: Codec<D>;
  readonly toEntity: (frame: Frame, doc: D) => EntityOf<K>;
  readonly toDoc: (entity: EntityOf<K>) => D;
  readonly nameKey: (entity: Pick<EntityOf<K>, "record">) => string;
  readonly references: (entity: EntityOf<K>) => readonly Reference[];
}

/** Members of every doc. */
export const frameMembers = {
  manager: may(shared, "api"),
  createdAtMs: may(whole, 0),
  labels: may(tags, noTags),
  description: may(text, ""),
};

/** Returns the members of `frameMembers` as they are written. */
export function frameOf({ manager, createdAtMs, labels, description }: Entity) {
  return { manager, createdAtMs, labels, description };
}

/** Returns `ids` as references. */
export function pointing(rel: Relation, ids: readonly (string | null)[]): readonly Reference[] {
  return ids.flatMap((to) => (to === null ? [] : [{ rel, to }]));
}

/** Returns the kind with the types of its doc hidden, for the registry. */
export function kindCodec<K extends Kind, D>(codec: KindCodec<K, D>): KindCodec<K> {
  return codec as unknown as KindCodec<K>;
}
