import { expect, test } from "vitest";
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
  InProcessCarrier,
  org,
  ServedOrganization,
  stolenHead,
} from "../../../test/fakes/served-organization.ts";
import { sealHeadOf } from "../../domain/bundle/build.ts";
import { failed } from "./carrier.ts";
import { createHttpSource, type HttpSourceOptions } from "./http-source.ts";

const options: HttpSourceOptions = {
  address: "https://iam.example.com",
  org,
  slice: "all",
  rootFingerprints: [root.keyId],
  cacheFolder: "/state",
};

const named = (name: string) => sampleDirectory({ users: [user(name)] });

async function create(): Promise<SourceUnderTest> {
  const clock = new ManualClock(nowMs);
  // Renewed by hand, so that a test says when.
  const served = new ServedOrganization(clock, { limits: { renewMs: dayMs } });
  const carrier = new InProcessCarrier(served);
  const instead = (bytes: Uint8Array | undefined) => {
    if (bytes === undefined) throw new Error("was published");
    carrier.tamper = ({ type }) => (type === "head" ? { ok: true, bytes } : null);
  };
  const source = createHttpSource(
    { ...options, minPollMs: 900, maxPollMs: 1_100 },
    carrier,
    new FakeDisk(),
    clock,
    () => 0.5,
  );
  const close = source.close.bind(source);
  return {
    // The server is a process of its own, with timers of its own.
    source: { ...bound(source), close: () => close().then(() => served.server.close()) },
    clock,
    name: "http",
    publish: async (name) => {
      carrier.tamper = () => null;
      served.publish(named(name));
    },
    renew: async () => {
      await clock.advance(30_000);
      served.renew();
    },
    spoil: async () => {
      instead(stolenHead(served.last.head));
      return "bundle-signature";
    },
    rollBack: async () => instead(served.history[0]?.sealedHead),
    watches: () => carrier.open,
  };
}

function bound(source: ReturnType<typeof createHttpSource>) {
  return { start: source.start.bind(source), status: source.status.bind(source) };
}

describeBundleSource("heads polled over HTTPS", create);

interface World {
  readonly clock: ManualClock;
  readonly served: ServedOrganization;
  readonly carrier: InProcessCarrier;
  readonly disk: FakeDisk;
}

function world(): World {
  const clock = new ManualClock(nowMs);
  const served = new ServedOrganization(clock);
  return { clock, served, carrier: new InProcessCarrier(served), disk: new FakeDisk() };
}

function sourceIn({ carrier, disk, clock }: World, changes: Partial<HttpSourceOptions> = {}) {
  return createHttpSource({ ...options, ...changes }, carrier, disk, clock, () => 0.5);
}

test("the head is looked at every 15 s, objects are fetched once, key sets in order", async () => {
  const it = world();
  it.served.publish(named("first"));
  const source = sourceIn(it);
  await source.start(new RecordingListener());
  const kinds = it.carrier.asked.map(({ type }) => type);
  expect(kinds.slice(0, 3)).toEqual(["head", "key-set", "key-set"]);
  const digests = it.carrier.asked.flatMap((path) => (path.type === "object" ? [path.digest] : []));
  expect(new Set(digests)).toEqual(new Set(it.served.last.objects.keys()));
  expect(digests).toHaveLength(it.served.last.objects.size);
  it.carrier.asked.length = 0;
  await it.clock.advance(15_000 * 4);
  expect(it.carrier.asked.map(({ type }) => type)).toEqual(["head", "head", "head", "head"]);
  await source.close();
});

test("BUN-8 of a change only the parts that are new are fetched", async () => {
  const it = world();
  const first = it.served.publish(named("first"));
  const source = sourceIn(it);
  await source.start(new RecordingListener());
  it.carrier.asked.length = 0;
  const second = it.served.publish(named("second"));
  await it.clock.advance(15_000);
  const fetched = it.carrier.asked.flatMap((path) => (path.type === "object" ? [path.digest] : []));
  const changed = [...second.objects.keys()].filter((digest) => !first.objects.has(digest));
  expect(fetched.toSorted()).toEqual(changed.toSorted());
  await source.close();
});

