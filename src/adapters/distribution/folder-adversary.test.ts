import { describe, expect, test } from "vitest";
import { hourMs } from "../../../test/fakes/bundle.ts";
import { partner, sampleDirectory, service, user } from "../../../test/fakes/bundle-directory.ts";
import {
  bundleKey,
  dayMs,
  nextBundleKey,
  nowMs,
  otherRoot,
  root,
  sealedKeySet,
  windowOf,
} from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { FakeDisk } from "../../../test/fakes/fake-disk.ts";
import { FolderCarrier } from "../../../test/fakes/folder-carrier.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { renewHead, sealHeadOf } from "../../domain/bundle/build.ts";
import { encodeHead } from "../../domain/bundle/head.ts";
import { defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { sealHead } from "../../domain/bundle/signed.ts";
import { createFolderSource, type FolderSourceOptions } from "./folder-source.ts";
import type { BundleSource } from "./source.ts";

// security-and-reliability 7.3, played by a copied folder that holds signed bytes and no key.

const named = (name: string) => sampleDirectory({ users: [user(name)] });

class World {
  readonly disk = new FakeDisk();
  readonly clock = new ManualClock(nowMs);
  readonly carrier = new FolderCarrier(this.disk, "/bundle", () => this.clock.nowMs());
  listener = new RecordingListener();
  #source: BundleSource | null = null;

  /** Starts a sidecar, or starts it again. */
  async start(changes: Partial<FolderSourceOptions> = {}): Promise<void> {
    await this.#source?.close();
    this.listener = new RecordingListener();
    const options: FolderSourceOptions = {
      folder: "/bundle",
      rootFingerprints: [root.keyId],
      org: "o-acme",
      slice: "all",
      cacheFolder: "/state",
      ...changes,
    };
    this.#source = createFolderSource(options, this.disk, this.clock);
    await this.#source.start(this.listener);
  }

  status() {
    if (this.#source === null) throw new Error("was started");
    return this.#source.status();
  }

  /** Lets the source see what the carrier did. */
  soon = () => this.clock.advance(1_500);

  /** What the sidecar decides with. */
  get inForce(): string {
    return this.listener.users.join();
  }

  /** Nothing before this moment explains what comes after an honest carrier. */
  async healsWith(name: string): Promise<void> {
    this.carrier.publish(named(name));
    await this.soon();
    expect(this.inForce).toBe(name);
    expect(this.status()).toMatchObject({ fresh: true });
  }
}

/** A sidecar with content `v5` at revision 5, in front of an honest folder. */
async function running(changes: Partial<FolderSourceOptions> = {}): Promise<World> {
  const world = new World();
  world.carrier.publish(named("v5"), { revision: 5 });
  await world.start(changes);
  expect(world.inForce).toBe("v5");
  return world;
}

test("BND-001 BND-033 BND-042 rollback: v5 stays, after a restart and after a rotation of the key too", async () => {
  const world = new World();
  world.carrier.publish(named("v4"), { revision: 4 });
  world.carrier.publish(named("v5"), { revision: 5 });
  await world.start();
  const rolledBack = async () => {
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.listener.lastRefusal).toMatchObject({ result: "rollback" });
  };

  world.carrier.replay(0);
  await rolledBack();
  expect(world.status().pulls.rollback).toBeGreaterThan(0);
  await world.start();
  expect(world.listener.bundles[0]).toMatchObject({ source: "cache", revision: 5 });
  await rolledBack();

  world.disk.put(
    "/bundle/keysets/2",
    sealedKeySet({ number: 2, bundleKeys: [windowOf(bundleKey), windowOf(nextBundleKey)] }),
  );
  const v4 = { ...world.carrier.head(), revision: 4, coveredRevision: 4 };
  for (const signers of [[bundleKey], [nextBundleKey], [bundleKey, nextBundleKey]]) {
    world.disk.put("/bundle/head", sealHead(encodeHead(v4), signers));
    await rolledBack();
  }
  expect(world.status().keySet).toMatchObject({ number: 2 });
  await world.healsWith("v6");
});

test("BND-002 BND-030 a carrier that withholds every newer head: fresh until expiry, then stale and serving", async () => {
  const world = await running({ watch: { pollMs: 60_000 } });
  await world.clock.advance(hourMs - 10_000);
  expect(world.status()).toMatchObject({ fresh: true });
  await world.clock.advance(20_000);
  expect(world.status()).toMatchObject({ fresh: false });
  await world.clock.advance(72 * hourMs);
  expect(world.inForce).toBe("v5");
  expect(world.status().ageMs).toBeGreaterThan(72 * hourMs);
  expect(world.listener.calls).toEqual(["activated"]);
  await world.healsWith("v6");
});

test("BND-002 static stability: three days later a restart serves from the cache alone", async () => {
  const world = await running({ watch: { pollMs: 60_000 } });
  await world.clock.advance(72 * hourMs);
  world.disk.delete("/bundle/head");
  await world.start();
  expect(world.inForce).toBe("v5");
  expect(world.status()).toMatchObject({ fresh: false, activeSource: "cache" });
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-unreadable" });
});

describe("BND-031 BND-046 one part is withheld", () => {
  const objects = (directory: ReturnType<typeof named>) => {
    const world = new World();
    return [...world.carrier.publish(directory, { revision: 6 }).objects.keys()];
  };
  const before = new Set(objects(named("v5")));
  const changed = sampleDirectory({
    users: [user("v6")],
    services: [service("orders", { mode: "shadow" })],
    serviceControlPolicies: [],
    trustDomains: [],
  });
  const lacking = objects(changed).filter((digest) => !before.has(digest));

  test("every kind of part changes in this test but revocations", () => {
    // Manifest, organization, providers, service, index, bucket.
    expect(lacking.length).toBeGreaterThanOrEqual(6);
  });

  test.each(lacking)("%s: not activated, behind at once, asked for again", async (digest) => {
    const world = await running();
    const bundle = world.carrier.publish(changed, { revision: 6 });
    world.disk.delete(`/bundle/objects/${digest}`);
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-unreadable" });
    expect(world.status().active).toMatchObject({ coveredRevision: 5 });
    world.disk.put(`/bundle/objects/${digest}`, bundle.objects.get(digest) ?? "");
    await world.clock.advance(6_000);
    expect(world.inForce).toBe("v6");
  });
});

test("BND-032 heads 7, 5, 7, 6: ends at 7, nothing twice or backwards", async () => {
  const world = await running();
  const six = world.carrier.publish(named("v6"), { revision: 6 });
  const seven = world.carrier.publish(named("v7"), { revision: 7 });
  await world.soon();
  for (const bundle of [world.carrier.history[0], seven, six]) {
    if (bundle !== undefined) world.carrier.put(bundle);
    await world.soon();
  }
  expect(world.inForce).toBe("v7");
  expect(world.listener.bundles.map(({ revision }) => revision)).toEqual([5, 7]);
});

test("a head of the same position that was issued earlier does not win over the later one", async () => {
  const world = await running();
  const early = renewHead(world.carrier.head(), nowMs - 60_000, 2 * hourMs);
  world.carrier.publish(named("other"), { revision: 5, issuedAtMs: early.issuedAtMs });
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-rollback" });
});

test.each([
  { why: "BND-034.1 of another slice", changes: { slice: "111122223333.orders" } },
  { why: "BND-006 of another organization", changes: { org: "o-other" } },
])("a head $why is refused", async ({ changes }) => {
  const world = await running();
  const head = { ...world.carrier.head(), revision: 6, coveredRevision: 6, ...changes };
  world.disk.put("/bundle/head", sealHeadOf(head, bundleKey));
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-mismatch" });
  await world.healsWith("v6");
});

test("BND-034.2 BND-034.3 BND-038.1 an object under another object's name is refused by the digest", async () => {
  const bundle = new World().carrier.publish(named("v6"), { revision: 6 });
  const digests = [...bundle.objects.keys()];
  for (const [i, digest] of digests.entries()) {
    const world = new World();
    world.carrier.publish(named("v6"), { revision: 6 });
    const other = digests[(i + 1) % digests.length] ?? "";
    world.disk.put(`/bundle/objects/${digest}`, bundle.objects.get(other) ?? "");
    await world.start();
    expect(world.inForce).toBe("");
    expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-digest", result: "digest" });
  }
});

test.each([
  { why: "BND-035.3 a folder", prefix: "/bundle" },
  { why: "BND-035.5 a ConfigMap", prefix: "/bundle/..2026" },
])("a first boot from the past: $why is not activated, unless acceptStale", async ({ prefix }) => {
  const world = new World();
  const carrier = new FolderCarrier(world.disk, prefix, () => nowMs - dayMs);
  carrier.publish(named("old"));
  if (prefix !== "/bundle") {
    world.disk.link("/bundle/..data", "..2026");
    for (const name of ["head", "objects", "keysets"]) {
      world.disk.link(`/bundle/${name}`, `..data/${name}`);
    }
  }
  await world.start();
  expect(world.status()).toMatchObject({ active: null });
  expect(world.listener.lastRefusal).toMatchObject({
    code: "bundle-expired",
    detail: expect.stringContaining("86400 s ago"),
  });
  await world.start({ acceptStale: true });
  expect(world.inForce).toBe("old");
  expect(world.status()).toMatchObject({ fresh: false, acceptedStale: true });
});

test("BND-035 the alarm of acceptStale ends with a fresh head", async () => {
  const world = new World();
  world.carrier.publish(named("old"), { issuedAtMs: nowMs - dayMs });
  await world.start({ acceptStale: true });
  expect(world.status()).toMatchObject({ acceptedStale: true });
  world.carrier.renew();
  await world.soon();
  expect(world.status()).toMatchObject({ acceptedStale: false, fresh: true });
});

test("BND-036.1 BND-036.2 key sets that are withheld or leave a gap change nothing in force", async () => {
  const world = await running();
  world.disk.put("/bundle/keysets/2", sealedKeySet({ number: 2 }));
  await world.soon();
  expect(world.status().keySet).toMatchObject({ number: 2 });
  world.disk.delete("/bundle/keysets/2");
  await world.soon();
  await world.start();
  expect(world.status().keySet).toMatchObject({ number: 2 });
  world.disk.put("/bundle/keysets/4", sealedKeySet({ number: 4 }));
  world.carrier.publish(named("v6"), { revision: 6 });
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal?.detail).toContain("key set 3 is missing");
  world.disk.put("/bundle/keysets/3", sealedKeySet({ number: 3 }));
  await world.soon();
  expect(world.inForce).toBe("v6");
});

