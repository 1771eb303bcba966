import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { firstAuditChain, nextAuditChain, sameBytes } from "./chain.ts";
import { checkInteger, checkText, overLimit, storeLimits } from "./limits.ts";
import {
  ask,
  bytesOf,
  type Database,
  insert,
  integerOf,
  type Plan,
  type Row,
  sql,
  textOf,
} from "./sql.ts";
import type { AuditEntry, AuditEvent, AuditLog } from "./store.ts";

const maxEvents = 1000;
const columns = ["org", "stream", "seq", "at", "record", "chain"] as const;

interface Link {
  readonly seq: number;
  readonly chain: Uint8Array;
}

/** Returns the audit log of a database. */
export function createAuditLog(database: Database): AuditLog {
  return {
    async append(org, stream, events) {
      checkText("an organization", org);
      checkText("a stream", stream);
      checkEvents(events);
      if (events.length === 0) return;
      // What the first attempt wrote, if it did and only its answer was lost.
      let written: Link | undefined;
      await database.write(function* () {
        const last = yield* lastOf(org, stream);
        if (written !== undefined && isAt(last, written)) return;
        const { rows, end } = chained(org, stream, last, events);
        yield* insert("mi_audit", columns, rows);
        written = end;
      });
    },
    async streams(org) {
      const rows = await database.query(
        sql(
          "SELECT stream, seq, at, record, chain FROM mi_audit WHERE org = $1 AND seq = (SELECT max(late.seq) FROM mi_audit AS late WHERE late.org = mi_audit.org AND late.stream = mi_audit.stream) ORDER BY stream",
          org,
        ),
      );
      return rows.map(readEntry);
    },
    async read(org, stream, after, limit) {
      checkInteger("a limit", limit, 1, maxEvents);
      const rows = await database.query(
        sql(
          "SELECT stream, seq, at, record, chain FROM mi_audit WHERE org = $1 AND stream = $2 AND seq > $3 ORDER BY seq LIMIT $4",
          org,
          stream,
          after,
          limit,
        ),
      );
      return rows.map(readEntry);
    },
  };
}

function checkEvents(events: readonly AuditEvent[]): void {
  if (events.length > maxEvents) {
    throw overLimit(`expected at most ${maxEvents} events at once, got ${events.length}`);
  }
  const bytes = events.reduce((sum, { record }) => sum + record.length, 0);
  if (bytes > storeLimits.transactionBytes) {
    throw overLimit(`expected at most ${storeLimits.transactionBytes} bytes at once, got ${bytes}`);
  }
  for (const { atMs } of events) checkInteger("a time in milliseconds", atMs, 0);
}

function* lastOf(org: string, stream: string): Plan<Link> {
  const [row] = yield* ask(
    "SELECT seq, chain FROM mi_audit WHERE org = $1 AND stream = $2 ORDER BY seq DESC LIMIT 1",
    org,
    stream,
  );
  if (row === undefined) return { seq: 0, chain: firstAuditChain(org, stream) };
  return { seq: integerOf(row, "seq"), chain: bytesOf(row, "chain") };
}

function chained(org: string, stream: string, { seq, chain }: Link, events: readonly AuditEvent[]) {
  let end = { seq, chain };
  const rows = events.map((event) => {
    const next = end.seq + 1;
    end = { seq: next, chain: nextAuditChain(org, stream, end.chain, next, event) };
    return [org, stream, next, event.atMs, event.record, end.chain];
  });
  return { rows, end };
}

function isAt(last: Link, { seq, chain }: Link): boolean {
  return last.seq === seq && sameBytes(last.chain, chain);
}

function readEntry(row: Row): AuditEntry {
  return {
    stream: textOf(row, "stream"),
    seq: integerOf(row, "seq"),
    atMs: integerOf(row, "at"),
    record: bytesOf(row, "record"),
    chain: bytesOf(row, "chain"),
  };
}

/**
 * Returns how many events of a stream were checked; throws `store-corrupt` at the first one whose
 * number or chain does not follow. The first one that is kept is taken as it is: those before it are
 * gone.
 */
export async function verifyStream(log: AuditLog, org: string, stream: string): Promise<number> {
  let checked = 0;
  let last: AuditEntry | undefined;
  for (;;) {
    const page = await log.read(org, stream, last?.seq ?? 0, maxEvents);
    for (const entry of page) {
      const before = last ?? (entry.seq === 1 ? firstOf(org, stream) : undefined);
      if (before !== undefined && !follows(org, stream, before, entry)) {
        throw new MeshIamError(
          "store-corrupt",
          `event ${entry.seq} of the audit stream ${quote(stream)} does not follow from the one before`,
        );
      }
      last = entry;
      checked++;
    }
    if (page.length === 0) return checked;
  }
}

function firstOf(org: string, stream: string): Link {
  return { seq: 0, chain: firstAuditChain(org, stream) };
}

function follows(org: string, stream: string, before: Link, entry: AuditEntry): boolean {
  const chain = nextAuditChain(org, stream, before.chain, entry.seq, entry);
  return entry.seq === before.seq + 1 && sameBytes(chain, entry.chain);
}
