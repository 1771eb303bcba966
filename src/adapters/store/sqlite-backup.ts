import { chmod } from "node:fs/promises";
import { backup, type DatabaseSync } from "node:sqlite";
import { replaceFile } from "./export-file.ts";
import { finalError } from "./retry.ts";
import { connectSqlite } from "./sqlite-database.ts";
import { attemptFailed } from "./sqlite-failure.ts";
import { checkFile, makeFile } from "./sqlite-file.ts";

/**
 * Copies a store's file page by page while a server writes it: a consistent state, whole and mode 0600,
 * or nothing. `progress` is told the pages copied and all of them.
 */
export async function backupSqlite(
  path: string,
  out: string,
  progress: (copied: number, total: number) => void,
): Promise<void> {
  await checkFile(path);
  let source: DatabaseSync | undefined;
  try {
    source = connectSqlite(path, true);
    const from = source;
    await replaceFile(out, async (temporary) => {
      await makeFile(temporary);
      await backup(from, temporary, {
        rate: 256,
        progress: ({ totalPages, remainingPages }) =>
          progress(totalPages - remainingPages, totalPages),
      });
      await chmod(temporary, 0o600);
    });
  } catch (reason) {
    throw finalError(attemptFailed(reason, path, false));
  } finally {
    source?.close();
  }
}
