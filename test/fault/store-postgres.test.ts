import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import { StoreUnavailable } from "../../src/adapters/store/unavailable.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { cuttingProxy, type Fate } from "../fakes/cutting-proxy.ts";
import { expectKept } from "../fakes/killed-writer.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { postgresPlace } from "../fakes/postgres-place.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { commit, newest, org, put, write } from "../fakes/store-commits.ts";
import { writeOn } from "../fakes/store-load.ts";
import type { StorePlace } from "../fakes/store-place.ts";

describe.skipIf(postgresMissing() !== null)("a PostgreSQL that fails", () => {
  let server: PostgresServer;
  let place: StorePlace & { readonly url: string };
  let engine: StoreEngine;

  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.dispose(), 60_000);
  beforeEach(async () => {
    place = await postgresPlace(server);
    engine = await place.open();
    await engine.store.createOrg(org);
  });
  afterEach(() => place.dispose());

  /** The store through a proxy with this fate. */
  async function through(
    fate: (said: string) => Fate,
    use: (engine: StoreEngine) => Promise<void>,
  ): Promise<void> {
    const proxy = await cuttingProxy(server.port, fate);
    const url = place.url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const cut = await openPostgres({ ...surroundings(), url });
    try {
      await use(cut);
    } finally {
      await cut.close();
      proxy.close();
    }
  }

  test.each<{ why: string; fate: Fate; seen: readonly (readonly string[])[] }>([
    {
      why: "its answer is lost: it was applied, and is not again",
      fate: "cut-answer",
      seen: [[], ["own"]],
    },
    {
      why: "it is lost itself: nothing was applied, and it is now",
      fate: "cut-before",
      seen: [[], []],
    },
  ])("DSK-003 COMMIT is sent and $why", async ({ fate, seen }) => {
    let isArmed = false;
    const decide = (said: string): Fate => {
      if (!isArmed || !said.includes("COMMIT\0")) return "pass";
      isArmed = false;
      return fate;
    };
    await through(decide, async ({ store }) => {
      const made = commit(put("AIDA1"));
      const told: string[][] = [];
      const since = await newest(store);
      isArmed = true;
      const head = await write(
        store,
        ({ behind }) => {
          told.push(behind.map(({ id }) => (id === made.id ? "own" : id)));
          return behind.length === 0 ? [made] : [];
        },
        since,
      );
      expect(told).toEqual(seen);
      expect(head.revision).toBe(1);
    });
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 1, objects: 1 });
  });

  test.each<Fate>(["cut-before", "cut-answer"])(
    "DSK-003 the connection breaks at each step of a transaction (%s): applied exactly once",
    async (fate) => {
      let left = Number.POSITIVE_INFINITY;
      const decide = (): Fate => (left-- === 0 ? fate : "pass");
      await through(decide, async ({ store }) => {
        let cuts = 0;
        for (let step = 0; ; step++) {
          const made = commit(
            put(`AIDA${step}`, {}, { rel: "member", to: `AGPA${step}` }),
            put(`AGPA${step}`, { kind: "group" }),
          );
          const since = await newest(store);
          left = step;
          const head = await write(
            store,
            ({ behind }) => (behind.some(({ id }) => id === made.id) ? [] : [made]),
            since,
          );
          expect(head.revision).toBe(step + 1);
          if (left > 0) break;
          cuts++;
        }
        // BEGIN, lock, look-up, all rows at once, COMMIT; some may come in one piece.
        expect(cuts).toBeGreaterThan(3);
      });
      const { revisions, objects } = await verifyOrg(engine, org);
      expect(objects).toBe(2 * revisions);
    },
  );

  test("DSK-003 events of the audit log are appended once although their answer is lost", async () => {
    let isArmed = true;
    const decide = (said: string): Fate => {
      if (!isArmed || !said.includes("COMMIT\0")) return "pass";
      isArmed = false;
      return "cut-answer";
    };
    isArmed = false;
    await through(decide, async ({ auditLog }) => {
      isArmed = true;
      await auditLog.append(org, "api-1", [{ atMs: 1, record: Buffer.from("once") }]);
      await auditLog.append(org, "api-1", [{ atMs: 1, record: Buffer.from("once") }]);
    });
    expect((await engine.auditLog.read(org, "api-1", 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("DSK-009 the server crashes under load and comes back: nothing acknowledged is lost", async () => {
    const said: string[] = [];
    let isOver = false;
    const failures: unknown[] = [];
    const writers = Array.from({ length: 8 }, () =>
      writeOn(
        engine.store,
        (line) => said.push(line),
        () => isOver,
        (reason) => failures.push(reason),
      ),
    );
    const until = async (count: number) => {
      while (said.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (let crash = 1; crash <= 3; crash++) {
      await until(crash * 30);
      await server.stop("immediate");
      const before = said.length;
      await server.start();
      await until(before + 10);
    }
    isOver = true;
    await Promise.all(writers);
    // A restart that takes longer than a transaction is tried for is told, and nothing else is.
    expect(failures.filter((reason) => !(reason instanceof StoreUnavailable))).toEqual([]);
    expect(await expectKept(engine, said)).toBeGreaterThan(90);
  }, 60_000);

  test("DSK-009 a server that stays away: unavailable, nothing applied; and well when it is back", async () => {
    await server.stop("immediate");
    try {
      const failure = await write(engine.store, [commit(put("AIDA1"))], await firstHead()).catch(
        (reason: unknown) => reason,
      );
      expect(failure).toBeInstanceOf(StoreUnavailable);
      expect(failure).toMatchObject({ code: "store-unavailable", outcome: "not-applied" });
    } finally {
      await server.start();
    }
    expect((await write(engine.store, [commit(put("AIDA1"))])).revision).toBe(1);
  }, 60_000);

  async function firstHead() {
    const { firstPosition } = await import("../../src/adapters/store/chain.ts");
    return firstPosition(org);
  }

  test("DSK-009 every backend is ended under load, again and again", async () => {
    const said: string[] = [];
    let isOver = false;
    const failures: unknown[] = [];
    const writers = Array.from({ length: 4 }, () =>
      writeOn(
        engine.store,
        (line) => said.push(line),
        () => isOver,
        (reason) => failures.push(reason),
      ),
    );
    for (let i = 0; i < 20; i++) {
      await server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mesh-iam'",
      );
    }
    isOver = true;
    await Promise.all(writers);
    expect(failures).toEqual([]);
    await expectKept(engine, said);
  }, 60_000);

  test("DSK-009 a standby that cannot be written is left for the server that can", async () => {
    const name = new URL(place.url).pathname.slice(1);
    await server.run(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const standby = await openPostgres({ ...surroundings(), url: place.url });
    const since = await newest(standby.store);
    let attempts = 0;
    const writing = write(
      standby.store,
      () => {
        attempts++;
        return [commit(put("AIDA1"))];
      },
      since,
    );
    await server.run(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    expect((await writing).revision).toBe(1);
    expect(attempts).toBe(1);
    await standby.close();
  });

  test("an instance that is stopped inside its transaction holds nobody up for long", async () => {
    const script = join(import.meta.dirname, "store-stopped.ts");
    const child = spawn(process.execPath, [script, place.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    const stopped = new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk;
        if (output.includes("locked")) resolve();
      });
    });
    await stopped;
    expect((await write(engine.store, [commit(put("AIDA1"))])).revision).toBe(1);
    child.kill("SIGCONT");
    await new Promise((resolve) => child.once("close", resolve));
    // Its time was over as well: it is told, and nothing of it is there.
    expect(output).toBe("locked\nstore-unavailable not-applied\n");
    expect(await verifyOrg(engine, org)).toMatchObject({ revisions: 1, objects: 1 });
  }, 60_000);
});
