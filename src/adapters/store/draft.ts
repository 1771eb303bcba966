import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { LoggedChange } from "./chain.ts";
import { inLists, insert, integerOf, type Plan, type SqlValue, tellLists, textOf } from "./sql.ts";
import type { Change, Commit, Reference } from "./store.ts";

type Known = Omit<LoggedChange, "doc">;
type Put = Extract<Change, { type: "put" }>;

interface Final {
  readonly object: Put["object"];
  readonly references: readonly Reference[];
  readonly createRevision: number;
  readonly modRevision: number;
}

export const objectColumns = [
  "org",
  "id",
  "kind",
  "account",
  "name_key",
  "doc",
  "create_rev",
  "mod_rev",
] as const;
export const referenceColumns = ["org", "from_id", "rel", "to_id"] as const;

/** What the objects of a transaction's commits become: their state in the database, then each change. */
export class Draft {
  readonly #org: string;
  /** As the database has them. */
  readonly #stored: ReadonlyMap<string, Known>;
  /** As the commits so far leave them; null: removed, for good. */
  readonly #final = new Map<string, Final | null>();

  private constructor(org: string, stored: ReadonlyMap<string, Known>) {
    this.#org = org;
    this.#stored = stored;
  }

  /** Reads what the database has of the objects that `commits` change. */
  static *of(org: string, commits: readonly Commit[]): Plan<Draft> {
    const ids = new Set(
      commits.flatMap(({ changes }) =>
        changes.map((change) => (change.type === "put" ? change.object.id : change.id)),
      ),
    );
    const rows = yield* inLists(
      "SELECT id, kind, account, name_key, create_rev FROM mi_object WHERE org = $1 AND id IN {list}",
      [org],
      [...ids],
    );
    const stored = rows.map((row): [string, Known] => {
      const id = textOf(row, "id");
      const kind = textOf(row, "kind");
      const account = textOf(row, "account");
      const nameKey = textOf(row, "name_key");
      return [id, { id, kind, account, nameKey, createRevision: integerOf(row, "create_rev") }];
    });
    return new Draft(org, new Map(stored));
  }

  /** Returns what the log keeps of a change; throws `store-constraint` for one that cannot be. */
  apply(change: Change, revision: number): LoggedChange {
    if (change.type === "remove") return this.#remove(change.id);
    const { object, references } = change;
    const before = this.#now(object.id);
    if (before === null) throw violated(`${quote(object.id)} was removed, ids are not reused`);
    if (before !== undefined && before.kind !== object.kind) {
      throw violated(`${quote(object.id)} is a ${before.kind}, it cannot become a ${object.kind}`);
    }
    const createRevision = before?.createRevision ?? revision;
    this.#final.set(object.id, { object, references, createRevision, modRevision: revision });
    return { ...object, createRevision };
  }

  #remove(id: string): LoggedChange {
    const before = this.#now(id);
    if (before === undefined || before === null) {
      throw violated(`${quote(id)} cannot be removed, it does not exist`);
    }
    this.#final.set(id, null);
    return { ...before, doc: null };
  }

  #now(id: string): Known | null | undefined {
    const final = this.#final.get(id);
    if (final === undefined) return this.#stored.get(id);
    return final === null ? null : { ...final.object, createRevision: final.createRevision };
  }

  /** Writes the final states. References go first and come last, for the foreign keys' sake. */
  *write(): Plan<void> {
    const org = this.#org;
    const stored = [...this.#final.keys()].filter((id) => this.#stored.has(id));
    yield* tellLists("DELETE FROM mi_ref WHERE org = $1 AND from_id IN {list}", [org], stored);
    yield* tellLists(
      "DELETE FROM mi_object WHERE org = $1 AND id IN {list}",
      [org],
      stored.filter((id) => this.#final.get(id) === null),
    );
    // Two objects may swap their names: each leaves its old one before any takes its new one.
    yield* tellLists(
      "UPDATE mi_object SET name_key = id, kind = '' WHERE org = $1 AND id IN {list}",
      [org],
      stored.filter((id) => this.#isRenamed(id)),
    );
    const puts = [...this.#final.values()].filter((final) => final !== null);
    yield* insert(
      "mi_object",
      objectColumns,
      puts.map(({ object: { id, kind, account, nameKey, doc }, createRevision, modRevision }) => [
        org,
        id,
        kind,
        account,
        nameKey,
        doc,
        createRevision,
        modRevision,
      ]),
      "ON CONFLICT (org, id) DO UPDATE SET kind = excluded.kind, account = excluded.account, name_key = excluded.name_key, doc = excluded.doc, mod_rev = excluded.mod_rev",
    );
    yield* insert(
      "mi_ref",
      referenceColumns,
      puts.flatMap(({ object: { id }, references }) =>
        references.map(({ rel, to }): SqlValue[] => [org, id, rel, to]),
      ),
    );
  }

  #isRenamed(id: string): boolean {
    const before = this.#stored.get(id);
    const after = this.#final.get(id)?.object;
    if (before === undefined || after === undefined) return false;
    return before.account !== after.account || before.nameKey !== after.nameKey;
  }
}

function violated(message: string): MeshIamError {
  return new MeshIamError("store-constraint", message);
}
