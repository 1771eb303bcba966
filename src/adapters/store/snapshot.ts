import { headStatement, oneHead } from "./history.ts";
import { storeLimits } from "./limits.ts";
import {
  ask,
  type Database,
  inLists,
  integerOf,
  type Plan,
  type Row,
  type Session,
  textOf,
} from "./sql.ts";
import type { CopiedObject, Reference, StoredObject, StoreHead } from "./store.ts";
import type { StoreClock } from "./time.ts";
import { StoreUnavailable } from "./unavailable.ts";

/** A view older than this holds back the database's own cleaning. */
const maxViewMs = 60_000;

/** Opens one view of an organization; `pages` reads it to its end by ascending id and closes it. */
export async function openSnapshot(
  database: Database,
  clock: StoreClock,
  org: string,
): Promise<{ head: StoreHead; pages: AsyncIterable<readonly StoredObject[]> }> {
  const { head, session } = await openView(database, org);
  const timer = clock.after(maxViewMs, () => void session.close());
  const startedMs = clock.monotonicMs();
  const check = () => {
    if (clock.monotonicMs() - startedMs < maxViewMs) return;
    throw new StoreUnavailable("a snapshot took longer than 60 s to read", "not-applied");
  };
  const done = async () => {
    timer.cancel();
    await session.close();
  };
  return { head, pages: pagesOf(session, org, readPage, check, done) };
}

/** As `openSnapshot`, with each object's references and without the time limit: for tools. */
export async function openCopy(
  database: Database,
  org: string,
): Promise<{ head: StoreHead; pages: AsyncIterable<readonly CopiedObject[]> }> {
  const { head, session } = await openView(database, org);
  return {
    head,
    pages: pagesOf(
      session,
      org,
      readCopiedPage,
      () => {},
      () => session.close(),
    ),
  };
}

async function openView(
  database: Database,
  org: string,
): Promise<{ head: StoreHead; session: Session }> {
  const session = await database.open("read");
  try {
    const { sql, values } = headStatement(org);
    return { head: oneHead(org, await session.run(ask(sql, ...values))), session };
  } catch (reason) {
    await session.close();
    throw reason;
  }
}

async function* pagesOf<T extends { readonly id: string }>(
  session: Session,
  org: string,
  read: (org: string, after: string) => Plan<readonly T[]>,
  check: () => void,
  done: () => Promise<void>,
): AsyncGenerator<readonly T[]> {
  try {
    for (let after = ""; ; ) {
      check();
      const page = await session.run(read(org, after));
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last.id;
    }
  } finally {
    await done();
  }
}

function* readPage(org: string, after: string): Plan<readonly StoredObject[]> {
  const rows = yield* ask(
    "SELECT id, kind, account, name_key, doc, create_rev, mod_rev FROM mi_object WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3",
    org,
    after,
    storeLimits.pageObjects,
  );
  return rows.map(readObject);
}

function* readCopiedPage(org: string, after: string): Plan<readonly CopiedObject[]> {
  const objects = yield* readPage(org, after);
  const rows = yield* inLists(
    "SELECT from_id, rel, to_id FROM mi_ref WHERE org = $1 AND from_id IN {list}",
    [org],
    objects.map(({ id }) => id),
  );
  const references = new Map<string, Reference[]>();
  for (const row of rows) {
    const from = textOf(row, "from_id");
    const own = references.get(from) ?? [];
    own.push({ rel: textOf(row, "rel"), to: textOf(row, "to_id") });
    references.set(from, own);
  }
  return objects.map((object) => ({
    ...object,
    references: (references.get(object.id) ?? []).toSorted(byRelation),
  }));
}

/** One order on both engines, so that equal organizations are exported to equal bytes. */
function byRelation(a: Reference, b: Reference): number {
  const [left, right] = [`${a.rel}\0${a.to}`, `${b.rel}\0${b.to}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

function readObject(row: Row): StoredObject {
  return {
    id: textOf(row, "id"),
    kind: textOf(row, "kind"),
    account: textOf(row, "account"),
    nameKey: textOf(row, "name_key"),
    doc: textOf(row, "doc"),
    createRevision: integerOf(row, "create_rev"),
    modRevision: integerOf(row, "mod_rev"),
  };
}
