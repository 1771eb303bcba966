import { zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { hourMs } from "../../../test/fakes/bundle.ts";
import { sampleDirectory, service, user } from "../../../test/fakes/bundle-directory.ts";
import {
  bundleKey,
  dayMs,
  nextBundleKey,
  nowMs,
  otherRoot,
  sealedKeySet,
  windowOf,
} from "../../../test/fakes/bundle-keys.ts";
import {
  type NetworkCarrier,
  NetworkWorld,
  type NetworkWorldOptions,
  named,
  networkCarriers,
} from "../../../test/fakes/network-world.ts";
import { seededChoice } from "../../../test/fakes/seeded-choice.ts";
import { org } from "../../../test/fakes/served-organization.ts";
import { sealHeadOf } from "../../domain/bundle/build.ts";
import { encodeHead } from "../../domain/bundle/head.ts";
import { defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { sealHead } from "../../domain/bundle/signed.ts";

// security-and-reliability 7.3, played by a network that holds signed bytes and no key, on both of the
// carriers that it lies under. Proxies, caches and bad servers are all of them this.

const worlds: NetworkWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

function worldOf(how: NetworkCarrier): NetworkWorld {
  const world = new NetworkWorld(how);
  worlds.push(world);
  return world;
}

/** A sidecar with content `v5` at revision 5, in front of an honest network. */
async function running(how: NetworkCarrier, options: NetworkWorldOptions = {}) {
  const world = worldOf(how);
  world.publish("v5", { revision: 5 });
  await world.start(options);
  expect(world.inForce).toBe("v5");
  return world;
}

/** Nothing before this moment explains what comes after an honest network. */
async function heals(world: NetworkWorld, name = "v9"): Promise<void> {
  world.attack();
  world.publish(name, { revision: 9 });
  await world.soon();
  expect(world.inForce).toBe(name);
  expect(world.status()).toMatchObject({ fresh: true });
}

describe.each(networkCarriers)("over %s", (how) => {
  test("BND-001 BND-033 an older head that has not expired is ignored and counted, after a restart too", async () => {
    const world = worldOf(how);
    const { sealedHead } = world.publish("v4", { revision: 4 });
    world.publish("v5", { revision: 5 });
    await world.start();
    world.attack({ head: () => sealedHead });
    await world.renewed();
    expect(world.inForce).toBe("v5");
    expect(world.status().pulls.rollback).toBeGreaterThan(0);
    await world.start();
    await world.renewed();
    expect(world.listener.bundles.map(({ revision }) => revision)).toEqual([5]);
    expect(world.refusal).toMatchObject({ code: "bundle-rollback" });
    await heals(world);
  });

  test("BND-042 the same, signed by the old key or by both after a rotation", async () => {
    const world = await running(how);
    const bundleKeys = [windowOf(bundleKey), windowOf(nextBundleKey)];
    world.served.server.publishKeySet(org, 2, sealedKeySet({ number: 2, bundleKeys }));
    const v4 = { ...world.served.last.head, revision: 4, coveredRevision: 4 };
    for (const signers of [[bundleKey], [nextBundleKey], [bundleKey, nextBundleKey]]) {
      world.attack({ head: () => sealHead(encodeHead(v4), signers) });
      await world.renewed();
      expect(world.inForce).toBe("v5");
      expect(world.refusal).toMatchObject({ code: "bundle-rollback" });
    }
    expect(world.status().keySet).toMatchObject({ number: 2 });
    await heals(world);
  });

  test("BND-002 BND-030 BND-045.1 every newer head is withheld: fresh until expiry, then stale and serving", async () => {
    const world = await running(how);
    const { sealedHead } = world.served.last;
    world.attack({ head: () => sealedHead });
    world.publish("v6", { revision: 6 });
    await world.clock.advance(hourMs - 60_000);
    expect(world.status()).toMatchObject({ fresh: true });
    await world.clock.advance(120_000);
    expect(world.status()).toMatchObject({ fresh: false });
    expect(world.status().ageMs).toBeGreaterThan(hourMs);
    expect(world.inForce).toBe("v5");
    expect(world.listener.bundles).toHaveLength(1);
    await heals(world);
  });

  describe("BND-031 BND-046 one object is withheld", () => {
    const changed = sampleDirectory({
      users: [user("v6")],
      services: [service("orders", { mode: "shadow" })],
      serviceControlPolicies: [],
      trustDomains: [],
    });
    // Manifest, organization, providers, service, index, bucket: the same bytes in every world.
    const objectsOf = (directory: typeof changed) => {
      const world = new NetworkWorld(how);
      const objects = [...world.served.publish(directory, { revision: 6 }).objects.keys()];
      world.served.server.close();
      return objects;
    };
    const before = new Set(objectsOf(named("v5")));
    const lacking = objectsOf(changed).filter((digest) => !before.has(digest));

    test("every kind of part changes in this test but revocations", () => {
      expect(lacking.length).toBeGreaterThanOrEqual(6);
    });

    test.each(lacking)("%s: not activated, behind at once, asked for again", async (digest) => {
      const world = await running(how);
      world.attack({ object: (frame, asked) => (asked === digest ? null : frame) });
      world.served.publish(changed, { revision: 6 });
      await world.soon();
      expect(world.inForce).toBe("v5");
      expect(world.refusal).toMatchObject({ code: "bundle-unreadable" });
      expect(world.status().active).toMatchObject({ coveredRevision: 5 });
      world.attack();
      await world.soon();
      expect(world.inForce).toBe("v6");
    });
  });

  test("BND-032 heads 7, 5, 7, 6: ends at 7, nothing twice or backwards", async () => {
    const world = await running(how);
    const five = world.served.last.sealedHead;
    const six = world.publish("v6", { revision: 6 }).sealedHead;
    const seven = world.publish("v7", { revision: 7 }).sealedHead;
    for (const head of [seven, five, seven, six]) {
      world.attack({ head: () => head });
      await world.renewed();
    }
    expect(world.inForce).toBe("v7");
    const revisions = world.listener.bundles.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted());
  });

  test.each([
    { why: "BND-034.1 of another slice", changes: { slice: "111122223333.orders" } },
    { why: "BND-006 of another organization", changes: { org: "o-other" } },
  ])("a signed head $why is refused", async ({ changes }) => {
    const world = await running(how, { slice: "all" });
    const head = { ...world.served.last.head, revision: 6, coveredRevision: 6, ...changes };
    world.attack({ head: () => sealHeadOf(head, bundleKey) });
    await world.renewed();
    expect(world.inForce).toBe("v5");
    expect(world.refusal).toMatchObject({ code: "bundle-mismatch" });
    await heals(world);
  });

  test("BND-034.2 BND-034.3 BND-038 an object under another's digest is refused before it is decoded", async () => {
    const digests = [...(await running(how)).served.last.objects.keys()];
    for (const [i, digest] of digests.entries()) {
      const world = worldOf(how);
      const { objects } = world.publish("v5", { revision: 5 });
      const other = objects.get(digests[(i + 1) % digests.length] ?? "") ?? null;
      world.attack({ object: (frame, asked) => (asked === digest ? other : frame) });
      await world.start();
      expect(world.inForce).toBe("");
      expect(world.refusal).toMatchObject({ code: "bundle-digest", result: "digest" });
    }
  });

  test("BND-035 a first boot from the past is not activated, unless acceptStale says so", async () => {
    const world = worldOf(how);
    world.publish("old", { issuedAtMs: nowMs - dayMs });
    await world.start();
    expect(world.status()).toMatchObject({ active: null });
    expect(world.refusal).toMatchObject({
      code: "bundle-expired",
      detail: expect.stringMatching(/issued 864\d\d s ago/),
    });
    await world.start({ acceptStale: true });
    expect(world.inForce).toBe("old");
    expect(world.status()).toMatchObject({ fresh: false, acceptedStale: true });
    await heals(world);
    expect(world.status()).toMatchObject({ acceptedStale: false });
  });

  test("BND-036.1 BND-036.2 key sets withheld, or the last one for the next", async () => {
    const world = await running(how);
    const bundleKeys = [windowOf(nextBundleKey)];
    world.served.server.publishKeySet(org, 2, sealedKeySet({ number: 2, bundleKeys }));
    for (const keySet of [() => null, () => sealedKeySet()]) {
      world.attack({ keySet });
      world.publish("v6", { revision: 6, signer: nextBundleKey });
      await world.soon();
      expect(world.inForce).toBe("v5");
      expect(world.refusal).toMatchObject({ code: "bundle-signature" });
      expect(world.status().keySet).toMatchObject({ number: 1 });
    }
    world.attack();
    await world.soon();
    expect(world.inForce).toBe("v6");
  });

  test("BND-036.3 under an expired key set the active bundle decides, and no other is activated", async () => {
    const world = worldOf(how);
    const expiring = sealedKeySet({ expiresAtMs: nowMs + 2 * hourMs });
    world.served.server.publishKeySet(org, 1, expiring);
    world.publish("v5", { revision: 5 });
    await world.start();
    await world.clock.advance(3 * hourMs);
    world.publish("v6", { revision: 6 });
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.refusal).toMatchObject({ code: "bundle-expired" });
    world.served.server.publishKeySet(org, 2, sealedKeySet({ number: 2 }));
    await world.renewed();
    expect(world.inForce).toBe("v6");
  });

  test("BND-036.4 a key set signed by a root that the last one did not name is refused", async () => {
    const world = await running(how);
    world.attack({
      keySet: (_, number) =>
        sealedKeySet({ number, bundleKeys: [windowOf(nextBundleKey)] }, [otherRoot]),
    });
    world.publish("v6", { revision: 6, signer: nextBundleKey });
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.status().keySet).toMatchObject({ number: 1 });
    expect(world.refusal).toMatchObject({ code: "bundle-signature" });
  });

  test("a carrier that has a key set for every number ends at the bound of one attempt", async () => {
    const world = worldOf(how);
    let asked = 0;
    world.attack({
      keySet: (_, number) => {
        asked++;
        return sealedKeySet({ number });
      },
    });
    world.publish("v5", { revision: 5 });
    await world.start({ limits: { ...defaultBundleLimits, maxKeySets: 20 } });
    expect(world.inForce).toBe("v5");
    expect(asked).toBe(20);
  });

  test("BND-037.1 an expired head that is newer is activated and does not make fresh", async () => {
    const world = await running(how);
    world.attack({ head: () => null });
    await world.clock.advance(2 * hourMs);
    world.attack();
    world.publish("v6", { revision: 6, issuedAtMs: nowMs + 1_000 });
    await world.soon();
    expect(world.inForce).toBe("v6");
    expect(world.status()).toMatchObject({ fresh: false });
    expect(world.status().ageMs).toBeGreaterThan(hourMs);
  });

  test("BND-039.1 an object longer than declared is cut", async () => {
    const world = await running(how);
    world.attack({ object: (frame) => Buffer.concat([frame, Buffer.alloc(9 << 20)]) });
    world.publish("v6", { revision: 6 });
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.refusal?.code).toMatch(/^bundle-(unreadable|digest)$/);
    await heals(world);
  });

  test("BND-008 BND-039.4 a decompression bomb stops at the declared length", async () => {
    const world = await running(how);
    const bomb = zstdCompressSync(Buffer.alloc(64 << 20));
    expect(bomb.length).toBeLessThan(10_000);
    world.attack({ object: () => bomb });
    world.publish("v6", { revision: 6 });
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.refusal).toMatchObject({ code: "bundle-digest" });
    await heals(world);
  });

  test("BND-039.3 a slice above its limit is refused before its parts are fetched", async () => {
    const limits = { ...defaultBundleLimits, maxSliceBytes: 8_000 };
    const world = await running(how, { limits });
    const users = Array.from({ length: 200 }, (_, i) => user(`user${i}`));
    world.served.publish(sampleDirectory({ users }), { revision: 6 });
    await world.soon();
    expect(world.inForce).toBe("v5");
    expect(world.refusal).toMatchObject({ code: "bundle-too-large" });
  });

  test("BND-043 a stolen key fast-forwards to the end; the next key set brings everybody back", async () => {
    const world = await running(how);
    const end = Number.MAX_SAFE_INTEGER;
    world.publish("thief", { revision: end, coveredRevision: end });
    await world.soon();
    expect(world.inForce).toBe("thief");
    const stolen = world.served.last.sealedHead;
    const next = { number: 2, minEpoch: 2, bundleKeys: [windowOf(nextBundleKey)] };
    world.served.server.publishKeySet(org, 2, sealedKeySet(next));
    world.publish("v7", { epoch: 2, revision: 7, coveredRevision: 7, signer: nextBundleKey });
    await world.soon();
    expect(world.inForce).toBe("v7");
    world.attack({ head: () => stolen });
    await world.renewed();
    await world.start();
    expect(world.inForce).toBe("v7");
  });

  test("a new epoch under the same key is found by the key set that the refusal asks for", async () => {
    const world = await running(how);
    world.served.server.publishKeySet(org, 2, sealedKeySet({ number: 2, minEpoch: 2 }));
    world.publish("v1", { epoch: 2, revision: 1, coveredRevision: 1 });
    await world.soon();
    expect(world.inForce).toBe("v1");
  });

  test("BND-004 BND-038 one flipped bit anywhere on the way: refused, or the very content", async () => {
    const choose = seededChoice(how === "http" ? 1 : 2);
    let flipped = 0;
    for (let round = 0; round < 150; round++) {
      const world = worldOf(how);
      world.publish("v5", { revision: 5 });
      // Which answer of a first boot is hit: the head, a key set, one of the objects.
      let left = choose(16);
      const flip = (bytes: Uint8Array): Uint8Array => {
        if (left-- !== 0) return bytes;
        flipped++;
        const copy = Buffer.from(bytes);
        const at = choose(copy.length);
        copy[at] = (copy[at] ?? 0) ^ (1 << choose(8));
        return copy;
      };
      world.attack({
        head: flip,
        object: flip,
        keySet: (bytes) => (bytes === null ? null : flip(bytes)),
      });
      await world.start();
      // A bit of a frame may mean nothing; what came out of it is then what was signed.
      expect(["", "v5"]).toContain(world.inForce);
      const active = world.status().active?.manifestDigest ?? null;
      if (active !== null) expect(active).toBe(world.served.last.head.manifestDigest);
      await world.close();
    }
    expect(flipped).toBeGreaterThan(100);
  });
});