test("BUN-30 a head by an unknown key, and each hour: the next key set is asked for", async () => {
  const it = world();
  it.served.publish(named("first"));
  const source = sourceIn(it);
  const listener = new RecordingListener();
  await source.start(listener);
  const keySet = { number: 2, bundleKeys: [windowOf(bundleKey), windowOf(nextBundleKey)] };
  it.served.server.publishKeySet(org, 2, sealedKeySet(keySet));
  await it.clock.advance(60_000);
  expect(source.status().keySet?.number).toBe(1);
  const head = { ...it.served.last.head, issuedAtMs: it.clock.nowMs() };
  const { last } = it.served;
  it.served.server.publish({ ...last, head, sealedHead: sealHeadOf(head, nextBundleKey) });
  await it.clock.advance(15_000);
  expect(source.status().keySet?.number).toBe(2);
  expect(listener.refusals).toEqual([]);

  it.served.server.publishKeySet(org, 3, sealedKeySet({ ...keySet, number: 3 }));
  await it.clock.advance(3_600_000);
  expect(source.status().keySet?.number).toBe(3);
  await source.close();
});

test("BUN-12 with the server away from the start the cache serves, and a second is waited at most", async () => {
  const it = world();
  it.served.publish(named("first"));
  const first = sourceIn(it);
  await first.start(new RecordingListener());
  await first.close();
  // It takes the connection and never answers.
  it.carrier.tamper = () => new Promise(() => {});
  const listener = new RecordingListener();
  const source = sourceIn(it);
  let isStarted = false;
  const starting = source.start(listener).then(() => {
    isStarted = true;
  });
  await it.clock.advance(900);
  expect([isStarted, listener.users]).toEqual([false, ["first"]]);
  await it.clock.advance(200);
  await starting;
  expect(source.status()).toMatchObject({ activeSource: "cache", connected: false });
});

test("BUN-13 while the server is away the waits double up to 30 s; one answer ends that", async () => {
  const it = world();
  it.carrier.tamper = () => failed("network", "refused");
  const source = sourceIn(it);
  const listener = new RecordingListener();
  await source.start(listener);
  await it.clock.advance(120_000);
  // 0.1 + 0.2 + … + 12.8 s, then 15 s each, half of every bound.
  expect(it.carrier.asked.length).toBeLessThan(20);
  expect(listener.refusals.length).toBe(it.carrier.asked.length);
  expect(listener.refusals.filter(({ repeated }) => !repeated)).toHaveLength(1);
  it.carrier.tamper = () => null;
  it.served.publish(named("first"));
  await it.clock.advance(30_000);
  expect(listener.users).toEqual(["first"]);
  expect(source.status()).toMatchObject({ connected: true, fresh: true });
  await source.close();
});

test("a server that says when to come again is left alone until then", async () => {
  const it = world();
  it.carrier.tamper = () => failed("network", "answered with status 429", 20_000);
  const source = sourceIn(it);
  await source.start(new RecordingListener());
  await it.clock.advance(20_000);
  expect(it.carrier.asked).toHaveLength(1);
  await it.clock.advance(200);
  expect(it.carrier.asked).toHaveLength(2);
  await source.close();
});

test("a refused identity is counted as auth", async () => {
  const it = world();
  it.carrier.tamper = () => failed("auth", "answered with status 403");
  const source = sourceIn(it);
  await source.start(new RecordingListener());
  expect(source.status()).toMatchObject({ active: null, pulls: { auth: 1 } });
  await source.close();
});

test("root fingerprints are needed", async () => {
  const it = world();
  await expect(
    sourceIn(it, { rootFingerprints: [] }).start(new RecordingListener()),
  ).rejects.toMatchObject({ code: "config-invalid" });
  expect(it.carrier.asked).toEqual([]);
});
