import { afterAll, beforeAll, describe } from "vitest";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { postgresPlace } from "../fakes/postgres-place.ts";
import { storeConformance } from "./store.ts";

describe.skipIf(postgresMissing() !== null)("on a real PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    // Of a collation that is not C: no order and no index may depend on it.
    server = await startPostgres({ fsync: false, icuLocale: "en-US" });
  }, 60_000);
  afterAll(() => server?.dispose(), 60_000);
  storeConformance(() => postgresPlace(server));
});