test("BND-036.1 without its cached key sets a sidecar still remembers their number", async () => {
  const world = await running();
  world.disk.put("/bundle/keysets/2", sealedKeySet({ number: 2 }));
  world.carrier.publish(named("v6"), { revision: 6 });
  await world.soon();
  world.disk.delete("/bundle/keysets/2");
  world.disk.delete("/state/keysets/2");
  world.carrier.publish(named("v7"), { revision: 7 });
  await world.start();
  expect(world.inForce).toBe("v6");
  expect(world.status()).toMatchObject({ fresh: false });
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-rollback" });
});

test("BND-005 BND-036.3 under an expired key set the active bundle decides, and no other is activated", async () => {
  const world = new World();
  const keySets = new Map([[1, sealedKeySet({ expiresAtMs: nowMs + 2 * hourMs })]]);
  world.carrier.put({ ...world.carrier.publish(named("v5"), { revision: 5 }), keySets });
  await world.start();
  await world.clock.advance(3 * hourMs);
  const next = world.carrier.publish(named("v6"), { revision: 6 });
  world.carrier.put({ ...next, keySets });
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-expired" });
  expect(world.status().keySet?.expiresAtMs).toBeLessThan(world.clock.nowMs());
  await world.start();
  expect(world.inForce).toBe("v5");
  world.disk.put("/bundle/keysets/2", sealedKeySet({ number: 2 }));
  await world.soon();
  expect(world.inForce).toBe("v6");
});

