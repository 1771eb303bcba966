import { mkdir, open, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { remedy, resultCode } from "./sqlite-failure.ts";

/** "MIAM": whose file it is. */
const applicationId = 0x4d49414d;

/** WAL needs shared memory, which these do not have between machines (statfs(2), STO-23). */
const refusedFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
]);
const fuse = 0x65735546;

/** Tells the type of a file system by its magic number. */
export type StatFs = (path: string) => Promise<{ readonly type: number }>;

export const systemStatFs: StatFs = (path) => statfs(path);

/**
 * Throws `store-unusable` for an SQLite before 3.51.3: up to 3.51.2 two connections that write and
 * checkpoint at the same moment can corrupt a file in WAL mode (sqlite.org/wal.html#walresetbug).
 */
export function checkSqliteVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major * 1e6 + minor * 1e3 + patch >= 3_051_003) return;
  throw unusable(
    `SQLite ${version} can corrupt the store, expected 3.51.3 or later: run Node 22.22.3, 24.15.0 or later`,
  );
}

/** Makes the folder (0700) and an empty file (0600) where none is. */
export async function makeFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, "a", 0o600);
    await handle.close();
  } catch (cause) {
    throw unusable(`${quote(path)} cannot be made: ${reasonOf(cause)}`, cause);
  }
}

/** Throws `store-unusable` where no file is. */
export async function checkFile(path: string): Promise<void> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw unusable(`no store is at ${quote(path)}: ${reasonOf(cause)}`, cause);
  });
  if (!facts.isFile()) throw unusable(`${quote(path)} is no regular file`);
}

/** Returns warnings about the file system of `path`; throws `store-unusable` for one over a network. */
export async function checkFileSystem(path: string, statFs: StatFs): Promise<readonly string[]> {
  const { type } = await statFs(dirname(path));
  const name = refusedFileSystems.get(type);
  if (name !== undefined) {
    throw unusable(
      `${quote(path)} is on ${name}, where SQLite loses data: use a local disk, or PostgreSQL`,
    );
  }
  if (type !== fuse) return [];
  return [`\`${path}\` is on a FUSE file system: make sure that it is local and honours fsync`];
}

/** Throws unless the file is ours, or empty and then becomes ours; nothing foreign is touched. */
export function claim(db: DatabaseSync, path: string): void {
  const id = readPragma(db, path, "application_id");
  if (id === applicationId) return;
  const objects = db.prepare("SELECT count(*) AS count FROM sqlite_master").get()?.count;
  if (id !== 0 || objects !== 0) {
    throw unusable(
      `${quote(path)} is a database of another program (application_id ${id}), name another file`,
    );
  }
  db.exec(`PRAGMA application_id = ${applicationId}`);
}

/** Sets durability and defence, and reads back what durability hangs on (DSK-008). */
export function configure(db: DatabaseSync, path: string, synchronous: "FULL" | "NORMAL"): void {
  db.exec("PRAGMA journal_mode = WAL");
  db.exec(`PRAGMA synchronous = ${synchronous}`);
  db.exec("PRAGMA trusted_schema = OFF");
  db.exec("PRAGMA cell_size_check = ON");
  db.exec("PRAGMA wal_autocheckpoint = 1000");
  const mode = readPragma(db, path, "journal_mode");
  const level = readPragma(db, path, "synchronous");
  if (mode !== "wal" || level !== (synchronous === "FULL" ? 2 : 1)) {
    throw unusable(
      `${quote(path)} cannot be written safely: journal_mode ${mode}, synchronous ${level}`,
    );
  }
}

/** Throws `store-corrupt` when SQLite finds the file damaged. Reads the whole file. */
export function checkIntegrity(db: DatabaseSync, path: string): void {
  const found = readPragma(db, path, "integrity_check(1)", "integrity_check");
  if (found !== "ok") throw corrupt(path, String(found));
  // Foreign keys hold what our connections write, and say nothing of anybody else's.
  const dangling = db.prepare("PRAGMA foreign_key_check").get();
  if (dangling !== undefined) throw corrupt(path, `a reference of ${dangling.table} dangles`);
}

function readPragma(db: DatabaseSync, path: string, pragma: string, column = pragma): unknown {
  try {
    return db.prepare(`PRAGMA ${pragma}`).get()?.[column];
  } catch (cause) {
    // 11 and 26: damaged, or no database at all.
    const code = resultCode(cause);
    if (code === 11 || code === 26) throw corrupt(path, (cause as Error).message, cause);
    throw cause;
  }
}

function corrupt(path: string, found: string, cause?: unknown): MeshIamError {
  return new MeshIamError("store-corrupt", `${quote(path)} is damaged (${found}): ${remedy}`, {
    cause,
  });
}

function unusable(message: string, cause?: unknown): MeshIamError {
  return new MeshIamError("store-unusable", message, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
}
