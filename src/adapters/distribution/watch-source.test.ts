import { describe, expect, test } from "vitest";
import {
  describeBundleSource,
  type SourceUnderTest,
} from "../../../test/conformance/bundle-source.ts";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import {
  bundleKey,
  dayMs,
  nextBundleKey,
  nowMs,
  root,
  sealedKeySet,
  windowOf,
} from "../../../test/fakes/bundle-keys.ts";
import { RecordingListener } from "../../../test/fakes/bundle-listener.ts";
import { FakeDisk } from "../../../test/fakes/fake-disk.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import {
  InProcessDialer,
  org,
  ServedOrganization,
  stolenHead,
} from "../../../test/fakes/served-organization.ts";
import type { BundleServerParts } from "./bundle-server.ts";
import { failed } from "./carrier.ts";
import type { WatchNews } from "./watch-carrier.ts";
import { createWatchSource, type WatchSourceOptions } from "./watch-source.ts";

const options: WatchSourceOptions = {
  address: "https://iam.example.com",
  org,
  slice: null,
  instance: "pod-1",
  rootFingerprints: [root.keyId],
  cacheFolder: "/state",
};

const named = (name: string) => sampleDirectory({ users: [user(name)] });

/** The event of a head that a carrier made up, or kept. */
const eventOf = (head: Uint8Array | undefined): WatchNews => {
  if (head === undefined) throw new Error("was published");
  const news = { head, objects: new Map(), promptStatus: false, keySetHint: 1 };
  return { type: "head", news };
};

interface World {
  readonly clock: ManualClock;
  readonly served: ServedOrganization;
  readonly dialer: InProcessDialer;
  readonly disk: FakeDisk;
}

function world(parts: Partial<BundleServerParts> = {}): World {
  const clock = new ManualClock(nowMs);
  const served = new ServedOrganization(clock, parts);
  return { clock, served, dialer: new InProcessDialer(served), disk: new FakeDisk() };
}

function sourceIn({ dialer, disk, clock }: World, changes: Partial<WatchSourceOptions> = {}) {
  return createWatchSource({ ...options, ...changes }, dialer, disk, clock, () => 0.5);
}

async function create(): Promise<SourceUnderTest> {
  // Renewed by hand, so that a test says when.
  const it = world({ limits: { renewMs: dayMs, minAgeMs: 30 * dayMs, maxAgeMs: 30 * dayMs } });
  const { served, dialer, clock } = it;
  const source = sourceIn(it, { lateMs: 30 * dayMs });
  return {
    source: {
      start: (listener) => source.start(listener),
      status: () => source.status(),
      // The server is a process of its own, with timers of its own.
      close: () => source.close().then(() => served.server.close()),
    },
    clock,
    name: "controlPlane",
    publish: async (name) => {
      served.publish(named(name));
    },
    renew: async () => {
      await clock.advance(30_000);
      served.renew();
    },
    spoil: async () => {
      dialer.inject(eventOf(stolenHead(served.last.head)));
      return "bundle-signature";
    },
    rollBack: async () => dialer.inject(eventOf(served.history[0]?.sealedHead)),
    watches: () => dialer.open,
  };
}

describeBundleSource("a control plane that is watched", create);

