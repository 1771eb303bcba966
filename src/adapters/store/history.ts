import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { firstChain, firstPosition, type LoggedChange, sameBytes } from "./chain.ts";
import { storeLimits } from "./limits.ts";
import { ask, bytesOf, type Dialect, integerOf, type Plan, type Row, sql, textOf } from "./sql.ts";
import type { Position, RevisionRecord, StoredObject, StoreHead } from "./store.ts";

const headColumns = "org, epoch, rev, at, chain, compacted_rev, state";

export const headsStatement = sql(`SELECT ${headColumns} FROM mi_org`);
export const headStatement = (org: string) =>
  sql(`SELECT ${headColumns} FROM mi_org WHERE org = $1`, org);

export function readHead(row: Row): StoreHead {
  const state = textOf(row, "state");
  return {
    org: textOf(row, "org"),
    epoch: integerOf(row, "epoch"),
    revision: integerOf(row, "rev"),
    atMs: integerOf(row, "at"),
    chain: bytesOf(row, "chain"),
    compactedRevision: integerOf(row, "compacted_rev"),
    // The table admits two words; what is not the one that writes must be the other.
    state: state === "active" ? "active" : "frozen",
  };
}

/** Returns the head among `rows`, the answer to `headStatement`. */
export function oneHead(org: string, [row]: readonly Row[]): StoreHead {
  if (row !== undefined) return readHead(row);
  throw new MeshIamError("store-org-unknown", `the store has no organization ${quote(org)}`);
}

export function* readHeadOf(org: string): Plan<StoreHead> {
  const { sql: text, values } = headStatement(org);
  return oneHead(org, yield* ask(text, ...values));
}

/**
 * Locks an organization until the end of the transaction. INVARIANT: the first statement of every
 * transaction that writes an organization, so that everything after it sees all earlier holders' work.
 */
export function* lockOrg(
  { now, forUpdate }: Dialect,
  org: string,
): Plan<{ head: StoreHead; nowMs: number }> {
  const rows = yield* ask(
    `SELECT ${headColumns}, ${now} AS now FROM mi_org WHERE org = $1 ${forUpdate}`,
    org,
  );
  const head = oneHead(org, rows);
  return { head, nowMs: Math.max(head.atMs, integerOf(rows[0] ?? {}, "now")) };
}

/**
 * Throws unless `since` is a position of the history that `head` ends: `store-history-diverged`
 * (STO-33), or `store-compacted` when the log no longer reaches back to it.
 */
export function* checkPosition(head: StoreHead, since: Position): Plan<void> {
  if (since.epoch > head.epoch || since.revision > head.revision) {
    throw diverged(head, since);
  }
  if (since.revision < head.compactedRevision) {
    throw new MeshIamError(
      "store-compacted",
      `changes of ${quote(head.org)} after revision ${since.revision} are gone up to ${head.compactedRevision}, load a snapshot`,
    );
  }
  if (!sameBytes(yield* chainAt(head, since.revision), since.chain)) throw diverged(head, since);
}

/** Returns the position at the compacted revision. */
export function* oldestPosition(head: StoreHead): Plan<Position> {
  const revision = head.compactedRevision;
  if (revision === 0) return firstPosition(head.org);
  const [row] = yield* ask(
    "SELECT epoch, chain FROM mi_rev WHERE org = $1 AND rev = $2",
    head.org,
    revision,
  );
  if (row === undefined) throw missing(head.org, revision);
  return { epoch: integerOf(row, "epoch"), revision, chain: bytesOf(row, "chain") };
}

/** Returns the chain at a revision that is not below the compacted one. */
function* chainAt(head: StoreHead, revision: number): Plan<Uint8Array> {
  if (revision === head.revision) return head.chain;
  if (revision === 0) return firstChain(head.org);
  const [row] = yield* ask(
    "SELECT chain FROM mi_rev WHERE org = $1 AND rev = $2",
    head.org,
    revision,
  );
  if (row === undefined) throw missing(head.org, revision);
  return bytesOf(row, "chain");
}

