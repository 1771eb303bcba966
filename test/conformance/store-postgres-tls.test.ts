import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCertificateAuthority } from "../../src/adapters/keys/certificate-authority.ts";
import { migratePostgres, openPostgres } from "../../src/adapters/store/postgres.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../fakes/postgres.ts";
import { surroundings } from "../fakes/sqlite-place.ts";
import { failing } from "../fakes/store-commits.ts";

describe.skipIf(postgresMissing() !== null)("STO-35 TLS to PostgreSQL is verify-full", () => {
  let server: PostgresServer;
  let folder: string;
  let plain: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "mesh-iam-tls-"));
    const authority = await createCertificateAuthority("db authority", new Date(), 3_600_000);
    const tls = await authority.issue({
      commonName: "db",
      uris: [],
      dnsNames: ["localhost"],
      ipAddresses: ["127.0.0.1"],
    });
    const other = await createCertificateAuthority("another", new Date(), 3_600_000);
    writeFileSync(join(folder, "ca.pem"), authority.certificate);
    writeFileSync(join(folder, "other.pem"), other.certificate);
    server = await startPostgres({ fsync: false, tls });
    plain = await server.database();
    await migratePostgres({ ...surroundings(), url: plain });
  }, 60_000);
  afterAll(async () => {
    await server?.dispose();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const urlOf = (host: string, ca: string | null) =>
    plain
      .replace("@127.0.0.1:", `@${host}:`)
      .replace("sslmode=disable", ca === null ? "" : `sslrootcert=${join(folder, ca)}`);

  test.each(["localhost", "127.0.0.1"])("a certificate of %s is accepted", async (host) => {
    const engine = await openPostgres({ ...surroundings(), url: urlOf(host, "ca.pem") });
    expect(await engine.store.heads()).toEqual([]);
    const [row] = await server.run(
      "SELECT count(*) FILTER (WHERE ssl) AS tls, count(*) AS all FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mesh-iam'",
    );
    expect(row?.tls).toBe(row?.all);
    expect(Number(row?.tls)).toBeGreaterThan(0);
    await engine.close();
  });

  test.each([
    { why: "of another address", host: "127.0.0.2", ca: "ca.pem", says: "127.0.0.2" },
    { why: "of another authority", host: "localhost", ca: "other.pem", says: "certificate" },
    { why: "of an authority that nobody named", host: "localhost", ca: null, says: "certificate" },
  ])("a certificate $why is refused at once", async ({ host, ca, says }) => {
    const opening = openPostgres({ ...surroundings(), url: urlOf(host, ca) });
    await expect(opening).rejects.toEqual(failing("store-unavailable"));
    await expect(opening).rejects.toThrow(says);
  });
});