describe("what is asked and sent", () => {
  test("a first start gets everything with the head, and fetches nothing but key sets", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    expect(it.dialer.questions).toEqual([{ org, instance: "pod-1", have: null, keySet: 0 }]);
    expect(new Set(it.dialer.carrier.asked.map(({ type }) => type))).toEqual(new Set(["key-set"]));
    await source.close();
  });

  test("BUN-7 spire#2675 what does not fit into an event is fetched over the same connection", async () => {
    const it = world({ limits: { maxEventBytes: 1_024 } });
    it.served.publish(named("first"));
    const source = sourceIn(it);
    const listener = new RecordingListener();
    await source.start(listener);
    expect(listener.users).toEqual(["first"]);
    const fetched = it.dialer.carrier.asked.filter(({ type }) => type === "object");
    expect(fetched).toHaveLength(it.served.last.objects.size);
    await source.close();
  });

  test("a reconnect says what it has, and a head over the same content brings no objects", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    const listener = new RecordingListener();
    await source.start(listener);
    it.served.restart();
    await it.clock.advance(1_000);
    const { manifestDigest, epoch, revision } = it.served.last.head;
    expect(it.dialer.questions[1]).toMatchObject({
      have: { manifestDigest, epoch, revision },
      keySet: 1,
    });
    expect(listener.calls).toEqual(["activated", "refused"]);
    expect(source.status()).toMatchObject({ connected: true, fresh: true });
    await source.close();
  });

  test("the slice may be one that is expected: another one is refused (BUN-32)", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it, { slice: "111122223333.orders" });
    const listener = new RecordingListener();
    await source.start(listener);
    expect(listener.lastRefusal).toMatchObject({ code: "bundle-mismatch" });
    await source.close();
  });

  test("BUN-30 a hint fetches the next key set, whatever signed the head", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    const keySet = { number: 2, bundleKeys: [windowOf(bundleKey), windowOf(nextBundleKey)] };
    it.served.server.publishKeySet(org, 2, sealedKeySet(keySet));
    it.served.renew();
    await it.clock.advance(10);
    expect(source.status().keySet?.number).toBe(2);
    await source.close();
  });
});

describe("a control plane that is away", () => {
  test("BUN-12 from the start: the cache serves, and the source connects when it comes", async () => {
    const it = world();
    it.served.publish(named("first"));
    const first = sourceIn(it);
    await first.start(new RecordingListener());
    await first.close();
    it.dialer.refuse = failed("network", "failed: `ECONNREFUSED`");
    const listener = new RecordingListener();
    const source = sourceIn(it);
    await source.start(listener);
    expect(listener.users).toEqual(["first"]);
    expect(source.status()).toMatchObject({ activeSource: "cache", connected: false });
    await it.clock.advance(300_000);
    it.served.publish(named("second"));
    it.dialer.refuse = null;
    await it.clock.advance(30_000);
    expect(listener.users).toEqual(["second"]);
    expect(source.status()).toMatchObject({ activeSource: "controlPlane", connected: true });
    await source.close();
  });

  test("connect-es#463 a stream that brings nothing is given up after ten seconds", async () => {
    const it = world({ wanted: () => new Promise(() => {}) });
    const source = sourceIn(it);
    const listener = new RecordingListener();
    const starting = source.start(listener);
    await it.clock.advance(10_000);
    await starting;
    expect(listener.lastRefusal).toMatchObject({ detail: "stream: no newer head came in time" });
    expect(it.dialer.open).toBe(0);
    it.served.publish(named("first"));
    await it.clock.advance(1_000);
    expect(listener.users).toEqual(["first"]);
    await source.close();
  });

  test("BUN-14 connect-es#673 three missed renewals end the stream, and another one is opened", async () => {
    const it = world({ limits: { renewMs: dayMs } });
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    await it.clock.advance(89_000);
    expect(it.dialer.questions).toHaveLength(1);
    await it.clock.advance(2_000);
    expect(it.dialer.questions).toHaveLength(2);
    await source.close();
  });

  test("BND-045.1 a head that is repeated for ever is no renewal", async () => {
    const it = world({ limits: { renewMs: dayMs } });
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    for (let i = 0; i < 9; i++) {
      await it.clock.advance(10_000);
      it.dialer.inject(eventOf(it.served.last.sealedHead));
    }
    await it.clock.advance(2_000);
    expect(it.dialer.questions).toHaveLength(2);
    await source.close();
  });

  test("BUN-14 a stream that is renewed lives on", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    await it.clock.advance(20 * 60_000);
    expect(it.dialer.questions).toHaveLength(1);
    expect(source.status()).toMatchObject({ fresh: true });
    await source.close();
  });

  test("a server that takes every stream and ends it is not asked in a loop", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    for (let i = 0; i < 600; i++) {
      await it.clock.advance(100);
      it.served.server.drain();
    }
    // Each was sent away for 15 s at most by the drain, and then by the backoff.
    expect(it.dialer.questions.length).toBeLessThan(10);
    await source.close();
  });
});