function diverged(head: StoreHead, since: Position): MeshIamError {
  const at = (position: Position) => `epoch ${position.epoch}, revision ${position.revision}`;
  return new MeshIamError(
    "store-history-diverged",
    `the store's history of ${quote(head.org)} (${at(head)}) is not the one that was followed (${at(since)}): it lost commits; run \`mesh-iam store new-epoch\` and load a snapshot`,
  );
}

function missing(org: string, revision: number): MeshIamError {
  return new MeshIamError(
    "store-corrupt",
    `revision ${revision} of ${quote(org)} is missing, run \`mesh-iam store verify\``,
  );
}

/** What one page of changes may hold, in bytes of docs and audit records, before it ends. */
const pageBytes = 16 * 1024 * 1024;
/** Revisions asked for at once while nothing is known of their size: 16 times 4 MiB at worst. */
const firstBatch = 16;

/**
 * Returns the records after `after`, whole and without gaps: `limit` of them, up to the head, or as
 * many as fit `maxBytes`, whichever is least.
 */
export function* readRecords(
  { org, revision: last }: StoreHead,
  after: number,
  limit: number,
  maxBytes = pageBytes,
): Plan<RevisionRecord[]> {
  const records: RevisionRecord[] = [];
  const end = Math.min(last, after + limit);
  let bytes = 0;
  for (let at = after; at < end && bytes < maxBytes; ) {
    const size = records.length === 0 ? 0 : bytes / records.length;
    const batch = size === 0 ? firstBatch : Math.max(1, Math.floor((maxBytes - bytes) / size));
    const through = Math.min(end, at + Math.min(batch, storeLimits.records));
    const read = yield* readBatch(org, at, through);
    for (const { record, bytes: own } of read) {
      records.push(record);
      bytes += own;
    }
    at = through;
  }
  return records;
}

function* readBatch(
  org: string,
  after: number,
  through: number,
): Plan<{ record: RevisionRecord; bytes: number }[]> {
  const revisions = yield* ask(
    "SELECT rev, epoch, commit_id, at, actor, audit, chain FROM mi_rev WHERE org = $1 AND rev > $2 AND rev <= $3 ORDER BY rev",
    org,
    after,
    through,
  );
  const changes = yield* ask(
    "SELECT rev, id, kind, account, name_key, doc, create_rev FROM mi_change WHERE org = $1 AND rev > $2 AND rev <= $3 ORDER BY rev, seq",
    org,
    after,
    through,
  );
  let next = 0;
  const read = revisions.map((row, index) => {
    const revision = integerOf(row, "rev");
    if (revision !== after + index + 1) throw missing(org, after + index + 1);
    const own: RevisionRecord["changes"][number][] = [];
    const audit = bytesOf(row, "audit");
    let bytes = audit.length;
    for (; next < changes.length; next++) {
      const change = changes[next] ?? {};
      if (integerOf(change, "rev") !== revision) break;
      const logged = readChange(change);
      own.push(replayed(logged, revision));
      bytes += logged.doc?.length ?? 0;
    }
    const record = {
      revision,
      epoch: integerOf(row, "epoch"),
      id: textOf(row, "commit_id"),
      atMs: integerOf(row, "at"),
      actor: textOf(row, "actor"),
      audit,
      chain: bytesOf(row, "chain"),
      changes: own,
    };
    return { record, bytes };
  });
  if (read.length !== through - after) throw missing(org, after + read.length + 1);
  return read;
}

export function readChange(row: Row): LoggedChange {
  return {
    id: textOf(row, "id"),
    kind: textOf(row, "kind"),
    account: textOf(row, "account"),
    nameKey: textOf(row, "name_key"),
    doc: row.doc === null ? null : textOf(row, "doc"),
    createRevision: integerOf(row, "create_rev"),
  };
}

function replayed(
  { doc, ...object }: LoggedChange,
  modRevision: number,
): StoredObject | { readonly removed: string } {
  return doc === null ? { removed: object.id } : { ...object, doc, modRevision };
}
