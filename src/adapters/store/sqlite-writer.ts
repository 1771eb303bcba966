import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { acquire, release } from "./lease.ts";
import { ask, integerOf, type Plan } from "./sql.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { delay, type StoreSurroundings } from "./time.ts";

const name = "store/writer";
const defaultTtlMs = 10_000;

/** The right of one process to write a file, until it ends. */
export interface Writer {
  release(): Promise<void>;
}

/**
 * Takes the writer's lease of a file; throws `state-locked` while another process renews it (STO-22).
 * After a crash this waits for the end of the lease, at most its time to live.
 *
 * From then on every writing transaction of `database` checks the lease's token, whatever its time: a
 * full disk keeps it from being renewed, and takes nothing away as long as nobody else took it.
 */
export async function takeWriter(
  database: SqliteDatabase,
  { clock, instance }: StoreSurroundings,
  path: string,
  ttlMs = defaultTtlMs,
): Promise<Writer> {
  const token = await acquireOrWait();
  database.guard(() => holdToken(path, instance, token));
  let isReleased = false;
  let timer = clock.after(ttlMs / 3, renew);

  function renew(): void {
    database
      .write(() => extend(database.dialect.now, ttlMs))
      // Without a renewal the token still guards each transaction; the next one may do.
      .catch(() => {})
      .finally(() => {
        if (!isReleased) timer = clock.after(ttlMs / 3, renew);
      });
  }

  async function acquireOrWait(): Promise<number> {
    const seen = await database.write(() => expiry());
    for (;;) {
      const granted = await database.write(() => acquire(database.dialect, name, instance, ttlMs));
      if (granted !== undefined) return granted;
      const now = await database.write(() => expiry());
      if (seen === undefined || now === undefined || now > seen) throw locked(path);
      await delay(clock, ttlMs / 10);
    }
  }

  return {
    async release() {
      isReleased = true;
      timer.cancel();
      // A lease that is not released ends by itself.
      await database.write(() => release(name, instance, token)).catch(() => {});
    },
  };
}

function* expiry(): Plan<number | undefined> {
  const [row] = yield* ask("SELECT expires_at FROM mi_lease WHERE name = $1", name);
  return row === undefined ? undefined : integerOf(row, "expires_at");
}

function* extend(now: string, ttlMs: number): Plan<void> {
  // The guard has compared holder and token in this very transaction.
  yield* ask(`UPDATE mi_lease SET expires_at = ${now} + $2 WHERE name = $1`, name, ttlMs);
}

function* holdToken(path: string, holder: string, token: number): Plan<void> {
  const rows = yield* ask(
    "SELECT token FROM mi_lease WHERE name = $1 AND holder = $2 AND token = $3",
    name,
    holder,
    token,
  );
  if (rows.length === 0) throw locked(path);
}

function locked(path: string): MeshIamError {
  return new MeshIamError(
    "state-locked",
    `another mesh-iam process writes ${quote(path)}: stop it, or use PostgreSQL for several instances`,
  );
}
