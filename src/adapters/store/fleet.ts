import { checkInteger, checkText, overLimit } from "./limits.ts";
import { ask, type Database, insert, integerOf, sql, textOf } from "./sql.ts";
import type { Fleet } from "./store.ts";

const maxRows = 10_000;
const silentMs = 60_000;
const columns = ["org", "reporter", "slice", "rev", "sidecars", "nacks", "at"] as const;

/** Returns what is known of the sidecars, on a database that may lose the last of it. */
export function createFleet(database: Database): Fleet {
  const { now } = database.dialect;
  return {
    async upsert(org, reporter, rows) {
      checkText("an organization", org);
      checkText("a reporter", reporter);
      if (rows.length > maxRows) {
        throw overLimit(`expected at most ${maxRows} rows of a reporter, got ${rows.length}`);
      }
      for (const { slice, revision, sidecars, nacks } of rows) {
        checkText("a slice", slice);
        checkText("nacks", nacks, 64 * 1024);
        checkInteger("a revision", revision, 0);
        checkInteger("a count of sidecars", sidecars, 0);
      }
      await database.write(function* () {
        const [clock] = yield* ask(`SELECT ${now} AS now`);
        const nowMs = integerOf(clock ?? {}, "now");
        yield* ask(
          "DELETE FROM mi_fleet WHERE org = $1 AND (reporter = $2 OR at < $3)",
          org,
          reporter,
          nowMs - silentMs,
        );
        yield* insert(
          "mi_fleet",
          columns,
          rows.map(({ slice, revision, sidecars, nacks }) => [
            org,
            reporter,
            slice,
            revision,
            sidecars,
            nacks,
            nowMs,
          ]),
        );
      });
    },
    async read(org) {
      const rows = await database.query(
        sql(
          `SELECT reporter, slice, rev, sidecars, nacks FROM mi_fleet WHERE org = $1 AND at >= ${now} - $2 ORDER BY reporter, slice, rev`,
          org,
          silentMs,
        ),
      );
      return rows.map((row) => ({
        reporter: textOf(row, "reporter"),
        slice: textOf(row, "slice"),
        revision: integerOf(row, "rev"),
        sidecars: integerOf(row, "sidecars"),
        nacks: textOf(row, "nacks"),
      }));
    },
  };
}
