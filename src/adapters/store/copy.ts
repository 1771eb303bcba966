import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { changesDigest, nextChain } from "./chain.ts";
import { revisionColumns } from "./commit.ts";
import { objectColumns, referenceColumns } from "./draft.ts";
import { readHeadOf } from "./history.ts";
import { checkInteger, checkPosition, checkText, storeLimits } from "./limits.ts";
import { openCopy } from "./snapshot.ts";
import {
  ask,
  type Database,
  type Dialect,
  insert,
  integerOf,
  type Plan,
  type Session,
  type SqlValue,
} from "./sql.ts";
import type { Commit, CopiedObject, CopyOrigin, OrgCopy, StoreHead } from "./store.ts";

/** Returns what moves whole organizations, on one database. */
export function createOrgCopy(database: Database): OrgCopy {
  return {
    read: (org) => openCopy(database, org),
    async write(origin, commit, pages) {
      checkText("an organization", origin.org);
      checkPosition(origin);
      const session = await database.open("write");
      try {
        const head = await session.run(writeOrg(origin, commit, database.dialect));
        await writeObjects(session, head, pages);
        await session.commit();
        return head;
      } finally {
        await session.close();
      }
    },
  };
}

/** The copy is a revision of its own, without changes: the objects are as old as they were. */
function* writeOrg(
  origin: CopyOrigin,
  { id, actor, audit }: Pick<Commit, "id" | "actor" | "audit">,
  { now, deferReferences }: Dialect,
): Plan<StoreHead> {
  const { org } = origin;
  yield* ask(deferReferences);
  const [clock] = yield* ask(`SELECT ${now} AS now`);
  const atMs = integerOf(clock ?? {}, "now");
  const epoch = origin.epoch + 1;
  const revision = origin.revision + 1;
  const digest = changesDigest([]);
  const chain = nextChain(org, origin.chain, { id, actor, audit, epoch, revision, atMs }, digest);
  const made = yield* ask(
    "INSERT INTO mi_org (org, epoch, rev, at, chain, compacted_rev, state, created_at) VALUES ($1, $2, $3, $4, $5, $3, 'frozen', $4) ON CONFLICT (org) DO NOTHING RETURNING org",
    org,
    epoch,
    revision,
    atMs,
    chain,
  );
  if (made.length === 0) {
    throw new MeshIamError(
      "store-org-exists",
      `the store has an organization ${quote(org)} already`,
    );
  }
  yield* insert("mi_rev", revisionColumns, [
    [org, revision, epoch, id, atMs, actor, audit, digest, chain],
  ]);
  return yield* readHeadOf(org);
}

async function writeObjects(
  session: Session,
  { org, revision }: StoreHead,
  pages: AsyncIterable<readonly CopiedObject[]>,
): Promise<void> {
  for await (const page of pages) {
    for (const object of page) checkCopied(object, revision);
    await session.run(writePage(org, page));
  }
}

function* writePage(org: string, page: readonly CopiedObject[]): Plan<void> {
  const objects = page.map(
    ({ id, kind, account, nameKey, doc, createRevision, modRevision }): SqlValue[] => {
      return [org, id, kind, account, nameKey, doc, createRevision, modRevision];
    },
  );
  const references = page.flatMap(({ id, references }) =>
    references.map(({ rel, to }): SqlValue[] => [org, id, rel, to]),
  );
  yield* insert("mi_object", objectColumns, objects);
  yield* insert("mi_ref", referenceColumns, references);
}

function checkCopied(object: CopiedObject, revision: number): void {
  const { id, kind, account, nameKey, doc, createRevision, modRevision } = object;
  checkText("an id", id);
  checkText("a kind", kind);
  checkText("an account", account);
  checkText("a name key", nameKey);
  checkText(`the doc of ${quote(id)}`, doc, storeLimits.docBytes);
  checkInteger("a revision", createRevision, 1, modRevision);
  checkInteger("a revision", modRevision, 1, revision - 1);
}
