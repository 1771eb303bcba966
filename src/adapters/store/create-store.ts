import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import { firstChain } from "./chain.ts";
import { transaction } from "./commit.ts";
import { compact, expire } from "./compact.ts";
import {
  checkPosition as checkHistory,
  headStatement,
  headsStatement,
  lockOrg,
  oldestPosition,
  oneHead,
  readHead,
  readHeadOf,
  readRecords,
} from "./history.ts";
import { takeLease } from "./lease.ts";
import { checkInteger, checkPosition, checkRequest, checkText, storeLimits } from "./limits.ts";
import { openSnapshot } from "./snapshot.ts";
import { ask, type Database, type Plan } from "./sql.ts";
import type { OrgState, Store, StoreHead } from "./store.ts";
import type { StoreSurroundings } from "./time.ts";

/** Returns the store on a database: everything that does not depend on the engine. */
export function createStore(database: Database, surroundings: StoreSurroundings): Store {
  const { dialect } = database;
  const listeners = new Set<(org: string) => void>();
  const moved = (org: string) => {
    for (const listener of listeners) listener(org);
  };

  return {
    async createOrg(org) {
      checkText("an organization", org);
      if (org === "") throw new MeshIamError("store-limit", "expected an organization, got ``");
      return await database.write(() => create(dialect.now, org));
    },
    heads: async () => (await database.query(headsStatement)).map(readHead),
    head: async (org) => oneHead(org, await database.query(headStatement(org))),
    snapshot: (org) => openSnapshot(database, surroundings.clock, org),
    oldest: (org) =>
      database.read(function* () {
        return yield* oldestPosition(yield* readHeadOf(org));
      }),
    async changes(org, after, limit) {
      checkPosition(after);
      checkInteger("a limit", limit, 1, storeLimits.records);
      return await database.read(function* () {
        const head = yield* readHeadOf(org);
        yield* checkHistory(head, after);
        return { head, records: yield* readRecords(head, after.revision, limit) };
      });
    },
    async transact(org, request, work) {
      checkRequest(request);
      const done = await database.write(() => transaction(dialect, org, request, work));
      if (done.moved) moved(org);
      return done.head;
    },
    onHeadMoved(listener) {
      // A wrapper of its own, so that one listener may be added twice.
      const own = (org: string) => listener(org);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    lease: (name, options) => takeLease(database, surroundings, name, options?.ttlMs),
    compact: (org, through, fence) => compact(database, org, through, fence),
    expire: (org, retention, fence) => expire(database, org, retention, fence),
    async setState(org, state) {
      await database.write(function* () {
        yield* lockOrg(dialect, org);
        yield* ask("UPDATE mi_org SET state = $2 WHERE org = $1", org, state satisfies OrgState);
      });
      moved(org);
    },
    async newEpoch(org, epoch) {
      await database.write(function* () {
        const { head } = yield* lockOrg(dialect, org);
        if (epoch <= head.epoch) {
          throw new MeshIamError(
            "store-limit",
            `expected an epoch above ${head.epoch} for ${quote(org)}, got ${epoch}`,
          );
        }
        checkInteger("an epoch", epoch, 1);
        yield* ask("UPDATE mi_org SET epoch = $2 WHERE org = $1", org, epoch);
      });
      moved(org);
    },
    close: () => database.close(),
  };
}

function* create(now: string, org: string): Plan<StoreHead> {
  yield* ask(
    `INSERT INTO mi_org (org, epoch, rev, at, chain, compacted_rev, state, created_at) VALUES ($1, 1, 0, ${now}, $2, 0, 'active', ${now}) ON CONFLICT (org) DO NOTHING`,
    org,
    firstChain(org),
  );
  return yield* readHeadOf(org);
}
