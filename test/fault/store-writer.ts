import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { org } from "../fakes/store-commits.ts";
import { writeOn } from "../fakes/store-load.ts";

// The process that is killed: eight writers on one store. `opened`: it writes from now on.
// `kept REVISION ID…`: these commits were acknowledged, the last of them at REVISION.

const [, , address, writerTtlMs] = process.argv;
if (address === undefined) throw new Error("usage: store-writer PATH|postgres://URL [TTL-MS]");
const say = (line: string) => process.stdout.write(`${line}\n`);

const { store } = address.startsWith("postgres:")
  ? await openPostgres({ ...surroundings(), url: address })
  : await openSqlite({
      ...surroundings(),
      path: address,
      role: "writer",
      writerTtlMs: Number(writerTtlMs ?? 200),
    });
await store.createOrg(org);
say("opened");
const throwOn = (reason: unknown) => {
  throw reason;
};
await Promise.all(Array.from({ length: 8 }, () => writeOn(store, say, () => false, throwOn)));
