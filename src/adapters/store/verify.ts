import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { verifyStream } from "./audit-log.ts";
import { changesDigest, firstPosition, type LoggedChange, nextChain, sameBytes } from "./chain.ts";
import { headsStatement, readHead } from "./history.ts";
import { storeLimits } from "./limits.ts";
import { ask, bytesOf, type Plan } from "./sql.ts";
import type {
  Position,
  Reference,
  RevisionRecord,
  StoredObject,
  StoreEngine,
  StoreHead,
} from "./store.ts";

/** Throws `store-corrupt` for an organization whose head is not its last revision. */
export function* checkHeads(): Plan<void> {
  const { sql: text } = headsStatement;
  for (const head of (yield* ask(text)).map(readHead)) {
    const [row] = yield* ask(
      "SELECT chain FROM mi_rev WHERE org = $1 AND rev = (SELECT max(rev) FROM mi_rev WHERE org = $1)",
      head.org,
    );
    const chain = row === undefined ? firstPosition(head.org).chain : bytesOf(row, "chain");
    if (!sameBytes(chain, head.chain)) {
      throw damaged(head.org, head.revision, "the head is not the last revision");
    }
  }
}

/** What was checked of an organization. */
export interface Verified {
  readonly head: StoreHead;
  /** Revisions whose chain and place were checked: those that the log still has. */
  readonly revisions: number;
  readonly objects: number;
  /** Events of all audit streams. */
  readonly auditEvents: number;
}

/**
 * Checks an organization: revisions without gap, chain, objects equal to the replayed log as far as that
 * is kept, audit streams. Throws `store-corrupt` at the first thing that does not fit. Keeps a digest of
 * each object in memory.
 */
export async function verifyOrg(
  { store, auditLog }: StoreEngine,
  org: string,
  progress: (revision: number) => void = () => {},
): Promise<Verified> {
  const { head, pages } = await store.snapshot(org);
  const objects = new Map<string, Kept>();
  for await (const page of pages) for (const object of page) objects.set(object.id, kept(object));

  const start = await store.oldest(org);
  const replayed = new Map<string, Kept | null>();
  let last = start;
  while (last.revision < head.revision) {
    const limit = Math.min(storeLimits.records, head.revision - last.revision);
    const { records } = await store.changes(org, last, limit);
    for (const record of records) {
      checkLink(org, last, record);
      for (const change of record.changes) {
        if ("removed" in change) replayed.set(change.removed, null);
        else replayed.set(change.id, kept(change));
      }
      last = record;
    }
    progress(last.revision);
  }
  compare(head, start, objects, replayed);

  let auditEvents = 0;
  for (const { stream } of await auditLog.streams(org)) {
    auditEvents += await verifyStream(auditLog, org, stream);
  }
  const revisions = head.revision - start.revision;
  return { head, revisions, objects: objects.size, auditEvents };
}

/**
 * Checks that the references of an organization are those of its docs (STO-71). `referencesOf` reads a
 * doc; null: it cannot tell. Returns how many objects it could not tell of; throws `store-corrupt`.
 */
export async function verifyReferences(
  { copy }: StoreEngine,
  org: string,
  referencesOf: (object: StoredObject) => readonly Reference[] | null,
): Promise<number> {
  const { head, pages } = await copy.read(org);
  let unknown = 0;
  for await (const page of pages) {
    for (const { references, ...object } of page) {
      const expected = referencesOf(object);
      if (expected === null) unknown++;
      else if (listed(references) !== listed(expected)) {
        throw damaged(org, head.revision, `references of ${quote(object.id)} are not its doc's`);
      }
    }
  }
  return unknown;
}

function listed(references: readonly Reference[]): string {
  return JSON.stringify(references.map(({ rel, to }) => JSON.stringify([rel, to])).toSorted());
}

/** What is remembered of an object's state. */
interface Kept {
  readonly modRevision: number;
  readonly digest: string;
}

function kept(object: StoredObject): Kept {
  const { modRevision } = object;
  return { modRevision, digest: Buffer.from(changesDigest([object])).toString("base64") };
}

function checkLink(org: string, before: Position, record: RevisionRecord): void {
  const logged = record.changes.map(asLogged);
  const digest = changesDigest(logged);
  if (record.revision !== before.revision + 1) {
    throw damaged(org, record.revision, "a revision is missing before it");
  }
  if (!sameBytes(nextChain(org, before.chain, record, digest), record.chain)) {
    throw damaged(org, record.revision, "its chain does not follow from the one before");
  }
}

function asLogged(change: RevisionRecord["changes"][number]): LoggedChange {
  if (!("removed" in change)) return change;
  const nothing = { kind: "", account: "", nameKey: "", doc: null, createRevision: 0 };
  return { id: change.removed, ...nothing };
}

function compare(
  { org, revision }: StoreHead,
  start: Position,
  objects: ReadonlyMap<string, Kept>,
  replayed: ReadonlyMap<string, Kept | null>,
): void {
  const differs = (id: string) =>
    damaged(org, revision, `the object ${quote(id)} is not what the log made of it`);
  for (const [id, logged] of replayed) {
    const stored = objects.get(id);
    if (stored?.digest !== logged?.digest || stored?.modRevision !== logged?.modRevision) {
      throw differs(id);
    }
  }
  for (const [id, { modRevision }] of objects) {
    if (modRevision > start.revision && !replayed.has(id)) throw differs(id);
  }
}

function damaged(org: string, revision: number, what: string): MeshIamError {
  return new MeshIamError(
    "store-corrupt",
    `${quote(org)} is damaged at revision ${revision}: ${what}`,
  );
}
