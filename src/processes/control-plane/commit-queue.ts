import { randomUUID } from "node:crypto";
import type { Commit, Locked, Store, StoreHead } from "../../adapters/store/store.ts";
import { Draft } from "../../domain/directory/state/draft.ts";
import type { StorePosition } from "../../domain/directory/state/entity.ts";
import type { StateChange } from "../../domain/directory/state/organization-state.ts";
import { storedChange } from "../../domain/directory/state/stored-change.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { FollowedReplica } from "./followed-replica.ts";

/** The organization as a job finds it under the lock. */
export interface Moment {
  readonly state: Draft;
  readonly nowMs: number;
  /** The revision that the job's changes get. */
  readonly position: StorePosition;
}

/** What a job comes to. Without changes nothing is committed. */
export interface Proposal<T> {
  readonly value: T;
  readonly changes: readonly StateChange[];
  /** ARN. */
  readonly actor: string;
  readonly audit: Uint8Array;
}

/** Work under the organization's lock. `decide` may be called again when a transaction is repeated. */
export interface Job<T> {
  /** Counted and logged by this when it takes too long. */
  readonly name: string;
  readonly idempotency: JobIdempotency<T> | null;
  decide(moment: Moment): Proposal<T>;
}

export interface JobIdempotency<T> {
  readonly key: string;
  readonly requestDigest: Uint8Array;
  encode(value: T): Uint8Array;
  decode(response: Uint8Array): T;
  /** What the job is answered when the key was used for another request. */
  mismatch(): T;
}

/** What became of a job. */
export interface Settled<T> {
  readonly value: T;
  /** The revision of its commit; null: it changed nothing. */
  readonly revision: number | null;
}

export interface CommitQueueOptions {
  readonly monotonicMs: () => number;
  /** Told of a job that took longer than the budget of a transaction. */
  readonly onSlow?: (name: string, tookMs: number) => void;
  readonly maxWaiting?: number;
}

/** STO-72; bytes leave room for what the store counts beside docs and audit. */
const limits = { jobs: 64, budgetMs: 50, bytes: 3_500_000, changes: 500 } as const;

interface Entry {
  readonly job: Job<unknown>;
  readonly resolve: (settled: Settled<unknown>) => void;
  readonly reject: (reason: unknown) => void;
}

type Result =
  | { readonly type: "settled"; readonly settled: Settled<unknown> }
  | { readonly type: "failed"; readonly reason: unknown };

interface Attempt {
  readonly commits: Commit[];
  readonly draft: Draft;
  readonly results: Map<Entry, Result>;
  /** Jobs that found no more room in this transaction. */
  readonly later: Entry[];
}

