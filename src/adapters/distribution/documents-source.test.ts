import { expect, test } from "vitest";
import {
  describeBundleSource,
  type SourceUnderTest,
} from "../../../test/conformance/bundle-source.ts";
import { bundleKey, nowMs, root } from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { FakeDisk } from "../../../test/fakes/fake-disk.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { createDocumentsSource, type DocumentsSourceOptions } from "./documents-source.ts";

const options: DocumentsSourceOptions = { folder: "/iam", services: null };

const userDocument = (name: string) => `apiVersion: mesh-iam.io/v1
kind: User
metadata: { name: ${name}, account: "111122223333" }
spec: {}
`;

const serviceDocument = `apiVersion: mesh-iam.io/v1
kind: Service
metadata: { name: orders, account: "111122223333" }
spec:
  hosts: [orders.example.com]
  routes:
    - { http: "GET /v1/orders", action: ListOrders, resource: orders, accessLevel: List }
`;

const organizationDocument = `apiVersion: mesh-iam.io/v1
kind: Organization
metadata: { name: acme }
spec: { managementAccountId: "111122223333", id: o-acme123456, rootId: r-acme }
---
apiVersion: mesh-iam.io/v1
kind: Account
metadata: { name: shop }
spec: { accountId: "111122223333", parentIds: [/] }
`;

function keys() {
  const made = [root, bundleKey];
  return () => {
    const key = made.shift();
    if (key === undefined) throw new Error("two keys are enough");
    return key;
  };
}

function setUp(changes: Partial<DocumentsSourceOptions> = {}) {
  const disk = new FakeDisk();
  const clock = new ManualClock(nowMs);
  const listener = new RecordingListener();
  const source = createDocumentsSource({ ...options, ...changes }, disk, clock, keys());
  return { disk, clock, listener, source };
}

async function create(): Promise<SourceUnderTest> {
  const { disk, clock, source } = setUp();
  return {
    source,
    clock,
    name: "documents",
    publish: async (name) => disk.put("/iam/user.yaml", userDocument(name)),
    renew: () => clock.advance(30_000),
    spoil: async () => {
      disk.put("/iam/user.yaml", userDocument("{"));
      return "document-invalid";
    },
    rollBack: null,
    watches: () => disk.watched,
  };
}

describeBundleSource("a folder of documents", create);

test("the revision is the seconds since 1970, and one more when that is not more", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("first"));
  await source.start(listener);
  disk.put("/iam/a.yaml", userDocument("second"));
  clock.jump(-3_600_000);
  await clock.advance(100);
  expect(listener.bundles.map(({ revision }) => revision)).toEqual([
    nowMs / 1000,
    nowMs / 1000 + 1,
  ]);
  await source.close();
});

test("a head is renewed every 30 s, even when the clock jumps back, and stays fresh for days", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("bob"));
  await source.start(listener);
  await clock.advance(90_000);
  expect(listener.heads).toHaveLength(3);
  clock.jump(-86_400_000);
  await clock.advance(4 * 3_600_000);
  expect(listener.heads).toHaveLength(3 + 480);
  expect(source.status()).toMatchObject({ fresh: true });
  expect(source.status().ageMs).toBeLessThan(31_000);
  expect(listener.refusals).toEqual([]);
  await source.close();
});

test("FILE-8 a folder that is invalid at start throws with every problem, a line each", async () => {
  const { disk, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("bob").replace("spec: {}", "spec: { tag: {} }"));
  disk.put("/iam/sub/b.yaml", userDocument("bob").replace("User", "Person"));
  const failure = source.start(listener);
  await expect(failure).rejects.toMatchObject({ name: "MeshIamError", code: "document-invalid" });
  const message = await failure.catch((error: Error) => error.message);
  expect(message).toMatch(/^a\.yaml:\d+:\d+ /);
  expect(message).toMatch(/\nsub\/b\.yaml:\d+:\d+ /);
  expect(listener.calls).toEqual([]);
});

