import { type Kind, type PoisonedObject, type StateObject, storedKindOf } from "./entity.ts";
import {
  type Named,
  namesOf,
  type OrganizationState,
  type StateChange,
  type TitledKind,
  titleOf,
} from "./organization-state.ts";
import { nameKeyOf, referencesOf } from "./stored-form.ts";

type Names = Map<string, StateObject | undefined>;

/**
 * A state with changes over it (control-plane 3.4): what the next operation of a transaction sees. The
 * state under it is borrowed and not touched. Cost: of its changes, not of the state.
 */
export class Draft implements OrganizationState {
  revision: number;
  readonly #under: OrganizationState;
  /** Undefined: removed. */
  readonly #objects = new Map<string, StateObject | undefined>();
  /** By kind, account and name key; undefined: the name is free. */
  readonly #names = new Map<string, Map<string, Names>>();
  readonly #referrers = new Map<string, Map<string, boolean>>();
  readonly #sizes = new Map<string, number>();
  /** By kind and account, how many more there are than under it. */
  readonly #counts = new Map<string, number>();
  #size: number;

  constructor(under: OrganizationState) {
    this.#under = under;
    this.revision = under.revision;
    this.#size = under.size;
  }

  get size(): number {
    return this.#size;
  }

  get(id: string): StateObject | undefined {
    return this.#objects.has(id) ? this.#objects.get(id) : this.#under.get(id);
  }

  named<K extends Kind>(kind: K, account: string, nameKey: string): Named<K> | undefined {
    const names = this.#names.get(kind)?.get(account);
    if (names?.has(nameKey)) return names.get(nameKey) as Named<K> | undefined;
    return this.#under.named(kind, account, nameKey);
  }

  titled(kind: TitledKind, account: string, name: string): StateObject | undefined {
    const names = this.#names.get(titleOf(kind))?.get(account);
    const key = nameKeyOf(name);
    return names?.has(key) ? names.get(key) : this.#under.titled(kind, account, name);
  }

  *list(kind: string, account: string): Generator<StateObject> {
    const names = this.#names.get(kind)?.get(account);
    for (const object of this.#under.list(kind, account)) {
      if (!names?.has(object.nameKey)) yield object;
    }
    for (const object of names?.values() ?? []) if (object !== undefined) yield object;
  }

  *all(kind: string): Generator<StateObject> {
    const accounts = this.#names.get(kind);
    for (const object of this.#under.all(kind)) {
      if (!accounts?.get(object.account)?.has(object.nameKey)) yield object;
    }
    for (const names of accounts?.values() ?? []) {
      for (const object of names.values()) if (object !== undefined) yield object;
    }
  }

  count(kind: string, account: string): number {
    return this.#under.count(kind, account) + (this.#counts.get(`${kind}/${account}`) ?? 0);
  }

  *unreadable(): Generator<PoisonedObject> {
    for (const object of this.#under.unreadable()) {
      if (!this.#objects.has(object.id)) yield object;
    }
    for (const object of this.#objects.values()) if (object?.kind === "poisoned") yield object;
  }

  *referrers(id: string): Generator<string> {
    const changed = this.#referrers.get(id);
    for (const from of this.#under.referrers(id)) if (!changed?.has(from)) yield from;
    for (const [from, points] of changed ?? []) if (points) yield from;
  }

  sizeOf(account: string): number {
    return this.#under.sizeOf(account) + (this.#sizes.get(account) ?? 0);
  }

  /** Takes over the changes of an operation, whose revision is `revision`. */
  apply(changes: Iterable<StateChange>, revision: number = this.revision): void {
    for (const change of changes) {
      const id = change.type === "put" ? change.object.id : change.id;
      const before = this.get(id);
      const after = change.type === "put" ? change.object : undefined;
      if (before !== undefined) this.#leave(before);
      if (after !== undefined) this.#enter(after);
      this.#objects.set(id, after);
      if (before !== undefined) this.#count(before, -1);
      if (after !== undefined) this.#count(after, 1);
      this.#size += Number(after !== undefined) - Number(before !== undefined);
    }
    this.revision = revision;
  }

  /** Returns the changes that lead from the state under it to this one: the last of each object. */
  changes(): readonly StateChange[] {
    const changes: StateChange[] = [];
    for (const [id, object] of this.#objects) {
      if (object !== undefined) changes.push({ type: "put", object });
      else if (this.#under.get(id) !== undefined) changes.push({ type: "remove", id });
    }
    return changes;
  }

  #leave(object: StateObject): void {
    for (const [kind, key] of namesOf(object)) this.#setName(kind, key, object, undefined);
    this.#resize(object.account, -object.size);
    for (const { to } of referencesOf(object)) this.#setReferrer(to, object.id, false);
  }

  #enter(object: StateObject): void {
    for (const [kind, key] of namesOf(object)) this.#setName(kind, key, object, object);
    this.#resize(object.account, object.size);
    for (const { to } of referencesOf(object)) this.#setReferrer(to, object.id, true);
  }

  #setName(kind: string, key: string, at: StateObject, object: StateObject | undefined): void {
    const accounts = this.#names.get(kind) ?? new Map<string, Names>();
    this.#names.set(kind, accounts);
    const names: Names = accounts.get(at.account) ?? new Map();
    accounts.set(at.account, names);
    // A name that another object has taken over in this draft stays with it.
    const holder = names.get(key);
    if (object === undefined && holder !== undefined && holder !== at) return;
    names.set(key, object);
  }

  #setReferrer(to: string, from: string, points: boolean): void {
    const known = this.#referrers.get(to) ?? new Map<string, boolean>();
    this.#referrers.set(to, known);
    known.set(from, points);
  }

  #count(object: StateObject, by: number): void {
    const key = `${storedKindOf(object)}/${object.account}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  #resize(account: string, by: number): void {
    this.#sizes.set(account, (this.#sizes.get(account) ?? 0) + by);
  }
}
