import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { lostAmong } from "./commit.ts";
import { lockOrg } from "./history.ts";
import { checkInteger } from "./limits.ts";
import { ask, type Database, type Dialect, integerOf, type Plan } from "./sql.ts";
import type { Fence, Retention } from "./store.ts";

const dayMs = 24 * 3_600_000;
/** Rows of one deleting transaction, which does not hold the organization's lock. */
const batchRows = 1000;

/** Moves the compacted revision under the lock, then deletes what it lets go, in small transactions. */
export async function compact(
  database: Database,
  org: string,
  through: number,
  fence: Fence,
): Promise<void> {
  await database.write(() => moveCompacted(database.dialect, org, through, fence));
  for (;;) {
    const more = await database.write(() => deleteChanges(org, through));
    if (!more) return;
  }
}

function* moveCompacted(dialect: Dialect, org: string, through: number, fence: Fence): Plan<void> {
  const { head } = yield* lockOrg(dialect, org);
  yield* holdFence(dialect, fence);
  checkInteger("a revision", through, 0, head.revision);
  if (through <= head.compactedRevision) return;
  yield* ask("UPDATE mi_org SET compacted_rev = $2 WHERE org = $1", org, through);
}

/** Throws `store-fence-lost` when the lease has gone to somebody else. */
function* holdFence(dialect: Dialect, fence: Fence): Plan<void> {
  const lost = yield* lostAmong(dialect, [fence]);
  if (lost.size === 0) return;
  throw new MeshIamError(
    "store-fence-lost",
    `the lease ${quote(fence.name)} was taken over, token ${fence.token} is no longer its own`,
  );
}

/** Deletes whole revisions, about a thousand rows; returns whether some are left. */
function* deleteChanges(org: string, through: number): Plan<boolean> {
  const [row] = yield* ask(
    "SELECT rev FROM mi_change WHERE org = $1 AND rev <= $2 ORDER BY rev, seq LIMIT 1 OFFSET $3",
    org,
    through,
    batchRows - 1,
  );
  const end = row === undefined ? through : integerOf(row, "rev");
  yield* ask("DELETE FROM mi_change WHERE org = $1 AND rev <= $2", org, end);
  return row !== undefined;
}

/** Removes rows of a table without the organization's lock until none is left that `where` names. */
export async function expire(
  database: Database,
  org: string,
  retention: Retention,
  fence: Fence,
): Promise<void> {
  const { dialect } = database;
  const { revisionsMs = 30 * dayMs, idempotencyMs = dayMs, auditMs = 30 * dayMs } = retention;
  const jobs = [
    // The row at the compacted revision stays: a replica there shows its chain.
    deletion(
      "mi_rev",
      "rev",
      "rev < (SELECT compacted_rev FROM mi_org WHERE mi_org.org = mi_rev.org)",
    ),
    deletion("mi_idempotency", "key", "TRUE"),
    // The last event of a stream stays: the chain goes on from it.
    deletion(
      "mi_audit",
      "stream, seq",
      "seq < (SELECT max(late.seq) FROM mi_audit AS late WHERE late.org = mi_audit.org AND late.stream = mi_audit.stream)",
    ),
  ];
  for (const [at, ageMs] of [revisionsMs, idempotencyMs, auditMs].entries()) {
    checkInteger("a retention in milliseconds", ageMs, 0);
    const text = (jobs[at] ?? "").replace("{now}", dialect.now);
    for (;;) {
      const more = await database.write(function* () {
        yield* holdFence(dialect, fence);
        const rows = yield* ask(text, org, ageMs, batchRows);
        return rows.length === batchRows;
      });
      if (!more) break;
    }
  }
}

function deletion(table: string, key: string, where: string): string {
  return (
    `DELETE FROM ${table} WHERE org = $1 AND (${key}) IN (` +
    `SELECT ${key} FROM ${table} WHERE org = $1 AND at < {now} - $2 AND ${where} LIMIT $3) RETURNING at`
  );
}