test.each([
  { why: "absent", prepare: () => {}, code: "document-unreadable" },
  {
    why: "empty",
    prepare: (disk: FakeDisk) => disk.put("/iam/README.md", "nothing"),
    code: "document-invalid",
  },
  {
    why: "with a link that leads out",
    prepare: (disk: FakeDisk) => {
      disk.put("/etc/passwd.yaml", userDocument("root"));
      disk.put("/iam/a.yaml", userDocument("bob"));
      disk.link("/iam/b.yaml", "../etc/passwd.yaml");
    },
    code: "document-invalid",
  },
  {
    why: "with a file that is not UTF-8",
    prepare: (disk: FakeDisk) => disk.put("/iam/a.yaml", Buffer.from([0x61, 0xff])),
    code: "document-invalid",
  },
  {
    why: "with a file that cannot be read",
    prepare: (disk: FakeDisk) => {
      disk.put("/iam/a.yaml", userDocument("bob"));
      disk.put("/iam/b.yaml", userDocument("eve"));
      disk.failing = (step, path) => (step === "read" && path === "/iam/b.yaml" ? "EACCES" : null);
    },
    code: "document-invalid",
  },
  {
    why: "with a link in a circle",
    prepare: (disk: FakeDisk) => {
      disk.put("/iam/a/a.yaml", userDocument("bob"));
      disk.link("/iam/a/again", "..");
    },
    code: "document-invalid",
  },
])("a folder $why does not start", async ({ prepare, code }) => {
  const { disk, listener, source } = setUp();
  prepare(disk);
  await expect(source.start(listener)).rejects.toMatchObject({ code });
});

test("FILE-1 names that begin with . or _ and tests are passed over, folders are not", async () => {
  const { disk, listener, source } = setUp();
  disk.put("/iam/deep/er/a.yml", userDocument("a"));
  disk.put(
    "/iam/b.json",
    JSON.stringify({
      apiVersion: "mesh-iam.io/v1",
      kind: "User",
      metadata: { name: "b", account: "111122223333" },
      spec: {},
    }),
  );
  for (const name of [
    ".hidden.yaml",
    "_draft.yaml",
    "user_test.yaml",
    ".git/c.yaml",
    "_x/c.yaml",
  ]) {
    disk.put(`/iam/${name}`, userDocument("never"));
  }
  await source.start(listener);
  expect([...listener.users].sort()).toEqual(["a", "b"]);
  await source.close();
});

test("FILE-1 a ConfigMap mount: files are links into a folder that is swapped as a whole", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/..2026_1/user.yaml", userDocument("first"));
  disk.link("/iam/..data", "..2026_1");
  disk.link("/iam/user.yaml", "..data/user.yaml");
  await source.start(listener);
  expect(listener.users).toEqual(["first"]);
  disk.put("/iam/..2026_2/user.yaml", userDocument("second"));
  disk.link("/iam/..data", "..2026_2");
  await clock.advance(100);
  expect(listener.users).toEqual(["second"]);
  await source.close();
});

test("a change deep in the folder is live within a debounce, a new folder's within a poll", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/deep/a.yaml", userDocument("first"));
  await source.start(listener);
  disk.put("/iam/deep/a.yaml", userDocument("second"));
  await clock.advance(60);
  expect(listener.users).toEqual(["second"]);
  disk.put("/iam/deep/new/b.yaml", userDocument("third"));
  await clock.advance(1_060);
  expect(listener.users).toHaveLength(2);
  await source.close();
});

test("without watches of the system a change is found by looking", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("first"));
  disk.failing = (step) => (step === "watch" ? "ENOSPC" : null);
  await source.start(listener);
  disk.put("/iam/a.yaml", userDocument("second"));
  await clock.advance(1_000);
  expect(listener.users).toEqual(["second"]);
  expect(disk.watched).toBe(0);
  await source.close();
});

test("a burst of changes is read once, and puts the work off for half a second at most", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("first"));
  await source.start(listener);
  for (let i = 0; i < 12; i++) {
    disk.put("/iam/a.yaml", userDocument(`burst${i}`));
    await clock.advance(40);
  }
  const inBurst = listener.bundles.length;
  await clock.advance(200);
  expect(listener.users).toEqual(["burst11"]);
  expect(listener.bundles.length).toBeLessThanOrEqual(inBurst + 1);
  expect(listener.bundles.length).toBeLessThanOrEqual(3);
  await source.close();
});

test("documents that were bad, good and are bad again are refused again, not repeatedly", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("bob"));
  await source.start(listener);
  for (const name of ["{", "bob", "{"]) {
    disk.put("/iam/a.yaml", userDocument(name));
    await clock.advance(1_000);
  }
  expect(listener.refusals.map(({ repeated }) => repeated)).toEqual([false, false]);
  expect(source.status().lastSuccessAtMs).toBeGreaterThan(nowMs);
  expect(listener.bundles).toHaveLength(1);
  await source.close();
});

