import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  ActiveBundle,
  BundleListener,
  BundleSource,
} from "../../src/adapters/distribution/source.ts";
import { createWatchSource } from "../../src/adapters/distribution/watch-source.ts";
import { nowMs, root } from "../fakes/bundle-keys.ts";
import { FakeDisk } from "../fakes/fake-disk.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { named } from "../fakes/network-world.ts";
import { seededChoice } from "../fakes/seeded-choice.ts";
import { InProcessDialer, org, ServedOrganization } from "../fakes/served-organization.ts";

// BND-014, opal#915, istio#35263: a thousand sidecars lose their server in one moment. One process, one
// clock, one seed; real followers, real signatures, no sockets.

const fleet = 1_000;
const seed = 20_261_124;
/** Three times a fleet that comes back evenly over 30 s (BND-014). */
const maxPerSecond = (3 * fleet) / 30;
// What was not used in one second can be used in the next, so that twice as many may come in one.
const maxAdmissionsPerSecond = maxPerSecond / 2;

/** Knows its revision, and nothing else: a thousand of it weigh little. */
class LightListener implements BundleListener {
  readonly revisions: number[] = [];

  activated({ coveredRevision }: ActiveBundle): void {
    this.revisions.push(coveredRevision);
  }

  refreshed(): void {}
  refused(): void {}
}

interface Sidecar {
  readonly source: BundleSource;
  readonly dialer: InProcessDialer;
  readonly listener: LightListener;
}

const clock = new ManualClock(nowMs);
const choose = seededChoice(seed);
const random = () => choose(1_000_000) / 1_000_000;
const served = new ServedOrganization(clock, { random, limits: { maxAdmissionsPerSecond } });
const sidecars: Sidecar[] = [];
/** Seconds of the clock at which streams were asked for, and at which they were opened. */
const attempts: number[] = [];
const admitted: number[] = [];

function createSidecar(n: number): Sidecar {
  // A service account is shared by its replicas (BUN-35).
  const identity = `spiffe://cluster.local/ns/shop/sa/service-${n % 4}`;
  const dialer = new InProcessDialer(served, { identity, instance: null });
  dialer.onWatch = (isAdmitted) => {
    const second = Math.floor(clock.monotonicMs() / 1000);
    attempts.push(second);
    if (isAdmitted) admitted.push(second);
  };
  const source = createWatchSource(
    {
      address: "simulated",
      org,
      slice: null,
      instance: `pod-${n}`,
      rootFingerprints: [root.keyId],
      cacheFolder: null,
    },
    dialer,
    new FakeDisk(),
    clock,
    random,
  );
  return { source, dialer, listener: new LightListener() };
}

/** The most of `seconds` that fall into one. */
function peak(seconds: readonly number[]): number {
  const counts = Map.groupBy(seconds, (second) => second);
  return Math.max(0, ...[...counts.values()].map(({ length }) => length));
}

function at(revision: number): number {
  return sidecars.filter(({ listener }) => listener.revisions.at(-1) === revision).length;
}

beforeAll(async () => {
  served.publish(named("first"), { revision: 1 });
  sidecars.push(...Array.from({ length: fleet }, (_, n) => createSidecar(n)));
  const starting = sidecars.map(({ source, listener }) => source.start(listener));
  // Pods of one rollout: all at once.
  await clock.advance(60_000);
  await Promise.all(starting);
}, 60_000);

afterAll(async () => {
  await Promise.all(sidecars.map(({ source }) => source.close()));
  served.server.close();
});

describe(`${fleet} sidecars, seed ${seed}`, () => {
  test("start together, and all of them are there within a minute", () => {
    expect(at(1)).toBe(fleet);
    expect(served.server.counts().streams).toBe(fleet);
    expect(peak(admitted)).toBeLessThanOrEqual(maxPerSecond);
  });

  test("a change reaches every stream in the moment it is published", async () => {
    served.publish(named("second"), { revision: 2 });
    await clock.advance(1);
    expect(at(2)).toBe(fleet);
  });

  test("a restart of the server: no stampede, and everybody has the newest within a minute", async () => {
    attempts.length = 0;
    admitted.length = 0;
    const restartedAt = Math.floor(clock.monotonicMs() / 1000);
    served.restart();
    served.publish(named("third"), { revision: 3 });
    await clock.advance(60_000);
    expect(at(3)).toBe(fleet);
    expect(served.server.counts().streams).toBe(fleet);
    expect(peak(admitted)).toBeLessThanOrEqual(maxPerSecond);
    // Whoever was turned away was told when to come, each something else.
    const later = attempts.filter((second) => second > restartedAt + 1);
    expect(later.length).toBeGreaterThan(fleet / 2);
    expect(peak(later)).toBeLessThanOrEqual(maxPerSecond);
    expect(attempts.length).toBeLessThan(3 * fleet);
  });

  test("an outage of five minutes: nobody hammers, everybody is stale in the end and then current", async () => {
    const away = { ok: false, result: "network", detail: "away", retryAfterMs: null } as const;
    for (const { dialer } of sidecars) dialer.refuse = away;
    const refusedBefore = sidecars.reduce((sum, { source }) => sum + pulls(source), 0);
    served.server.close();
    await clock.advance(300_000);
    const refused = sidecars.reduce((sum, { source }) => sum + pulls(source), 0) - refusedBefore;
    // Half of 30 s on average, and the quick ones of the first half minute.
    expect(refused / fleet).toBeLessThan(40);
    expect(sidecars.every(({ source }) => source.status().connected === false)).toBe(true);
    expect(Math.min(...sidecars.map(({ source }) => source.status().ageMs ?? 0))).toBeGreaterThan(
      250_000,
    );
    attempts.length = 0;
    admitted.length = 0;
    for (const { dialer } of sidecars) dialer.refuse = null;
    served.restart();
    served.publish(named("fourth"), { revision: 4 });
    await clock.advance(60_000);
    expect(at(4)).toBe(fleet);
    expect(peak(attempts)).toBeLessThanOrEqual(maxPerSecond);
  });

  test("nobody ever went back", () => {
    for (const { listener } of sidecars) expect(listener.revisions).toEqual([1, 2, 3, 4]);
  });
});

function pulls(source: BundleSource): number {
  return source.status().pulls.network;
}
