import {
  type EntityOf,
  type Kind,
  type PoisonedObject,
  type StateObject,
  storedKindOf,
} from "./entity.ts";
import { nameKeyOf, referencesOf } from "./stored-form.ts";

/**
 * An organization at one revision, to read. Objects are immutable and shared; what a method returns is
 * a view of the moment and is not to be held across a change.
 */
export interface OrganizationState {
  /** The revision of the newest change in it. */
  readonly revision: number;
  readonly size: number;
  get(id: string): StateObject | undefined;
  /** By the name that is unique within kind and account (STO-76); of its kind, or unreadable. */
  named<K extends Kind>(kind: K, account: string, nameKey: string): Named<K> | undefined;
  /** By the name in documents, where that is not what is unique; never in a list or a count. */
  titled(kind: TitledKind, account: string, name: string): StateObject | undefined;
  /** The objects of a kind in an account (empty: of the organization), in no order. */
  list(kind: string, account: string): Iterable<StateObject>;
  /** The objects of a kind in all accounts, in no order. */
  all(kind: string): Iterable<StateObject>;
  count(kind: string, account: string): number;
  /** The objects that cannot be read. */
  unreadable(): Iterable<PoisonedObject>;
  /** The ids of objects that refer to `id`, each once. */
  referrers(id: string): Iterable<string>;
  /** UTF-16 units of the docs of an account: of what its part of a slice is made (BUN-39). */
  sizeOf(account: string): number;
}

/** Kinds that documents know by another name than the store (control-plane 3.11, FILE-2). */
export type TitledKind = "workload" | "oidcProvider" | "permissionSetAssignment";

/** Returns the names that an object has to itself: that of its row, and of some the one in documents. */
export function namesOf(object: StateObject): readonly (readonly [kind: string, key: string])[] {
  const own = [storedKindOf(object), object.nameKey] as const;
  switch (object.kind) {
    case "workload":
    case "oidcProvider":
    case "permissionSetAssignment":
      if (object.record.name === "") return [own];
      return [own, [titleOf(object.kind), nameKeyOf(object.record.name)]];
    default:
      return [own];
  }
}

/** Returns the word under which titles are kept beside names: no kind has a blank in it. */
export function titleOf(kind: TitledKind): string {
  return `${kind} title`;
}

export type Named<K extends Kind> = EntityOf<K> | PoisonedObject;

/** What an operation does to the state. */
export type StateChange =
  | { readonly type: "put"; readonly object: StateObject }
  | { readonly type: "remove"; readonly id: string };

/**
 * The replica: one object an entity, the indexes derived (control-plane 3.5). Belongs to whoever applies
 * changes to it, in order; everybody else reads it between two of them. About 0.5 KB a principal.
 */
export class Replica implements OrganizationState {
  revision = 0;
  readonly #byId = new Map<string, StateObject>();
  readonly #byName = new Map<string, Map<string, Names>>();
  readonly #referrers = new Map<string, Referrers>();
  readonly #sizes = new Map<string, number>();
  readonly #unreadable = new Map<string, PoisonedObject>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): StateObject | undefined {
    return this.#byId.get(id);
  }

  named<K extends Kind>(kind: K, account: string, nameKey: string): Named<K> | undefined {
    return this.#byName.get(kind)?.get(account)?.get(nameKey) as Named<K> | undefined;
  }

  titled(kind: TitledKind, account: string, name: string): StateObject | undefined {
    return this.#byName.get(titleOf(kind))?.get(account)?.get(nameKeyOf(name));
  }

  list(kind: string, account: string): Iterable<StateObject> {
    return this.#byName.get(kind)?.get(account)?.values() ?? [];
  }

  *all(kind: string): Generator<StateObject> {
    for (const names of this.#byName.get(kind)?.values() ?? []) yield* names.values();
  }

  count(kind: string, account: string): number {
    return this.#byName.get(kind)?.get(account)?.size ?? 0;
  }

  unreadable(): Iterable<PoisonedObject> {
    return this.#unreadable.values();
  }

  referrers(id: string): Iterable<string> {
    const found = this.#referrers.get(id);
    if (found === undefined) return [];
    return typeof found === "string" ? [found] : found;
  }

  sizeOf(account: string): number {
    return this.#sizes.get(account) ?? 0;
  }

  /** Takes over the changes of one or more revisions, the newest of which is `revision`. */
  apply(changes: Iterable<StateChange>, revision: number): void {
    for (const change of changes) {
      const id = change.type === "put" ? change.object.id : change.id;
      const before = this.#byId.get(id);
      const after = change.type === "put" ? change.object : undefined;
      if (before !== undefined) this.#forget(before, after);
      if (after !== undefined) this.#learn(after, before);
    }
    this.revision = revision;
  }

  #learn(object: StateObject, before: StateObject | undefined): void {
    this.#byId.set(object.id, object);
    if (object.kind === "poisoned") this.#unreadable.set(object.id, object);
    for (const [kind, key] of namesOf(object)) {
      const accounts = getOrSet(this.#byName, kind, () => new Map<string, Names>());
      const names: Names = getOrSet(accounts, object.account, () => new Map());
      names.set(key, object);
    }
    this.#sizes.set(object.account, this.sizeOf(object.account) + object.size);
    if (sameReferences(before, object)) return;
    for (const { to } of referencesOf(object)) this.#point(object.id, to);
  }

  #forget(object: StateObject, after: StateObject | undefined): void {
    for (const [kind, key] of namesOf(object)) {
      const accounts = this.#byName.get(kind);
      const names = accounts?.get(object.account);
      if (names?.get(key) === object) names.delete(key);
      if (names?.size === 0) accounts?.delete(object.account);
    }
    this.#sizes.set(object.account, this.sizeOf(object.account) - object.size);
    if (after === undefined) this.#byId.delete(object.id);
    this.#unreadable.delete(object.id);
    if (sameReferences(object, after)) return;
    for (const { to } of referencesOf(object)) this.#unpoint(object.id, to);
  }

  #point(from: string, to: string): void {
    const known = this.#referrers.get(to);
    if (known === undefined) this.#referrers.set(to, from);
    else if (typeof known !== "string") known.add(from);
    else if (known !== from) this.#referrers.set(to, new Set([known, from]));
  }

  #unpoint(from: string, to: string): void {
    const known = this.#referrers.get(to);
    if (known === from) this.#referrers.delete(to);
    else if (typeof known === "object" && known.delete(from) && known.size === 0) {
      this.#referrers.delete(to);
    }
  }
}

type Names = Map<string, StateObject>;

/** Most objects that are referred to have one referrer; a Set for each would be most of the memory. */
type Referrers = string | Set<string>;

/** True where nothing about references changes, so that the index is left alone. */
function sameReferences(a: StateObject | undefined, b: StateObject | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const left = referencesOf(a);
  const right = referencesOf(b);
  return left.length === right.length && left.every(({ to }, index) => to === right[index]?.to);
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Returns the readable entities among `objects`. */
export function* entitiesOf<K extends Kind>(
  objects: Iterable<StateObject>,
  kind: K,
): Generator<EntityOf<K>> {
  for (const object of objects) if (object.kind === kind) yield object as EntityOf<K>;
}

/** Returns the organization's own record, or null before there is one. */
export function organizationOf(state: OrganizationState): EntityOf<"organization"> | null {
  const found = state.named("organization", "", "org");
  return found?.kind === "organization" ? found : null;
}