test("BND-036.4 a key set signed by a root that n did not name is refused", async () => {
  const world = await running();
  world.disk.put("/bundle/keysets/2", sealedKeySet({ number: 2 }, [otherRoot]));
  world.carrier.publish(named("v6"), { revision: 6 });
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-signature" });
});

test("BND-003 neither a bad head nor a bad key set with a huge number moves the floor", async () => {
  const world = await running();
  const floor = () => Buffer.from(world.disk.peek("/state/floor")).toString();
  const before = floor();
  const huge = { ...world.carrier.head(), revision: 2 ** 53 - 1, coveredRevision: 2 ** 53 - 1 };
  for (const head of [
    sealHead(encodeHead(huge), [otherRoot]),
    sealHead(encodeHead({ ...huge, manifestDigest: "00".repeat(32) }), [bundleKey]),
    sealHead(encodeHead({ ...huge, epoch: 2 }), [bundleKey]),
  ]) {
    world.disk.put("/bundle/head", head);
    await world.soon();
    expect(world.inForce).toBe("v5");
  }
  world.disk.put("/bundle/keysets/2", sealedKeySet({ number: 2, minEpoch: 9 }, [bundleKey]));
  await world.soon();
  expect(floor()).toBe(before);
  world.disk.delete("/bundle/keysets/2");
  world.carrier.publish(named("v6"), { revision: 6 });
  await world.soon();
  expect(world.inForce).toBe("v6");
  expect(floor()).not.toBe(before);
});