/**
 * The jobs of one organization that wait for its lock: one transaction in flight, at most 64 jobs, none
 * begun after 50 ms (control-plane 3.4). A job sees what those before it did.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #replica: FollowedReplica;
  readonly #options: CommitQueueOptions;
  readonly #waiting: Entry[] = [];
  #running = false;

  constructor(store: Store, replica: FollowedReplica, options: CommitQueueOptions) {
    this.#store = store;
    this.#replica = replica;
    this.#options = options;
  }

  /**
   * Returns what became of `job` when it is durable. Throws what `decide` threw; `overloaded` when too
   * many wait; `store-unavailable`, `store-frozen`, `store-history-diverged` as the store does.
   */
  submit<T>(job: Job<T>): Promise<Settled<T>> {
    if (this.#waiting.length >= (this.#options.maxWaiting ?? 1024)) {
      return Promise.reject(
        new MeshIamError("store-unavailable", "too many changes wait for the organization's lock"),
      );
    }
    return new Promise<Settled<T>>((resolve, reject) => {
      this.#waiting.push({ job, resolve: resolve as Entry["resolve"], reject });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    // Whatever is submitted in the same turn shares the transaction.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, limits.jobs);
      await this.#replica.exclusive(() => this.#settle(batch));
    }
    this.#running = false;
  }

  async #settle(batch: readonly Entry[]): Promise<void> {
    try {
      await this.#transact(batch);
    } catch (reason) {
      const isOne = batch.length === 1;
      if (isOne || !isPoisonous(reason)) {
        for (const entry of batch) entry.reject(reason);
        return;
      }
      // One commit that the database refuses takes no other with it (STO-73).
      for (const entry of batch) await this.#settle([entry]);
    }
  }

  async #transact(batch: readonly Entry[]): Promise<void> {
    /** By commit id, of every attempt: one whose answer was lost is recognised (STO-11). */
    const proposed = new Map<string, { readonly entry: Entry; readonly result: Result }>();
    const durable = new Map<Entry, Result>();
    const last: { attempt: Attempt | null } = { attempt: null };
    const keys = batch.flatMap(({ job }) => job.idempotency?.key ?? []);
    const request = { idempotencyKeys: [...new Set(keys)], fences: [] };
    const head = await this.#withRoom(() =>
      this.#store.transact(
        this.#replica.org,
        { ...request, since: this.#replica.position },
        (locked) => {
          for (const { id } of locked.behind) {
            const known = proposed.get(id);
            if (known !== undefined) durable.set(known.entry, known.result);
          }
          this.#replica.take(locked.behind);
          const open = batch.filter((entry) => !durable.has(entry));
          last.attempt = this.#decideAll(open, locked, proposed);
          return last.attempt.commits;
        },
      ),
    );
    this.#finish(last.attempt, head, durable);
  }

  /** An instance that is far behind catches up before it asks for the lock again (STO-72). */
  async #withRoom(transact: () => Promise<StoreHead>): Promise<StoreHead> {
    for (;;) {
      try {
        return await transact();
      } catch (reason) {
        if (!(reason instanceof MeshIamError)) throw reason;
        if (reason.code !== "store-behind" && reason.code !== "store-compacted") throw reason;
        await this.#replica.catchUp();
      }
    }
  }

  #finish(attempt: Attempt | null, head: StoreHead, durable: ReadonlyMap<Entry, Result>): void {
    if (attempt === null)
      throw new MeshIamError("internal", "a transaction ended without its work");
    const { commits, draft, results, later } = attempt;
    if (commits.length > 0) this.#replica.advance(draft.changes(), head);
    for (const [entry, result] of [...durable, ...results]) {
      if (result.type === "settled") entry.resolve(result.settled);
      else entry.reject(result.reason);
    }
    this.#waiting.unshift(...later);
  }

  #decideAll(
    entries: readonly Entry[],
    locked: Locked,
    proposed: Map<string, { readonly entry: Entry; readonly result: Result }>,
  ): Attempt {
    const { monotonicMs } = this.#options;
    const startMs = monotonicMs();
    const draft = new Draft(this.#replica.state);
    const attempt: Attempt = { commits: [], draft, results: new Map(), later: [] };
    const answered = new Map(locked.done);
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      const beganMs = monotonicMs();
      if (index > 0 && beganMs - startMs > limits.budgetMs) {
        attempt.later.push(...entries.slice(index));
        break;
      }
      const { job } = entry;
      const replayed = replay(job, answered);
      if (replayed !== null) {
        attempt.results.set(entry, replayed);
        continue;
      }
      const revision = locked.head.revision + attempt.commits.length + 1;
      const moment: Moment = {
        state: draft,
        nowMs: locked.nowMs,
        position: { epoch: locked.head.epoch, revision },
      };
      try {
        const proposal = job.decide(moment);
        if (proposal.changes.length === 0) {
          const settled = { value: proposal.value, revision: null };
          attempt.results.set(entry, { type: "settled", settled });
          continue;
        }
        const commit = commitOf(job, proposal);
        const size = sizeOf(commit);
        if (attempt.commits.length > 0 && bytes + size > limits.bytes) {
          attempt.later.push(...entries.slice(index));
          break;
        }
        bytes += size;
        draft.apply(proposal.changes, revision);
        attempt.commits.push(commit);
        const result: Result = { type: "settled", settled: { value: proposal.value, revision } };
        attempt.results.set(entry, result);
        proposed.set(commit.id, { entry, result });
        if (commit.idempotency !== undefined) {
          answered.set(commit.idempotency.key, { ...commit.idempotency, revision });
        }
      } catch (reason) {
        attempt.results.set(entry, { type: "failed", reason });
      } finally {
        const tookMs = monotonicMs() - beganMs;
        if (tookMs > limits.budgetMs) this.#options.onSlow?.(job.name, tookMs);
      }
    }
    return attempt;
  }
}

function isPoisonous(reason: unknown): boolean {
  if (!(reason instanceof MeshIamError)) return true;
  return reason.code === "store-constraint" || reason.code === "store-limit";
}

/** Returns what a job was answered before, under the same client token (STO-12), or null. */
function replay(job: Job<unknown>, answered: Locked["done"]): Result | null {
  const { idempotency } = job;
  const before = idempotency === null ? undefined : answered.get(idempotency.key);
  if (idempotency === null || before === undefined) return null;
  if (Buffer.compare(before.requestDigest, idempotency.requestDigest) !== 0) {
    return { type: "settled", settled: { value: idempotency.mismatch(), revision: null } };
  }
  const value = idempotency.decode(before.response);
  return { type: "settled", settled: { value, revision: before.revision } };
}

function commitOf(job: Job<unknown>, { changes, actor, audit, value }: Proposal<unknown>): Commit {
  if (changes.length > limits.changes) {
    throw new MeshIamError(
      "store-limit",
      `expected at most ${limits.changes} objects in a change, got ${changes.length}`,
    );
  }
  const { idempotency } = job;
  return {
    id: randomUUID(),
    actor,
    audit,
    changes: changes.map(storedChange),
    ...(idempotency === null
      ? {}
      : {
          idempotency: {
            key: idempotency.key,
            requestDigest: idempotency.requestDigest,
            response: idempotency.encode(value),
          },
        }),
  };
}

function sizeOf({ audit, changes, idempotency }: Commit): number {
  let bytes = audit.length + (idempotency?.response.length ?? 0);
  for (const change of changes) {
    if (change.type === "put") bytes += Buffer.byteLength(change.object.doc);
  }
  return bytes;
}