test("BUN-13 the server sends each stream away at a random age, and it comes again when told", async () => {
  const it = world();
  it.served.publish(named("first"));
  const source = sourceIn(it);
  const listener = new RecordingListener();
  await source.start(listener);
  await it.clock.advance(45 * 60_000 - 1_000);
  expect(it.dialer.questions).toHaveLength(1);
  await it.clock.advance(2_000);
  expect(it.dialer.questions).toHaveLength(2);
  expect(listener.refusals).toEqual([]);
  await source.close();
});

describe("BUN-36 reports", () => {
  test("a position within 15 s of its activation, then every five minutes", async () => {
    const it = world();
    const { head } = it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    await it.clock.advance(15_000);
    expect(it.served.reports).toHaveLength(1);
    expect(it.served.reports[0]).toMatchObject({
      identity: "spiffe://cluster.local/ns/shop/sa/orders",
      instance: "pod-1",
      slice: "all",
      active: { epoch: 1, revision: 1, manifestDigest: head.manifestDigest },
      nacks: [],
    });
    await it.clock.advance(270_000);
    expect(it.served.reports).toHaveLength(1);
    await it.clock.advance(60_000);
    expect(it.served.reports).toHaveLength(2);
    await source.close();
  });

  test("within a second while somebody waits", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    await source.start(new RecordingListener());
    await it.clock.advance(60_000);
    it.served.reports.length = 0;
    it.served.server.setPromptStatus(org, true);
    await it.clock.advance(1_000);
    expect(it.served.reports.map(({ active }) => active?.revision)).toEqual([1]);
    it.served.publish(named("second"));
    await it.clock.advance(1_000);
    expect(it.served.reports.map(({ active }) => active?.revision)).toEqual([1, 2]);
    await source.close();
  });

  test("BUN-5 a refusal at once, with its revision, and not again while it is only repeated", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    const listener = new RecordingListener();
    await source.start(listener);
    await it.clock.advance(20_000);
    it.served.reports.length = 0;
    listener.failing = new Error("does not compile");
    it.served.publish(named("second"));
    await it.clock.advance(30);
    expect(it.served.reports).toHaveLength(1);
    expect(it.served.reports[0]).toMatchObject({
      active: { revision: 1 },
      nacks: [{ revision: 2, code: "internal" }],
    });
    await it.clock.advance(60_000);
    expect(it.served.reports.flatMap(({ nacks }) => nacks)).toHaveLength(1);
    await source.close();
  });

  test("what could not be sent goes with the next stream", async () => {
    const it = world();
    it.served.publish(named("first"));
    const source = sourceIn(it);
    const listener = new RecordingListener();
    await source.start(listener);
    await it.clock.advance(20_000);
    it.served.reports.length = 0;
    it.dialer.refuse = failed("network", "failed: `ECONNREFUSED`");
    listener.failing = new Error("does not compile");
    // The refused head is the last thing that came over the connection.
    it.served.publish(named("second"));
    it.served.server.close();
    await it.clock.advance(60_000);
    expect(it.served.reports).toEqual([]);
    it.served.restart();
    it.dialer.refuse = null;
    await it.clock.advance(30_000);
    expect(it.served.reports[0]?.nacks).toMatchObject([{ revision: 2 }]);
    await source.close();
  });
});

test("opa#2220 an activation that failed is tried again, though the control plane has gone away", async () => {
  const it = world();
  it.served.publish(named("first"));
  const source = sourceIn(it);
  const listener = new RecordingListener();
  await source.start(listener);
  listener.failing = new Error("out of memory");
  it.served.publish(named("second"));
  await it.clock.advance(10);
  it.dialer.refuse = failed("network", "failed: `ECONNREFUSED`");
  it.served.server.close();
  listener.failing = null;
  await it.clock.advance(6_000);
  expect(listener.users).toEqual(["second"]);
  await source.close();
});