test("BND-037.1 an expired head newer than the floor is activated and does not make fresh", async () => {
  const world = await running();
  await world.clock.advance(2 * hourMs);
  world.carrier.publish(named("v6"), { revision: 6, issuedAtMs: nowMs + 1_000 });
  await world.soon();
  expect(world.inForce).toBe("v6");
  expect(world.status()).toMatchObject({ fresh: false });
  expect(world.status().ageMs).toBeGreaterThan(hourMs);
});

test("BND-037.2 a head issued ahead of the clock is accepted, and no age is below zero", async () => {
  const world = await running();
  world.carrier.publish(named("v6"), { revision: 6, issuedAtMs: nowMs + 240_000 });
  await world.soon();
  expect(world.inForce).toBe("v6");
  expect(world.status().ageMs).toBeGreaterThanOrEqual(0);
  // From here on "now" is never earlier than what was accepted.
  world.carrier.publish(named("v7"), { revision: 7, issuedAtMs: nowMs + 200_000 });
  await world.soon();
  expect(world.status().ageMs).toBeGreaterThanOrEqual(40_000);
});

test("BND-039.1 a file longer than its declared length is not read", async () => {
  const world = await running();
  const bundle = world.carrier.publish(named("v6"), { revision: 6 });
  for (const [digest, frame] of bundle.objects) {
    world.disk.put(`/bundle/objects/${digest}`, Buffer.concat([frame, Buffer.alloc(9 << 20)]));
  }
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-unreadable" });
  world.carrier.put(bundle);
  await world.clock.advance(6_000);
  expect(world.inForce).toBe("v6");
});

