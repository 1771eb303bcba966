import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { changesDigest, nextChain } from "./chain.ts";
import { Draft } from "./draft.ts";
import { checkPosition, lockOrg, readRecords } from "./history.ts";
import { checkCommits, storeLimits } from "./limits.ts";
import {
  bytesOf,
  type Dialect,
  inLists,
  insert,
  integerOf,
  type Plan,
  type SqlValue,
  tell,
  textOf,
} from "./sql.ts";
import type {
  Commit,
  Fence,
  Locked,
  Position,
  RevisionRecord,
  StoreHead,
  TransactRequest,
} from "./store.ts";

/** Unseen revisions may not hold more: they are read while the lock is held. */
const behindBytes = 64 * 1024 * 1024;

/** The transaction of 3.4: lock, catch up, work, write. The engine begins and commits it. */
export function* transaction(
  dialect: Dialect,
  org: string,
  request: TransactRequest,
  work: (locked: Locked) => readonly Commit[],
): Plan<{ head: StoreHead; moved: boolean }> {
  const { head, nowMs } = yield* lockOrg(dialect, org);
  const behind = yield* unseen(head, request.since);
  const done = yield* answered(org, request.idempotencyKeys);
  const lostFences = yield* lostAmong(dialect, request.fences);
  const commits = work({ head, nowMs, behind, done, lostFences });
  if (commits.length === 0) return { head, moved: false };
  // After `work`: a commit whose answer was lost is recognised although the organization was frozen since.
  if (head.state === "frozen") {
    throw new MeshIamError(
      "store-frozen",
      `${quote(org)} is frozen, \`mesh-iam store unfreeze\` lets commits in again`,
    );
  }
  checkCommits(commits);
  return { head: yield* write(head, nowMs, commits), moved: true };
}

function* unseen(head: StoreHead, since: Position): Plan<readonly RevisionRecord[]> {
  yield* checkPosition(head, since);
  const count = head.revision - since.revision;
  if (count === 0) return [];
  const records =
    count > storeLimits.records
      ? []
      : yield* readRecords(head, since.revision, storeLimits.records, behindBytes);
  if (records.length === count) return records;
  throw new MeshIamError(
    "store-behind",
    `the replica of ${quote(head.org)} is ${count} revisions behind, read its changes first`,
  );
}

function* answered(org: string, keys: readonly string[]): Plan<Locked["done"]> {
  if (keys.length === 0) return new Map();
  const rows = yield* inLists(
    "SELECT key, rev, request_digest, response FROM mi_idempotency WHERE org = $1 AND key IN {list}",
    [org],
    keys,
  );
  return new Map(
    rows.map((row) => {
      const key = textOf(row, "key");
      const requestDigest = bytesOf(row, "request_digest");
      const response = bytesOf(row, "response");
      return [key, { key, requestDigest, response, revision: integerOf(row, "rev") }];
    }),
  );
}

/** Returns the names of fences whose lease has another token by now; locks their rows (STO-41). */
export function* lostAmong(
  { forUpdate }: Dialect,
  fences: readonly Fence[],
): Plan<ReadonlySet<string>> {
  if (fences.length === 0) return new Set();
  const rows = yield* inLists(
    `SELECT name, token FROM mi_lease WHERE name IN {list} ORDER BY name ${forUpdate}`,
    [],
    fences.map(({ name }) => name),
  );
  const tokens = new Map(rows.map((row) => [textOf(row, "name"), integerOf(row, "token")]));
  return new Set(
    fences.filter(({ name, token }) => tokens.get(name) !== token).map(({ name }) => name),
  );
}

/** Writes commits in the order of 3.4, step 4; only the final state of each object. */
function* write(head: StoreHead, nowMs: number, commits: readonly Commit[]): Plan<StoreHead> {
  const { org, epoch } = head;
  const draft = yield* Draft.of(org, commits);
  const revisions: SqlValue[][] = [];
  const changes: SqlValue[][] = [];
  const idempotency: SqlValue[][] = [];
  let { revision, chain } = head;
  for (const commit of commits) {
    revision++;
    const logged = commit.changes.map((change) => draft.apply(change, revision));
    const digest = changesDigest(logged);
    const { id, actor, audit } = commit;
    chain = nextChain(org, chain, { id, actor, audit, epoch, revision, atMs: nowMs }, digest);
    revisions.push([org, revision, epoch, id, nowMs, actor, audit, digest, chain]);
    for (const [seq, one] of logged.entries()) {
      const { id: object, kind, account, nameKey, doc, createRevision } = one;
      changes.push([org, revision, seq, object, kind, account, nameKey, doc, createRevision]);
    }
    if (commit.idempotency !== undefined) {
      const { key, requestDigest, response } = commit.idempotency;
      idempotency.push([org, key, revision, nowMs, requestDigest, response]);
    }
  }
  yield* insert("mi_rev", revisionColumns, revisions);
  yield* insert("mi_change", changeColumns, changes);
  yield* draft.write();
  yield* insert("mi_idempotency", idempotencyColumns, idempotency);
  yield* tell(
    "UPDATE mi_org SET rev = $2, at = $3, chain = $4 WHERE org = $1",
    org,
    revision,
    nowMs,
    chain,
  );
  return { ...head, revision, atMs: nowMs, chain };
}

export const revisionColumns = [
  "org",
  "rev",
  "epoch",
  "commit_id",
  "at",
  "actor",
  "audit",
  "changes_digest",
  "chain",
] as const;
const changeColumns = [
  "org",
  "rev",
  "seq",
  "id",
  "kind",
  "account",
  "name_key",
  "doc",
  "create_rev",
] as const;
const idempotencyColumns = ["org", "key", "rev", "at", "request_digest", "response"] as const;
