import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../fakes/command-line.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { sqlitePlace } from "../fakes/sqlite-place.ts";
import { commit, org, put, write } from "../fakes/store-commits.ts";

describe.skipIf(postgresMissing() !== null)(
  "from one engine to the other, by the command line",
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ fsync: false, icuLocale: "en-US" });
    }, 60_000);
    afterAll(() => server?.dispose(), 60_000);

    test("STO-63 out of SQLite into PostgreSQL and back: the same objects, one epoch on at each step", async () => {
      const folder = mkdtempSync(join(tmpdir(), "mesh-iam-move-"));
      const place = await sqlitePlace();
      const run = async (...args: string[]): Promise<Record<string, unknown>> => {
        const { code, out, err } = await runCommand(["store", ...args, "--json"]);
        expect(err.replace(/^warning: .*\n/, "")).toBe("");
        expect(code).toBe(0);
        return JSON.parse(out);
      };
      const objects = (name: string) =>
        zstdDecompressSync(readFileSync(join(folder, name)))
          .toString()
          .split("\n")
          .slice(1, -2);
      try {
        const { store } = await place.open();
        await store.createOrg(org);
        // Ids that other collations than C order otherwise, docs that JSON may be written as otherwise.
        const ids = ["b", "B", "a-", "a", "Ä", "z", "_", "\u{1f600}", "\uffff", "A1", "a1"];
        const doc = '{ "n" : 1.0, "s":"\\u0000é", "n":2 }';
        await write(store, [
          commit(...ids.map((id, at) => put(id, { nameKey: `n${at}`, doc, kind: "group" }))),
          commit(put("u", {}, { rel: "member", to: "z" }, { rel: "member", to: "Ä" })),
        ]);
        const [first, second] = [join(folder, "first"), join(folder, "second")];
        const postgres = ["--store", await server.database()];
        const back = ["--store", join(folder, "back.db")];
        await run("export", "--store", place.path, "--out", first);
        expect(await run("migrate", ...postgres)).toEqual({ engine: "postgres", schema: 1 });
        expect(await run("import", ...postgres, first)).toMatchObject({ epoch: 2, revision: 3 });
        expect(await run("verify", ...postgres)).toMatchObject({
          organizations: [{ objects: 12 }],
        });
        await run("export", ...postgres, "--out", second);
        expect(await run("import", ...back, second)).toMatchObject({ epoch: 3, revision: 4 });
        await run("export", ...back, "--out", join(folder, "third"));
        expect(objects("first").length).toBe(12);
        expect(objects("second")).toEqual(objects("first"));
        expect(objects("third")).toEqual(objects("first"));
      } finally {
        await place.dispose();
        rmSync(folder, { recursive: true });
      }
    });
  },
);
