import { constants } from "node:fs";
import { access, chmod, copyFile, rm } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { replaceFile } from "./export-file.ts";
import { finalError } from "./retry.ts";
import { openSqlite } from "./sqlite.ts";
import { connectSqlite } from "./sqlite-database.ts";
import { attemptFailed } from "./sqlite-failure.ts";
import { checkFile, claim } from "./sqlite-file.ts";
import type { StoreHead } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";
import { verifyOrg } from "./verify.ts";

/**
 * Makes a store out of a backup at a path where nothing is, and returns its heads: every organization
 * checked, frozen, and under a new epoch, since it may use revisions again (STO-60). The backup stays
 * as it is. Throws `store-unusable` where a file is already, `store-corrupt` for a damaged backup.
 */
export async function restoreSqlite(
  backup: string,
  path: string,
  surroundings: StoreSurroundings,
  epoch?: number,
): Promise<readonly StoreHead[]> {
  await checkFile(backup);
  const isTaken = await access(path).then(
    () => true,
    () => false,
  );
  if (isTaken) {
    throw new MeshIamError(
      "store-unusable",
      `${quote(path)} is there already and is never replaced: name a path where nothing is`,
    );
  }
  let heads: readonly StoreHead[] = [];
  await replaceFile(path, async (temporary) => {
    await copyFile(backup, temporary, constants.COPYFILE_EXCL);
    await chmod(temporary, 0o600);
    try {
      heads = await renew(temporary, surroundings, epoch);
    } finally {
      // Closing has moved the log into the file; what an error leaves is of no use.
      for (const end of ["-wal", "-shm"]) await rm(temporary + end, { force: true });
    }
  });
  return heads;
}

async function renew(
  path: string,
  surroundings: StoreSurroundings,
  epoch: number | undefined,
): Promise<readonly StoreHead[]> {
  endLeases(path);
  const engine = await openSqlite({ ...surroundings, path, role: "writer" });
  try {
    for (const { org, epoch: last } of await engine.store.heads()) {
      await verifyOrg(engine, org);
      await engine.store.newEpoch(org, epoch ?? last + 1);
      await engine.store.setState(org, "frozen");
    }
    return await engine.store.heads();
  } finally {
    await engine.close();
  }
}

/** Whoever held a lease when the backup was made holds none of the copy. */
function endLeases(path: string): void {
  let db: DatabaseSync | undefined;
  try {
    db = connectSqlite(path);
    claim(db, path);
    db.exec("UPDATE mi_lease SET expires_at = 0");
  } catch (reason) {
    throw finalError(attemptFailed(reason, path, false));
  } finally {
    db?.close();
  }
}
