import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migratePostgres, openPostgres } from "../../src/adapters/store/postgres.ts";
import { verifyOrg } from "../../src/adapters/store/verify.ts";
import { runCommand } from "../fakes/command-line.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { commit, failing, org, put, remove, write } from "../fakes/store-commits.ts";

describe.skipIf(postgresMissing() !== null)("what PostgreSQL alone is asked", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ fsync: false });
  }, 60_000);
  afterAll(() => server?.dispose(), 60_000);

  test("STO-54 a server does not migrate; it says what does", async () => {
    const url = await server.database();
    const opening = openPostgres({ ...surroundings(), url });
    await expect(opening).rejects.toEqual(failing("store-schema-too-old"));
    await expect(opening).rejects.toThrow("mesh-iam store migrate");
    expect(await migratePostgres({ ...surroundings(), url })).toEqual({ version: 1, minBinary: 1 });
    const engine = await openPostgres({ ...surroundings(), url });
    expect(engine.warnings).toEqual([expect.stringContaining("fsync = off")]);
    await engine.close();
  });

  test("STO-51 eight instances migrate at once, again and again", async () => {
    for (let start = 0; start < 5; start++) {
      const url = await server.database();
      const states = await Promise.all(
        Array.from({ length: 8 }, () => migratePostgres({ ...surroundings(), url })),
      );
      expect(states).toEqual(Array.from({ length: 8 }, () => ({ version: 1, minBinary: 1 })));
    }
  });

  test("STO-35 TLS is asked for, and a server without it is not talked to", async () => {
    const url = (await server.database()).replace("?sslmode=disable", "");
    const opening = openPostgres({ ...surroundings(), url });
    await expect(opening).rejects.toEqual(failing("store-unavailable"));
    await expect(opening).rejects.toThrow("does not support SSL");
  });

  test("STO-70 whoever shares the driver keeps its own parsers", async () => {
    const url = await server.database();
    await migratePostgres({ ...surroundings(), url });
    const [row] = await server.run("SELECT 1::int8 AS big, '{}'::json AS doc");
    expect(row).toEqual({ big: "1", doc: {} });
  });

  test("an acknowledged commit is synced although the server's default is otherwise", async () => {
    const url = await server.database();
    const name = new URL(url).pathname.slice(1);
    await server.run(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await migratePostgres({ ...surroundings(), url });
    // What the transactions run under is told by a trigger.
    await server.run(
      `CREATE TABLE seen (setting text);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO seen SELECT current_setting('synchronous_commit'); RETURN NEW; END $$;
       CREATE TRIGGER noted BEFORE INSERT ON mi_org FOR EACH ROW EXECUTE FUNCTION note()`,
      name,
    );
    const engine = await openPostgres({ ...surroundings(), url });
    await engine.store.createOrg("o-1");
    await engine.close();
    expect(await server.run("SELECT setting FROM seen", name)).toEqual([{ setting: "on" }]);
  });

  test("STO-34 each role does its duty, and can do nothing else", async () => {
    const url = await server.database();
    const name = new URL(url).pathname.slice(1);
    await server.run('CREATE ROLE "run ""time" LOGIN; CREATE ROLE retention LOGIN');
    const roles = ["--grant-runtime", 'run "time', "--grant-retention", "retention"];
    for (let times = 0; times < 2; times++) {
      expect((await runCommand(["store", "migrate", "--store", url, ...roles])).code).toBe(0);
    }
    const as = (role: string) =>
      openPostgres({
        ...surroundings(),
        url: url.replace("owner@", `${encodeURIComponent(role)}@`),
      });
    const runtime = await as('run "time');
    const { store } = runtime;
    await store.createOrg(org);
    await write(store, [
      commit(put("AGPA1", { kind: "group" }), put("AIDA1", {}, { rel: "member", to: "AGPA1" })),
    ]);
    await write(store, [commit(put("AIDA1"), remove("AGPA1"))]);
    await runtime.auditLog.append(org, "api-1", [{ atMs: 1, record: Buffer.from("e") }]);
    await runtime.fleet.upsert(org, "cp-1", []);
    await verifyOrg(runtime, org);
    const lease = await store.lease("retention");
    const fence = lease?.fence ?? { name: "", token: 0 };
    await expect(store.compact(org, 1, fence)).rejects.toThrow("permission denied");
    for (const sql of [
      "DELETE FROM mi_rev",
      "UPDATE mi_rev SET actor = 'nobody'",
      "UPDATE mi_change SET doc = '{}'",
      "DELETE FROM mi_audit",
      "UPDATE mi_schema SET version = 0",
      "CREATE TABLE theirs (a int)",
    ]) {
      const hand = server.run(`SET ROLE "run ""time"; ${sql}`, name);
      await expect(hand, sql).rejects.toThrow("permission denied");
    }
    await lease?.release();

    const retention = await as("retention");
    const own = await retention.store.lease("retention");
    const ownFence = own?.fence ?? { name: "", token: 0 };
    await retention.store.compact(org, 1, ownFence);
    await retention.store.expire(org, { revisionsMs: 0, idempotencyMs: 0, auditMs: 0 }, ownFence);
    await expect(write(retention.store, [commit(put("AIDA2"))])).rejects.toThrow(
      "permission denied",
    );
    await expect(retention.store.setState(org, "frozen")).rejects.toThrow("permission denied");
    await own?.release();
    expect(await verifyOrg(runtime, org)).toMatchObject({ revisions: 1, objects: 1 });
    await retention.close();
    await runtime.close();
  });
});
