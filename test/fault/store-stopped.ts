import { writeSync } from "node:fs";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { StoreUnavailable } from "../../src/adapters/store/unavailable.ts";
import { MeshIamError } from "../../src/iam/error.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { commit, org, put, write } from "../fakes/store-commits.ts";

// The process that stops itself: on PostgreSQL while it holds the lock of an organization, on SQLite
// before its transaction, since there nothing frees a lock but the end of the process. It says what
// became of its commit.

const address = process.argv[2];
if (address === undefined) throw new Error("usage: store-stopped PATH|postgres://URL");
const isSqlite = !address.startsWith("postgres:");
const engine = isSqlite
  ? await openSqlite({ ...surroundings(), path: address, role: "writer", writerTtlMs: 500 })
  : await openPostgres({ ...surroundings(), url: address });
await engine.store.createOrg(org);

const stop = (line: string) => {
  writeSync(1, `${line}\n`);
  process.kill(process.pid, "SIGSTOP");
};
if (isSqlite) stop("opened");
try {
  let isFirst = true;
  const { revision } = await write(engine.store, () => {
    if (!isSqlite && isFirst) stop("locked");
    isFirst = false;
    return [commit(put("AIDA2"))];
  });
  writeSync(1, `revision ${revision}\n`);
} catch (reason) {
  const outcome = reason instanceof StoreUnavailable ? ` ${reason.outcome}` : "";
  writeSync(1, `${MeshIamError.from(reason).code}${outcome}\n`);
}
await engine.close();
