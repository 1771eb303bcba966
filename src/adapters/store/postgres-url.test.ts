import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failing } from "../../../test/fakes/store-commits.ts";
import { parsePostgresUrl } from "./postgres-url.ts";

const tls = { host: "db.example.com" };

test.each([
  {
    why: "TLS with verify-full unless it is said otherwise",
    url: "postgres://mesh:p%40ss@db.example.com:6432/iam",
    want: {
      host: "db.example.com",
      port: 6432,
      user: "mesh",
      password: "p@ss",
      database: "iam",
      ssl: tls,
    },
  },
  {
    why: "verify-full said aloud",
    url: "postgresql://db.example.com/iam?sslmode=verify-full",
    want: { host: "db.example.com", database: "iam", ssl: tls },
  },
  {
    why: "an IP address is checked against the certificate as well",
    url: "postgres://[2001:db8::1]/iam",
    want: { host: "2001:db8::1", database: "iam", ssl: { host: "2001:db8::1" } },
  },
  {
    why: "none where it is switched off by name",
    url: "postgres://db/iam?sslmode=disable",
    want: { host: "db", database: "iam", ssl: false },
  },
  {
    why: "none on a Unix socket",
    url: "postgres:///iam?host=/run/postgresql",
    want: { host: "/run/postgresql", database: "iam", ssl: false },
  },
])("STO-35 $why", async ({ url, want }) => {
  expect(await parsePostgresUrl(url)).toEqual(want);
});

test.each([
  { url: "postgres://u:secret@db/iam?sslmode=require", says: "`require` does not check" },
  { url: "postgres://u:secret@db/iam?sslmode=no-verify", says: "verify-full or disable" },
  { url: "postgres://u:secret@db/iam?ssl=true", says: "unknown parameter `ssl`" },
  {
    url: "postgres://u:secret@db/iam?sslrootcert=/nowhere.pem",
    says: "`/nowhere.pem` cannot be read: ENOENT",
  },
  { url: "mysql://u:secret@db/iam", says: "expected postgres://" },
  { url: "secret", says: "expected postgres://" },
])("STO-35 refused: $says", async ({ url, says }) => {
  const parsing = parsePostgresUrl(url);
  await expect(parsing).rejects.toEqual(failing("store-unusable"));
  await expect(parsing).rejects.toThrow(says);
  await expect(parsing).rejects.not.toThrow("secret");
});

test("the files of a certificate authority are read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mesh-iam-root-"));
  try {
    writeFileSync(join(folder, "ca.pem"), "PEM");
    const { ssl } = await parsePostgresUrl(`postgres://db/iam?sslrootcert=${folder}/ca.pem`);
    expect(ssl).toEqual({ host: "db", ca: "PEM" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
