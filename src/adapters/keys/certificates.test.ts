import { mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MeshIamError } from "../../iam/error.ts";
import {
  type CertificateAuthority,
  type CertificatePair,
  createCertificateAuthority,
} from "./certificate-authority.ts";
import { parseServerCertificate, WatchedCertificate } from "./certificates.ts";

const hourMs = 3_600_000;
const nowMs = Date.now();
const request = { commonName: "a", uris: [], dnsNames: ["a.example"], ipAddresses: [] };

let authority: CertificateAuthority;
let pair: CertificatePair;
let other: CertificatePair;
let folder: string;

beforeEach(async () => {
  authority = await createCertificateAuthority("authority", new Date(nowMs), hourMs);
  [pair, other] = await Promise.all([authority.issue(request), authority.issue(request)]);
  folder = await mkdtemp(join(tmpdir(), "certificates-"));
});

afterEach(() => rm(folder, { recursive: true }));

test("a pair and its authorities are read, with the end of the leaf's life", () => {
  const texts = { cert: pair.certificate, key: pair.privateKey, clientCa: authority.certificate };
  const parsed = parseServerCertificate(texts, nowMs);
  expect(parsed).toMatchObject({ ok: true, value: texts });
  if (!parsed.ok) return;
  expect(Math.abs(parsed.value.notAfterMs - (nowMs + hourMs))).toBeLessThan(1000);
  expect(parsed.value.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test.each([
  ["no certificate", { cert: "x" }, 0],
  ["a key for the certificate", { cert: "KEY" }, 0],
  ["no key", { key: "x" }, 0],
  ["another certificate's key", { key: "OTHER" }, 0],
  ["a certificate for the key", { key: "CERT" }, 0],
  ["no authorities", { clientCa: "x" }, 0],
  ["a leaf that has expired", {}, 2 * hourMs],
  ["a leaf that is not valid yet", {}, -hourMs],
])("refused: %s", (_why, change, offsetMs) => {
  const named = new Map([
    ["KEY", pair.privateKey],
    ["OTHER", other.privateKey],
    ["CERT", pair.certificate],
  ]);
  const texts = {
    cert: pair.certificate,
    key: pair.privateKey,
    clientCa: null,
    ...Object.fromEntries(Object.entries(change).map(([k, v]) => [k, named.get(v) ?? v])),
  };
  const parsed = parseServerCertificate(texts, nowMs + offsetMs);
  expect(parsed).toMatchObject({ ok: false, code: "certificate-invalid" });
  if (!parsed.ok) expect(parsed.message).not.toContain("BEGIN");
});

const files = () => ({
  certFile: join(folder, "data", "tls.crt"),
  keyFile: join(folder, "data", "tls.key"),
  clientCaFile: null,
});

/** Writes a pair the way a mounted Secret changes: a new folder, then one link swapped. */
async function mount(version: string, { certificate, privateKey }: CertificatePair): Promise<void> {
  const path = join(folder, version);
  await mkdtemp(path).then((made) => rename(made, path));
  await writeFile(join(path, "tls.crt"), certificate);
  await writeFile(join(path, "tls.key"), privateKey, { mode: 0o600 });
  await symlink(path, join(folder, "next"));
  await rename(join(folder, "next"), join(folder, "data"));
}

async function watched() {
  const told: string[] = [];
  let poll: (() => void) | null = null;
  let settle: (() => void) | null = null;
  let failure: Error | null = null;
  const certificate = await WatchedCertificate.start({
    files: files(),
    nowMs: () => nowMs,
    setTimer: (run) => {
      poll = run;
      settle?.();
      return () => {
        poll = null;
      };
    },
    listener: {
      reloaded({ cert }) {
        if (failure !== null) throw failure;
        told.push(cert === other.certificate ? "other" : "pair");
      },
      refused: (_code, message) => told.push(message),
    },
  });
  return {
    certificate,
    told,
    isWaiting: () => poll !== null,
    /** Has the server refuse what it is given, until the files change again. */
    refusing(reason: Error | null): void {
      failure = reason;
    },
    /** Lets the files be read once more. */
    async pass(): Promise<void> {
      const polled = new Promise<void>((resolve) => {
        settle = resolve;
      });
      poll?.();
      await polled;
    },
  };
}

test("a changed pair is taken, an unchanged one is nothing new", async () => {
  await mount("one", pair);
  const { certificate, told, pass } = await watched();
  expect(certificate.current.cert).toBe(pair.certificate);
  await pass();
  expect(told).toEqual([]);
  await mount("two", other);
  await pass();
  expect(told).toEqual(["other"]);
  expect(certificate.current.cert).toBe(other.certificate);
  certificate.close();
});

test("half a change, a broken file and a missing one leave the pair in force, told once each", async () => {
  await mount("one", pair);
  const { certificate, told, pass } = await watched();
  await mount("half", { certificate: other.certificate, privateKey: pair.privateKey });
  await pass();
  await pass();
  await unlink(join(folder, "half", "tls.crt"));
  await pass();
  await pass();
  expect(certificate.current.cert).toBe(pair.certificate);
  expect(told.length).toBe(2);
  expect(told[0]).toContain("private key of the certificate");
  expect(told[1]).toContain("ENOENT");
  await mount("whole", other);
  await pass();
  expect(certificate.current.cert).toBe(other.certificate);
  certificate.close();
});

test("files that are not usable at the start are an error that names the first of them", async () => {
  for (let attempt = 0; attempt < 20; attempt++) {
    await expect(watched()).rejects.toMatchObject({
      code: "certificate-invalid",
      message: expect.stringContaining("tls.crt"),
    });
  }
});

test("files that are all missing are told of once, however often they are looked for", async () => {
  await mount("one", pair);
  const { certificate, told, pass } = await watched();
  await unlink(join(folder, "data"));
  for (let attempt = 0; attempt < 20; attempt++) await pass();
  expect(told).toEqual([expect.stringContaining("tls.crt")]);
  certificate.close();
});

test("a pair that the TLS server does not take is refused, and the next one is tried", async () => {
  await mount("one", pair);
  const { certificate, told, pass, refusing } = await watched();
  refusing(new MeshIamError("certificate-invalid", "ee key too small"));
  await mount("weak", other);
  await pass();
  await pass();
  expect(told).toEqual(["ee key too small"]);
  expect(certificate.current.cert).toBe(pair.certificate);
  refusing(null);
  await mount("back", pair);
  await pass();
  await mount("whole", other);
  await pass();
  expect(told).toEqual(["ee key too small", "other"]);
  expect(certificate.current.cert).toBe(other.certificate);
  certificate.close();
});

test("after close nothing is read", async () => {
  await mount("one", pair);
  const { certificate, isWaiting } = await watched();
  certificate.close();
  expect(isWaiting()).toBe(false);
});
