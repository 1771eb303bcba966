import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleKey, nowMs, root, sealedKeySet } from "../../../test/fakes/bundle-keys.ts";
import { runCommand } from "../../../test/fakes/command-line.ts";
import { encodeHead, type Head } from "../../domain/bundle/head.ts";
import { sealHead } from "../../domain/bundle/signed.ts";
import { printable } from "../../domain/directory/document-problem.ts";
import { sampleDocuments } from "./quickstart/workspace.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-bundle-"));
const bundle = join(folder, "bundle");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const documents = join(folder, "documents");
  cpSync(sampleDocuments, documents, { recursive: true });
  writeFileSync(join(documents, "jwks.json"), '{"keys":[]}');
  await runCommand(["bundle", "build", "--documents", documents, "--out", bundle]);
  mkdirSync(join(bundle, "keysets"));
});

const head: Head = {
  org: "o-acme",
  slice: "all",
  epoch: 1,
  revision: 1,
  coveredRevision: 1,
  chain: "",
  manifestDigest: "0".repeat(64),
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 1,
  minReader: 1,
};

function write(changes: Partial<Head>, keySet: Parameters<typeof sealedKeySet>[0] = {}): void {
  writeFileSync(join(bundle, "head"), sealHead(encodeHead({ ...head, ...changes }), [bundleKey]));
  writeFileSync(join(bundle, "keysets/1"), sealedKeySet(keySet));
}

const far = 8_640_000_000_000_001;

test.each([["inspect"], ["verify", "--root-fingerprint", root.keyId]])(
  "a head with a time that no calendar has is refused by bundle %s",
  async (...command) => {
    write({ expiresAtMs: far });
    const { code, err } = await runCommand(["bundle", ...command, bundle]);
    expect(err).toContain("times from 0 to 8640000000000000 ms");
    expect(code).toBe(3);
    write({ expiresAtMs: far - 1 });
    expect((await runCommand(["bundle", ...command, bundle])).err).not.toContain("times from");
  },
);

test.each([
  ["the key set", { expiresAtMs: far }],
  [
    "a key of it",
    { bundleKeys: [{ kid: "k", publicKey: bundleKey.publicKey, notBeforeMs: 0, notAfterMs: far }] },
  ],
])("so is %s", async (_what, keySet) => {
  write({}, keySet);
  const { err } = await runCommand(["bundle", "verify", "--root-fingerprint", root.keyId, bundle]);
  expect(err).toContain("(bundle-parse)");
});

test("nothing in a bundle steers the terminal", async () => {
  const evil = "\u001b[2J\u009b1A\u202e\nforged";
  write({ org: evil, slice: evil });
  for (const json of [[], ["--json"]]) {
    const { code, out } = await runCommand(["bundle", "inspect", ...json, bundle]);
    expect(code).toBe(0);
    expect(out).toContain("\\u009b1A");
    expect(out.split("\n").filter((line) => line !== printable(line))).toEqual([]);
    expect(out.split("\n").filter((line) => line.startsWith("forged"))).toEqual([]);
  }
});
