import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dayMs, nowMs } from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { buildFolder } from "./build-folder.ts";
import { createDocumentsSource } from "./documents-source.ts";
import { createFolderSource } from "./folder-source.ts";
import { generatePrivateKey, generateSigner } from "./generate-signer.ts";
import { inspectFolder } from "./inspect-folder.ts";
import { generateKeys } from "./key-files.ts";
import { nodeDisk } from "./node-disk.ts";
import { signFolder } from "./sign-folder.ts";
import { systemClock } from "./system-clock.ts";
import { verifyFolder } from "./verify-folder.ts";

let folder: string;
const at = (name: string) => join(folder, name);

const service = (name: string) => `apiVersion: mesh-iam.io/v1
kind: Service
metadata: { name: ${name}, account: "111122223333" }
spec:
  hosts: [${name}.example.com]
  routes:
    - { http: "GET /v1/orders", action: ListOrders, resource: orders, accessLevel: List }
`;
const user = (name: string) => `apiVersion: mesh-iam.io/v1
kind: User
metadata: { name: ${name}, account: "111122223333" }
spec: {}
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mesh-iam-bundle-"));
  mkdirSync(at("iam"));
  writeFileSync(at("iam/service.yaml"), service("orders"));
  writeFileSync(at("iam/user.yaml"), user("bob"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const build = (changes: Partial<Parameters<typeof buildFolder>[1]> = {}) =>
  buildFolder(nodeDisk, {
    documents: at("iam"),
    out: at("out"),
    services: null,
    revision: null,
    nowMs,
    ...changes,
  });
const keys = (name = "keys", org = "local") =>
  generateKeys(nodeDisk, { folder: at(name), org, nowMs }, generatePrivateKey);
const sign = (keyFile = at("keys/bundle.pem"), at_ = nowMs) =>
  signFolder(nodeDisk, { folder: at("out"), keyFile, keySetsFolder: null, nowMs: at_ });

async function fingerprint(): Promise<string> {
  const generated = await keys();
  if (!generated.ok) throw new Error(generated.message);
  return generated.value.rootFingerprint;
}

const verify = (rootFingerprint: string, changes = {}) =>
  verifyFolder(nodeDisk, {
    folder: at("out"),
    rootFingerprints: [rootFingerprint],
    org: null,
    slice: null,
    nowMs: nowMs + 1_000,
    ...changes,
  });

test("keys, build, sign, verify: the whole way, and what each step says", async () => {
  const rootFingerprint = await fingerprint();
  expect(rootFingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
  for (const name of ["keys/root.pem", "keys/bundle.pem"]) {
    expect(statSync(at(name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(at(name), "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  }

  expect(await build()).toMatchObject({
    ok: true,
    value: { bundle: { head: { slice: "all", revision: nowMs / 1000, epoch: 1, org: "local" } } },
  });
  expect(await inspectFolder(nodeDisk, at("out"))).toMatchObject({
    ok: true,
    value: { signedBy: [], keySets: [], problem: null, head: { expiresAtMs: nowMs + 7 * dayMs } },
  });
  expect(await verify(rootFingerprint)).toMatchObject({ ok: false, code: "bundle-unreadable" });

  const signed = await sign();
  expect(signed).toMatchObject({ ok: true, value: { keySet: 1 } });
  const verified = await verify(rootFingerprint);
  expect(verified).toMatchObject({
    ok: true,
    value: { keySet: { number: 1 }, directory: { users: [{ name: "bob" }] } },
  });
  const inspected = await inspectFolder(nodeDisk, at("out"));
  expect(inspected).toMatchObject({
    ok: true,
    value: {
      signedBy: [signed.ok && signed.value.keyId],
      keySets: [{ signedBy: [rootFingerprint], keySet: { number: 1 } }],
      content: { sizeBytes: verified.ok && verified.value.sizeBytes },
    },
  });
  expect(readdirSync(at("out")).sort()).toEqual(["head", "keysets", "objects"]);
});

test("FILE-8 invalid documents are all told, and nothing is written", async () => {
  writeFileSync(at("iam/user.yaml"), user("bob").replace("spec: {}", "spec: { tag: {} }"));
  writeFileSync(at("iam/other.yaml"), "kind: Nothing\n");
  const built = await build();
  expect(built).toMatchObject({ ok: false, code: "document-invalid" });
  expect(!built.ok && built.message.split("\n").length).toBeGreaterThan(1);
  expect(() => statSync(at("out"))).toThrow();
});

test("options of a build: services, revision, validity", async () => {
  writeFileSync(at("iam/stock.yaml"), service("stock"));
  const built = await build({ services: ["111122223333/stock"], revision: 42, validForMs: 1_000 });
  expect(built).toMatchObject({
    ok: true,
    value: {
      bundle: {
        head: { slice: "111122223333.stock", revision: 42, expiresAtMs: nowMs + 1_000 },
      },
    },
  });
  expect(await build({ services: ["111122223333/absent"] })).toMatchObject({
    ok: false,
    code: "config-invalid",
  });
  expect(await build({ documents: at("nowhere") })).toMatchObject({ code: "document-unreadable" });
  expect(await build({ out: at("iam/user.yaml/out") })).toMatchObject({
    ok: false,
    code: "bundle-unreadable",
  });
});

test("the same documents build the same objects, byte for byte", async () => {
  await build();
  await build({ out: at("again"), nowMs: nowMs + 9_000 });
  const objects = readdirSync(at("out/objects")).sort();
  expect(readdirSync(at("again/objects")).sort()).toEqual(objects);
  for (const name of objects) {
    expect(readFileSync(at(`again/objects/${name}`))).toEqual(
      readFileSync(at(`out/objects/${name}`)),
    );
  }
});

test("keys are never replaced", async () => {
  await keys();
  const before = readFileSync(at("keys/root.pem"));
  expect(await keys()).toMatchObject({ ok: false, code: "key-invalid" });
  rmSync(at("keys/bundle.pem"));
  expect(await keys()).toMatchObject({ ok: false, code: "key-invalid" });
  expect(readFileSync(at("keys/root.pem"))).toEqual(before);
  expect(readdirSync(at("keys")).sort()).toEqual(["keysets", "root.pem"]);
});

test.each([
  { why: "the root key", key: "keys/root.pem", code: "bundle-signature" },
  { why: "a key that no key set lists", key: "other/bundle.pem", code: "bundle-signature" },
  { why: "no such file", key: "keys/none.pem", code: "key-invalid" },
  { why: "no key at all", key: "iam/user.yaml", code: "key-invalid" },
])("a bundle is not signed with $why", async ({ key, code }) => {
  await keys();
  await keys("other");
  await build();
  const outcome = await signFolder(nodeDisk, {
    folder: at("out"),
    keyFile: at(key),
    keySetsFolder: at("keys"),
    nowMs,
  });
  expect(outcome).toMatchObject({ ok: false, code });
  expect(await inspectFolder(nodeDisk, at("out"))).toMatchObject({ value: { signedBy: [] } });
});

test("a bundle of another organization than the keys' is not signed", async () => {
  await keys("keys", "o-elsewhere01");
  await build();
  expect(await sign()).toMatchObject({ ok: false, code: "bundle-mismatch" });
});

test("an expired build is not signed, nor is one without key sets", async () => {
  await keys();
  await build();
  expect(await sign(undefined, nowMs + 8 * dayMs)).toMatchObject({ code: "bundle-expired" });
  rmSync(at("keys/keysets/1"));
  expect(await sign()).toMatchObject({ ok: false, code: "bundle-unreadable" });
  expect(
    await signFolder(nodeDisk, {
      folder: at("iam"),
      keyFile: at("keys/bundle.pem"),
      keySetsFolder: null,
      nowMs,
    }),
  ).toMatchObject({ ok: false, code: "bundle-unreadable" });
});

test("a key is not quoted by the message that refuses it", async () => {
  await keys();
  const pem = readFileSync(at("keys/bundle.pem"), "utf8");
  writeFileSync(at("keys/bundle.pem"), pem.replace("PRIVATE KEY", "SECRET KEY"));
  await build();
  const outcome = await sign();
  expect(outcome).toMatchObject({ ok: false, code: "key-invalid" });
  expect(JSON.stringify(outcome)).not.toContain(pem.split("\n")[1]);
});

test("signing twice leaves one signature of the key", async () => {
  const rootFingerprint = await fingerprint();
  await build();
  await sign();
  await sign();
  expect(await inspectFolder(nodeDisk, at("out"))).toMatchObject({
    value: { signedBy: [expect.any(String)] },
  });
  expect(await verify(rootFingerprint)).toMatchObject({ ok: true });
});

test.each([
  { why: "no fingerprint", roots: [], code: "key-invalid" },
  { why: "not a fingerprint", roots: ["sha256:abc"], code: "key-invalid" },
  { why: "another root", roots: [`sha256:${"0".repeat(64)}`], code: "bundle-signature" },
])("verification is refused: $why", async ({ roots, code }) => {
  await keys();
  await build();
  await sign();
  expect(await verify("", { rootFingerprints: roots })).toMatchObject({ ok: false, code });
});

test.each([
  { why: "of another slice", changes: { slice: "111122223333.orders" }, code: "bundle-mismatch" },
  { why: "of another organization", changes: { org: "o-1" }, code: "bundle-mismatch" },
  { why: "past its validity", changes: { nowMs: nowMs + 8 * dayMs }, code: "bundle-expired" },
])("verification is refused: a bundle $why", async ({ changes, code }) => {
  const rootFingerprint = await fingerprint();
  await build();
  await sign();
  expect(await verify(rootFingerprint, changes)).toMatchObject({ ok: false, code });
});

test("a damaged, missing or foreign object is refused and named, and inspected all the same", async () => {
  const rootFingerprint = await fingerprint();
  await build();
  await sign();
  for (const name of readdirSync(at("out/objects"))) {
    const path = at(`out/objects/${name}`);
    const bytes = readFileSync(path);
    writeFileSync(
      path,
      bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 0x10 : byte)),
    );
    expect(await verify(rootFingerprint)).toMatchObject({ ok: false, code: "bundle-digest" });
    rmSync(path);
    expect(await verify(rootFingerprint)).toMatchObject({ ok: false, code: "bundle-unreadable" });
    expect(await inspectFolder(nodeDisk, at("out"))).toMatchObject({
      ok: true,
      value: { content: null, problem: { code: "bundle-unreadable" } },
    });
    writeFileSync(path, bytes);
  }
  expect(await verify(rootFingerprint)).toMatchObject({ ok: true });
});

test("a sidecar follows a built folder, and a later build in its place, on a real disk", async () => {
  const make = async (name: string) => {
    writeFileSync(at("iam/user.yaml"), user(name));
    const nowHere = Date.now();
    await build({ out: at("out"), nowMs: nowHere, revision: nowHere });
    await signFolder(nodeDisk, {
      folder: at("out"),
      keyFile: at("keys/bundle.pem"),
      keySetsFolder: null,
      nowMs: nowHere,
    });
  };
  // With the real clock, since the sidecar has it, too.
  const generated = await generateKeys(
    nodeDisk,
    { folder: at("keys"), org: "local", nowMs: Date.now() },
    generatePrivateKey,
  );
  if (!generated.ok) throw new Error(generated.message);
  await make("first");
  const listener = new RecordingListener();
  const source = createFolderSource(
    {
      folder: at("out"),
      rootFingerprints: [generated.value.rootFingerprint],
      org: null,
      slice: null,
      cacheFolder: at("state"),
    },
    nodeDisk,
    systemClock,
  );
  await source.start(listener);
  expect(listener.users).toEqual(["first"]);
  await make("second");
  await vi.waitFor(() => expect(listener.users).toEqual(["second"]), 10_000);
  expect(source.status().cache).toMatchObject({ state: "writing" });
  await source.close();
  expect(readdirSync(at("state")).sort()).toEqual([
    "floor",
    "head",
    "head.previous",
    "keysets",
    "objects",
  ]);
  expect(statSync(at("state/head")).mode & 0o777).toBe(0o600);
});

test("FILE-1 a ConfigMap mount of documents on a real disk: the swap is noticed", async () => {
  mkdirSync(at("mount/..1"), { recursive: true });
  cpSync(at("iam"), at("mount/..1"), { recursive: true });
  symlinkSync("..1", at("mount/..data"));
  for (const name of ["user.yaml", "service.yaml"]) {
    symlinkSync(`..data/${name}`, at(`mount/${name}`));
  }
  const listener = new RecordingListener();
  const source = createDocumentsSource(
    { folder: at("mount"), services: null },
    nodeDisk,
    systemClock,
    generateSigner,
  );
  await source.start(listener);
  expect(listener.users).toEqual(["bob"]);

  mkdirSync(at("mount/..2"));
  writeFileSync(at("mount/..2/service.yaml"), service("orders"));
  writeFileSync(at("mount/..2/user.yaml"), user("eve"));
  symlinkSync("..2", at("mount/..data_tmp"));
  renameSync(at("mount/..data_tmp"), at("mount/..data"));
  await vi.waitFor(() => expect(listener.users).toEqual(["eve"]), 10_000);
  await source.close();
});
