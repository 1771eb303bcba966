import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectKept, liveWriter } from "../fakes/killed-writer.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { postgresPlace } from "../fakes/postgres-place.ts";
import { seededChoice } from "../fakes/seeded-choice.ts";
import { sqlitePlace } from "../fakes/sqlite-place.ts";

// A release runs 1,000: MESH_IAM_KILLS=1000.
const kills = Number(process.env.MESH_IAM_KILLS ?? 5);
const timeoutMs = 60_000 + 10_000 * kills;
const seed = Number(process.env.MESH_IAM_SEED ?? 1);

test(
  `DSK-002 ${kills} times kill -9 of eight writers on SQLite (MESH_IAM_SEED=${seed})`,
  async () => {
    const choose = seededChoice(seed);
    const place = await sqlitePlace();
    const said: string[] = [];
    try {
      await (await place.open()).close();
      for (let i = 0; i < kills; i++) {
        said.push(...(await liveWriter(place.path, 30 + choose(300))));
        expect(await place.read("PRAGMA integrity_check")).toBe("ok");
        const engine = await place.openBeside();
        await expectKept(engine, said);
        await engine.close();
      }
      const engine = await place.openBeside();
      expect(await expectKept(engine, said)).toBeGreaterThan(0);
    } finally {
      await place.dispose();
    }
  },
  timeoutMs,
);

describe.skipIf(postgresMissing() !== null)("on a real PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.dispose(), 60_000);

  test(
    `DSK-003 ${kills} times kill -9 of two instances with eight writers each on PostgreSQL (MESH_IAM_SEED=${seed})`,
    async () => {
      const choose = seededChoice(seed);
      const place = await postgresPlace(server);
      const said: string[] = [];
      try {
        for (let i = 0; i < kills; i++) {
          const lives = [choose(300), choose(300)].map((ms) => liveWriter(place.url, 30 + ms));
          for (const lines of await Promise.all(lives)) said.push(...lines);
          const engine = await place.open();
          await expectKept(engine, said);
          await engine.close();
        }
        const engine = await place.open();
        expect(await expectKept(engine, said)).toBeGreaterThan(0);
      } finally {
        await place.dispose();
      }
    },
    timeoutMs,
  );
});
