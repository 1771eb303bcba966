import { checkInteger, checkText } from "./limits.ts";
import { ask, type Database, type Dialect, integerOf, type Plan } from "./sql.ts";
import type { Lease } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";

const defaultTtlMs = 15_000;

/** A row is returned when the lease was granted: it was free, or its time was over. */
export function* acquire(
  { now }: Dialect,
  name: string,
  holder: string,
  ttlMs: number,
): Plan<number | undefined> {
  const [row] = yield* ask(
    `INSERT INTO mi_lease (name, holder, token, expires_at) VALUES ($1, $2, 1, ${now} + $3)
     ON CONFLICT (name) DO UPDATE
     SET holder = excluded.holder, token = mi_lease.token + 1, expires_at = excluded.expires_at
     WHERE mi_lease.expires_at <= ${now} RETURNING token`,
    name,
    holder,
    ttlMs,
  );
  return row === undefined ? undefined : integerOf(row, "token");
}

function* renew(
  { now }: Dialect,
  name: string,
  holder: string,
  token: number,
  ttlMs: number,
): Plan<boolean> {
  const rows = yield* ask(
    `UPDATE mi_lease SET expires_at = ${now} + $4
     WHERE name = $1 AND holder = $2 AND token = $3 AND expires_at > ${now} RETURNING token`,
    name,
    holder,
    token,
    ttlMs,
  );
  return rows.length === 1;
}

/** The row stays, so that the token only ever grows. */
export function* release(name: string, holder: string, token: number): Plan<void> {
  yield* ask(
    "UPDATE mi_lease SET expires_at = 0 WHERE name = $1 AND holder = $2 AND token = $3",
    name,
    holder,
    token,
  );
}

/**
 * Returns a lease that renews itself at a third of its time, undefined while somebody else holds it.
 * Its signal aborts at two thirds without a renewal by the process's own clock, before anybody else
 * can have it (STO-40).
 */
export async function takeLease(
  database: Database,
  { clock, instance }: StoreSurroundings,
  name: string,
  ttlMs = defaultTtlMs,
): Promise<Lease | undefined> {
  checkText("a lease's name", name);
  checkInteger("a time to live in milliseconds", ttlMs, 3, 3_600_000);
  const { dialect } = database;
  let renewedMs = clock.monotonicMs();
  const token = await database.write(() => acquire(dialect, name, instance, ttlMs));
  if (token === undefined) return undefined;

  const ended = new AbortController();
  let timer = { cancel: () => {} };
  const end = () => {
    timer.cancel();
    ended.abort();
  };
  const step = () => {
    const leftMs = renewedMs + (ttlMs * 2) / 3 - clock.monotonicMs();
    if (leftMs <= 0) return end();
    const askedMs = clock.monotonicMs();
    // INVARIANT: whatever becomes of the renewal, the abort does not wait for it.
    timer = clock.after(leftMs, end);
    database
      .write(() => renew(dialect, name, instance, token, ttlMs))
      .then(
        (isOurs) => {
          if (ended.signal.aborted) return;
          timer.cancel();
          if (!isOurs) return end();
          renewedMs = askedMs;
          timer = clock.after(ttlMs / 3, step);
        },
        () => {
          if (ended.signal.aborted) return;
          timer.cancel();
          timer = clock.after(Math.min(ttlMs / 10, 1000), step);
        },
      );
  };
  timer = clock.after(ttlMs / 3, step);

  return {
    fence: { name, token },
    signal: ended.signal,
    async release() {
      end();
      // Unreleased it ends by itself; the caller has nothing left to do about it.
      await database.write(() => release(name, instance, token)).catch(() => {});
    },
  };
}