test("BND-039.3 a slice above its limit is refused", async () => {
  const world = await running({ limits: { ...defaultBundleLimits, maxSliceBytes: 8_000 } });
  const many = Array.from({ length: 200 }, (_, i) => user(`user${i}`));
  world.carrier.publish(sampleDirectory({ users: many }), { revision: 6 });
  await world.soon();
  expect(world.inForce).toBe("v5");
  expect(world.listener.lastRefusal).toMatchObject({ code: "bundle-too-large" });
});

test.each([
  { why: "absent", change: (disk: FakeDisk) => disk.delete("/bundle/head") },
  {
    why: "a folder",
    change: (disk: FakeDisk) => {
      disk.delete("/bundle/head");
      disk.put("/bundle/head/x", "");
    },
  },
  { why: "empty", change: (disk: FakeDisk) => disk.put("/bundle/head", "") },
  {
    why: "above its limit",
    change: (disk: FakeDisk) => disk.put("/bundle/head", Buffer.alloc(8193)),
  },
  {
    why: "a link out of the folder",
    change: (disk: FakeDisk) => {
      disk.put("/elsewhere/head", disk.peek("/bundle/head"));
      disk.link("/bundle/head", "../elsewhere/head");
    },
  },
  { why: "a dangling link", change: (disk: FakeDisk) => disk.link("/bundle/head", "nowhere") },
])(
  "BND-009 a head that is $why is refused, and the last good bundle serves",
  async ({ change }) => {
    const world = await running();
    change(world.disk);
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.listener.refusals.length).toBeGreaterThan(0);
    world.disk.delete("/bundle/head");
    await world.healsWith("v6");
  },
);

test("BND-009 links of objects and key sets are followed inside the folder only", async () => {
  const world = new World();
  const { objects } = world.carrier.publish(named("v5"), { revision: 5 });
  const [digest = ""] = objects.keys();
  world.disk.put("/elsewhere/object", objects.get(digest) ?? "");
  world.disk.link(`/bundle/objects/${digest}`, "../../elsewhere/object");
  await world.start();
  expect(world.inForce).toBe("");
  world.disk.put("/bundle/inside", objects.get(digest) ?? "");
  world.disk.link(`/bundle/objects/${digest}`, "../inside");
  await world.clock.advance(6_000);
  expect(world.inForce).toBe("v5");
});

test("BND-043 a stolen key fast-forwards to the end; the next key set brings everybody back", async () => {
  const world = await running();
  const end = Number.MAX_SAFE_INTEGER;
  world.carrier.publish(named("thief"), { revision: end, coveredRevision: end });
  await world.soon();
  expect(world.inForce).toBe("thief");

  const keySets = new Map([
    [1, sealedKeySet()],
    [2, sealedKeySet({ number: 2, minEpoch: 2, bundleKeys: [windowOf(nextBundleKey)] })],
  ]);
  const real = world.carrier.publish(named("v7"), {
    epoch: 2,
    revision: 7,
    coveredRevision: 7,
    signer: nextBundleKey,
  });
  world.carrier.put({ ...real, keySets });
  await world.soon();
  expect(world.inForce).toBe("v7");
  world.carrier.replay(1);
  await world.soon();
  expect(world.inForce).toBe("v7");
  await world.start();
  expect(world.inForce).toBe("v7");
});

test("BND-045.1 one head repeated for ever is stale at its expiry, however often it is read", async () => {
  const world = await running();
  for (let i = 0; i < 10; i++) {
    world.carrier.replay(0);
    await world.clock.advance(hourMs / 8);
  }
  expect(world.status()).toMatchObject({ fresh: false });
  expect(world.listener.calls).toEqual(["activated"]);
});

test("an account that leaves the slice takes its principals along", async () => {
  const world = new World();
  world.carrier.publish(sampleDirectory({ users: [user("a"), user("b", { account: partner })] }));
  await world.start();
  expect(world.inForce.split(",").sort()).toEqual(["a", "b"]);
  world.carrier.publish(named("a"));
  await world.soon();
  expect(world.inForce).toBe("a");
});