test("DSK-006 a folder that cannot be read any more is refused, and healed by itself", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("first"));
  await source.start(listener);
  disk.failing = (step) => (step === "list" || step === "read" ? "EIO" : null);
  await clock.advance(1_100);
  expect(listener.lastRefusal).toMatchObject({ code: "document-unreadable", result: "network" });
  expect(source.status().active).not.toBeNull();
  disk.failing = () => null;
  await clock.advance(6_000);
  expect(source.status().pulls.applied).toBe(1);
  expect(listener.users).toEqual(["first"]);
  await source.close();
});

test("an Organization written later makes another organization, live like any change", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("bob"));
  await source.start(listener);
  expect(listener.bundles[0]?.org).toBe("local");

  listener.failing = new Error("not yet");
  disk.put("/iam/organization.yaml", organizationDocument);
  await clock.advance(100);
  listener.failing = null;
  // The old organization's head goes on being renewed until the new one is in force.
  const heads = listener.heads.length;
  await clock.advance(2_000);
  await clock.advance(30_000);
  expect(listener.bundles.at(-1)).toMatchObject({ org: "o-acme123456" });
  expect(listener.heads.length).toBeGreaterThan(heads);
  expect(listener.refusals.map(({ code }) => code)).toEqual(["internal"]);
  await source.close();
});

test("named services make a slice of theirs, an unknown one does not start", async () => {
  const { disk, listener, source } = setUp({ services: ["111122223333/orders"] });
  disk.put("/iam/service.yaml", serviceDocument);
  disk.put(
    "/iam/other.yaml",
    serviceDocument
      .replace("name: orders", "name: stock")
      .replace("orders.example", "stock.example"),
  );
  await source.start(listener);
  expect(listener.bundles[0]).toMatchObject({ slice: "111122223333.orders" });
  expect(listener.bundles[0]?.directory.services.map(({ name }) => name)).toEqual(["orders"]);
  await source.close();

  const other = setUp({ services: ["111122223333/nothing"] });
  other.disk.put("/iam/service.yaml", serviceDocument);
  await expect(other.source.start(other.listener)).rejects.toMatchObject({
    code: "config-invalid",
    message: expect.stringMatching(/^services: .*`111122223333\/nothing`/),
  });
});

test("FILE-21 a key set that a provider names is read beside its document and watched with it", async () => {
  const { disk, clock, listener, source } = setUp();
  const provider = `apiVersion: mesh-iam.io/v1
kind: OidcProvider
metadata: { name: login, account: "111122223333" }
spec:
  url: https://login.example.com
  tokenKind: rfc9068
  audiences: [mesh]
  jwks: { file: _keys/login.jwks }
`;
  const keySet = (kid: string) =>
    JSON.stringify({
      keys: [
        {
          kty: "OKP",
          crv: "Ed25519",
          kid,
          use: "sig",
          alg: "EdDSA",
          x: Buffer.from(root.publicKey).toString("base64url"),
        },
      ],
    });
  const kidInForce = () => {
    const keys = listener.bundles.at(-1)?.directory.oidcProviders[0]?.keys;
    return keys?.type === "keys" ? JSON.parse(keys.json).keys[0].kid : null;
  };
  disk.put("/iam/idp/provider.yaml", provider);
  disk.put("/iam/idp/_keys/login.jwks", keySet("k1"));
  await source.start(listener);
  expect(kidInForce()).toBe("k1");
  disk.put("/iam/idp/_keys/login.jwks", keySet("k2"));
  await clock.advance(1_100);
  expect(kidInForce()).toBe("k2");
  await source.close();
});

test("BND-025 neither private key nor policy text is in what is told", async () => {
  const { disk, clock, listener, source } = setUp();
  disk.put("/iam/a.yaml", userDocument("bob"));
  await source.start(listener);
  disk.put("/iam/a.yaml", `${userDocument("bob")}\ncanary: 8c1f-secret\n`);
  await clock.advance(1_100);
  expect(listener.refusals.length).toBeGreaterThan(0);
  expect(JSON.stringify(listener.refusals)).not.toContain("8c1f-secret");
  await source.close();
});
