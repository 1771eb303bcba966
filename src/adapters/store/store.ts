/** Gap-free from 1 in each organization; 0 = nothing yet. A safe integer, uint64 on the wire. */
export type Revision = number;

/**
 * Where a replica stands in the history of an organization. The chain makes a history that was
 * rewritten (a standby promoted without the last commits, a restored file) visible at the next call.
 */
export interface Position {
  readonly epoch: number;
  readonly revision: Revision;
  /** 32 bytes: `StoreHead.chain` or `RevisionRecord.chain` at `revision`. */
  readonly chain: Uint8Array;
}

/** The newest state of an organization, as far as the store knows it. */
export interface StoreHead extends Position {
  readonly org: string;
  /** When `revision` was made: max(previous, database clock), Unix milliseconds. */
  readonly atMs: number;
  /** Changes up to this one are gone from the log. */
  readonly compactedRevision: Revision;
  /** `frozen`: no commit is accepted; reads go on. */
  readonly state: OrgState;
}

export type OrgState = "active" | "frozen";

/** What the store knows of an object: enough to keep it unique, nothing of its meaning. */
export interface StoredObject {
  /** Unique in the organization, never reused. */
  readonly id: string;
  readonly kind: string;
  /** Empty: an object of the organization. (kind, account, nameKey) is unique. */
  readonly account: string;
  readonly nameKey: string;
  /** Protobuf's JSON mapping, at most 256 KiB; kept byte for byte. */
  readonly doc: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** The object `to` must exist for as long as the reference does. */
export interface Reference {
  readonly rel: string;
  readonly to: string;
}

export type Change =
  | {
      readonly type: "put";
      readonly object: Omit<StoredObject, "createRevision" | "modRevision">;
      /** All of the object's; they replace those it had. */
      readonly references: readonly Reference[];
    }
  | { readonly type: "remove"; readonly id: string };

/** One revision to be: at most 500 changes, each object once, and 4 MiB. */
export interface Commit {
  /** A UUID: whoever lost the answer finds its commit by it. */
  readonly id: string;
  /** ARN. */
  readonly actor: string;
  /** The audit record, encoded and already redacted. */
  readonly audit: Uint8Array;
  readonly changes: readonly Change[];
  readonly idempotency?: Idempotency;
}

export interface Idempotency {
  readonly key: string;
  readonly requestDigest: Uint8Array;
  readonly response: Uint8Array;
}

/** A revision as the log keeps it; also the position of a replica that has applied it. */
export interface RevisionRecord extends Omit<Commit, "changes" | "idempotency">, Position {
  readonly atMs: number;
  readonly changes: readonly (StoredObject | { readonly removed: string })[];
}

/** An organization while its lock is held. */
export interface Locked {
  readonly head: StoreHead;
  /** max(head.atMs, database clock): the time of what is committed now. */
  readonly nowMs: number;
  /** What the caller's replica has not seen yet, in order; its own commits whose answer was lost too. */
  readonly behind: readonly RevisionRecord[];
  /** By key, of the keys asked for: what was answered before. */
  readonly done: ReadonlyMap<string, Idempotency & { readonly revision: Revision }>;
  /** Names of the fences asked for whose lease has gone to somebody else. */
  readonly lostFences: ReadonlySet<string>;
}

/** Proof of a lease; the token only ever grows. */
export interface Fence {
  readonly name: string;
  readonly token: number;
}

export interface Lease {
  readonly fence: Fence;
  /** Aborts when the lease was not renewed in time: stop. Correctness is the token's. */
  readonly signal: AbortSignal;
  /** Ends the lease at once; never throws. */
  release(): Promise<void>;
}

export interface TransactRequest {
  /** Where the caller's replica stands. */
  readonly since: Position;
  /** At most 64. */
  readonly idempotencyKeys: readonly string[];
  /** At most 64. */
  readonly fences: readonly Fence[];
}

/** How long rows are kept that nobody needs to build a replica, in milliseconds. */
export interface Retention {
  /** Rows of `mi_rev` below the compacted revision. Default 30 days. */
  readonly revisionsMs?: number;
  /** Default 24 hours. */
  readonly idempotencyMs?: number;
  /** Events of `AuditLog`; the last one of a stream stays, its chain goes on from it. Default 30 days. */
  readonly auditMs?: number;
}

/**
 * Durable ordered writes, a change log, consistent snapshots and mutual exclusion for a control plane.
 * `test/conformance/store.ts` says what every engine promises.
 *
 * Throws `MeshIamError`: `store-unavailable` (`StoreUnavailable`, which says whether something may have
 * been written), `store-org-unknown`, `store-corrupt`; further codes stand at each method.
 */
export interface Store {
  /** Returns the head of an organization, made if it is not there. */
  createOrg(org: string): Promise<StoreHead>;
  /** Returns every organization's head, in no order: one statement, for the poll. */
  heads(): Promise<readonly StoreHead[]>;
  /** Linearizable: at least every commit acknowledged before the call, by any instance. */
  head(org: string): Promise<StoreHead>;
  /**
   * Returns all objects of one revision, pages by ascending id. `pages` is read once; it holds a
   * connection until its end, its `return`, or 60 s (`store-unavailable`).
   */
  snapshot(org: string): Promise<Snapshot>;
  /** Returns the position that the log begins after: that of the compacted revision. */
  oldest(org: string): Promise<Position>;
  /**
   * Returns the records after `after`, in order, without gaps, whole revisions only: at most `limit`
   * (1 to 1,000), and fewer when they are big. None: `after` is the head.
   * Throws `store-compacted` below the compacted revision, `store-history-diverged` when `after` is no
   * position of this history.
   */
  changes(org: string, after: Position, limit: number): Promise<ChangesPage>;
  /**
   * Locks the organization, calls the synchronous `work` and writes the commits it returns (at most 64,
   * 4 MiB) with their audit records in one transaction. Returns the head afterwards.
   *
   * `work` is called again when the transaction failed or its answer was lost: `behind` then holds what
   * was applied. What `work` throws is thrown, and nothing is written.
   * Throws as `changes` does; `store-behind` above 1,000 unseen revisions; `store-frozen`; `store-limit`;
   * `store-constraint` for a taken name or a dangling reference, which the caller should have refused.
   */
  transact(
    org: string,
    request: TransactRequest,
    work: (locked: Locked) => readonly Commit[],
  ): Promise<StoreHead>;
  /** Calls with the organization when its head may have moved: late, doubled or missing. Returns the unsubscriber. */
  onHeadMoved(listener: (org: string) => void): () => void;
  /** Returns the lease, undefined while another instance holds it. It renews itself. */
  lease(name: string, options?: { readonly ttlMs: number }): Promise<Lease | undefined>;
  /** Forgets changes up to `through`. Repeatable; throws `store-fence-lost`. */
  compact(org: string, through: Revision, fence: Fence): Promise<void>;
  /** Removes rows whose time is over. Repeatable; throws `store-fence-lost`. */
  expire(org: string, retention: Retention, fence: Fence): Promise<void>;
  setState(org: string, state: OrgState): Promise<void>;
  /** Moves the epoch, which only grows. After a restore or a failover that lost commits. */
  newEpoch(org: string, epoch: number): Promise<void>;
  close(): Promise<void>;
}

export interface Snapshot {
  readonly head: StoreHead;
  readonly pages: AsyncIterable<readonly StoredObject[]>;
}

export interface ChangesPage {
  readonly head: StoreHead;
  readonly records: readonly RevisionRecord[];
}

/** An event that changes nothing: a read, a denial, a sign-in, a minted session. */
export interface AuditEvent {
  readonly atMs: number;
  readonly record: Uint8Array;
}

export interface AuditEntry extends AuditEvent {
  readonly stream: string;
  readonly seq: number;
  readonly chain: Uint8Array;
}

/** The audit of what changes nothing: one hash chain a stream, one stream an instance. */
export interface AuditLog {
  /** Appends in order. A stream has one writer at a time: a second one meets `store-constraint`. */
  append(org: string, stream: string, events: readonly AuditEvent[]): Promise<void>;
  /** Returns the last entry of each stream. */
  streams(org: string): Promise<readonly AuditEntry[]>;
  /** Returns at most `limit` entries of a stream after `seq`, in order. */
  read(org: string, stream: string, after: number, limit: number): Promise<readonly AuditEntry[]>;
}

/** How many sidecars of a slice are at a revision, as one reporter saw it. */
export interface FleetRow {
  readonly slice: string;
  readonly revision: Revision;
  readonly sidecars: number;
  /** JSON. */
  readonly nacks: string;
}

export interface Fleet {
  /** Replaces everything that `reporter` reported before. */
  upsert(org: string, reporter: string, rows: readonly FleetRow[]): Promise<void>;
  /** Returns the rows of every reporter that was not silent for 60 s. */
  read(org: string): Promise<readonly (FleetRow & { readonly reporter: string })[]>;
}

/** An object with its references: what a copy of an organization is made of. */
export interface CopiedObject extends StoredObject {
  readonly references: readonly Reference[];
}

/** Where a copy comes from. */
export type CopyOrigin = Pick<StoreHead, "org" | "epoch" | "revision" | "chain">;

/** Whole organizations out of one store and into another. */
export interface OrgCopy {
  /** As `Store.snapshot`, with references, and without its time limit. */
  read(org: string): Promise<{
    readonly head: StoreHead;
    readonly pages: AsyncIterable<readonly CopiedObject[]>;
  }>;
  /**
   * Writes an organization that does not exist (`store-org-exists`), all or nothing, as the revision
   * after the origin's and under the epoch after its. Frozen, until its epoch is known to sidecars.
   */
  write(
    origin: CopyOrigin,
    commit: Pick<Commit, "id" | "actor" | "audit">,
    pages: AsyncIterable<readonly CopiedObject[]>,
  ): Promise<StoreHead>;
}

/** Everything on one database. */
export interface StoreEngine {
  readonly engine: "sqlite" | "postgres";
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly fleet: Fleet;
  readonly copy: OrgCopy;
  /** What an operator should know: a file system that is not fully trusted. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}
