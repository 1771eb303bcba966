import type {
  Position,
  RevisionRecord,
  Store,
  StoredObject,
  StoreHead,
} from "../../adapters/store/store.ts";
import { Replica, type StateChange } from "../../domain/directory/state/organization-state.ts";
import { createReader, readRow } from "../../domain/directory/state/stored-form.ts";
import { MeshIamError } from "../../iam/error.ts";

const pageRecords = 500;

/**
 * An organization in memory, always at exactly one revision of the store (control-plane 3.5). Whatever
 * moves it runs inside `exclusive`; everybody else reads it between two moves, synchronously.
 */
export class FollowedReplica {
  readonly org: string;
  readonly #store: Store;
  #replica = new Replica();
  #position: Position;
  #last: Promise<unknown> = Promise.resolve();
  #running: Promise<StoreHead> | null = null;
  #queued: Promise<StoreHead> | null = null;
  // One for all rows ever read, so that what docs repeat is kept once.
  readonly #reader = createReader();

  private constructor(store: Store, org: string, position: Position) {
    this.#store = store;
    this.org = org;
    this.#position = position;
  }

  /** Returns the replica of `org`, loaded. Throws `store-org-unknown`, `store-unavailable`. */
  static async open(store: Store, org: string): Promise<FollowedReplica> {
    const replica = new FollowedReplica(store, org, await store.head(org));
    await replica.#load();
    return replica;
  }

  get state(): Replica {
    return this.#replica;
  }

  get position(): Position {
    return this.#position;
  }

  /** Runs `work` when no other work runs; in the order of the calls. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work, work);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /**
   * Returns when the replica has everything that was acknowledged before the call, by any instance. Calls
   * at one time share a read of the head that began after the latest of them.
   */
  async current(): Promise<void> {
    await this.reach(await this.#head());
  }

  /** Returns when the replica is at `head` or past it. */
  async reach(head: Pick<StoreHead, "epoch" | "revision">): Promise<void> {
    if (this.#isAt(head)) return;
    await this.exclusive(async () => {
      while (!this.#isAt(head)) await this.catchUp();
    });
  }

  /** Reads the next changes; to be called inside `exclusive`. */
  async catchUp(): Promise<void> {
    try {
      const page = await this.#store.changes(this.org, this.#position, pageRecords);
      this.take(page.records);
      if (page.records.length === 0) this.#position = page.head;
    } catch (reason) {
      if (!(reason instanceof MeshIamError) || reason.code !== "store-compacted") throw reason;
      await this.#load();
    }
  }

  /** Applies records that follow the replica; those that it has already are passed over. */
  take(records: readonly RevisionRecord[]): void {
    for (const record of records) {
      if (record.revision <= this.#position.revision) continue;
      this.#replica.apply(
        record.changes.map((one) => this.#changeOf(one)),
        record.revision,
      );
      this.#position = record;
    }
  }

  /** Applies what this process has just committed; `head` is what the store answered. */
  advance(changes: readonly StateChange[], head: StoreHead): void {
    this.#replica.apply(changes, head.revision);
    this.#position = head;
  }

  #isAt({ epoch, revision }: Pick<StoreHead, "epoch" | "revision">): boolean {
    return this.#position.epoch === epoch && this.#position.revision >= revision;
  }

  #changeOf(change: StoredObject | { readonly removed: string }): StateChange {
    if ("removed" in change) return { type: "remove", id: change.removed };
    return { type: "put", object: readRow(change, this.#reader) };
  }

  async #load(): Promise<void> {
    const { head, pages } = await this.#store.snapshot(this.org);
    const replica = new Replica();
    for await (const page of pages) {
      replica.apply(
        page.map((row) => this.#changeOf(row)),
        head.revision,
      );
    }
    replica.apply([], head.revision);
    this.#replica = replica;
    this.#position = head;
  }

  #head(): Promise<StoreHead> {
    if (this.#running === null) return this.#readHead();
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = null;
        return this.#readHead();
      });
    return this.#queued;
  }

  #readHead(): Promise<StoreHead> {
    const running = this.#store.head(this.org).finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }
}
