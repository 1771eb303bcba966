import { describe, expect, test } from "vitest";
import { hourMs } from "../../../test/fakes/bundle.ts";
import { nowMs, sealedKeySet } from "../../../test/fakes/bundle-keys.ts";
import { ManualClock, settle } from "../../../test/fakes/manual-clock.ts";
import { named } from "../../../test/fakes/network-world.ts";
import { org, ServedOrganization } from "../../../test/fakes/served-organization.ts";
import { serverWorld } from "../../../test/fakes/server-world.ts";
import { decodeHead } from "../../domain/bundle/head.ts";
import { defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { openEnvelope } from "../../domain/bundle/signed.ts";
import type { Scope } from "./scope.ts";
import type { WatchSession } from "./watch-session.ts";

async function headOf(session: WatchSession) {
  const event = await session.next();
  if (event?.type !== "head") throw new Error(`expected a head, got ${event?.type}`);
  const opened = openEnvelope(event.sealedHead, 1 << 16, defaultBundleLimits, "head");
  const decoded = opened.ok ? decodeHead(opened.envelope.payload) : opened;
  if (!decoded.ok) throw new Error(decoded.detail);
  return { ...event, head: decoded.head };
}

/** Whether the next event is there already. */
async function isWaiting(next: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void next.then(() => {
    isDone = true;
  });
  await settle();
  return !isDone;
}

describe("publishing", () => {
  test("two builds that end out of order: the older one is not served", () => {
    const { served } = serverWorld();
    const old = served.publish(named("old"), { revision: 5 });
    const fresh = served.publish(named("new"), { revision: 6 });
    expect(served.server.publish(old)).toBe(false);
    const got = served.server.get(
      { identity: "orders", instance: null },
      { type: "head", org, slice: "all" },
    );
    expect(got.ok && got.bytes).toBe(fresh.sealedHead);
    const next = served.publish(named("restored"), { epoch: 2, revision: 1 });
    expect(served.server.publish(next)).toBe(true);
  });

  test("a head is renewed every 30 s over the same content, its time never going back", async () => {
    const { clock, served, open } = serverWorld();
    served.publish(named("first"));
    const session = open();
    const first = await headOf(session);
    let previous = first.head.issuedAtMs;
    for (let i = 0; i < 4; i++) {
      const next = headOf(session);
      // An hour back: the wall clock of a machine that was set wrong.
      if (i === 1) clock.jump(-hourMs);
      await clock.advance(31_000);
      const { head, objects } = await next;
      expect(objects).toEqual([]);
      expect(head).toMatchObject({ revision: 1, manifestDigest: first.head.manifestDigest });
      expect(head.issuedAtMs).toBeGreaterThan(previous);
      expect(head.expiresAtMs - head.issuedAtMs).toBe(hourMs);
      previous = head.issuedAtMs;
    }
  });

  test("a head that cannot be signed stays as it is, is told, and tried again", async () => {
    const failures: unknown[] = [];
    let isBroken = true;
    const { clock, served, open } = serverWorld({
      seal: () => {
        if (isBroken) throw new Error("the signer is away");
        return new Uint8Array([1]);
      },
      onError: (failure) => failures.push(failure),
    });
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    const next = session.next();
    await clock.advance(20_000);
    expect(failures.length).toBeGreaterThan(1);
    expect(await isWaiting(next)).toBe(true);
    isBroken = false;
    await clock.advance(1_000);
    expect(await next).toMatchObject({ sealedHead: new Uint8Array([1]) });
  });

  test("slices published together are not all renewed in the same second", async () => {
    const draws = [0, 0.2, 0.4, 0.6, 0.8];
    const clock = new ManualClock(nowMs);
    const atSeconds: number[] = [];
    const served = new ServedOrganization(clock, {
      random: () => draws.shift() ?? 0.5,
      seal: () => {
        atSeconds.push(Math.round(clock.monotonicMs() / 1000));
        return new Uint8Array();
      },
    });
    for (let i = 0; i < 5; i++) {
      served.publish(named("first"), { slice: `slice-${i}` });
    }
    await clock.advance(30_000);
    expect(atSeconds).toEqual([1, 6, 12, 18, 24]);
  });

  test("a slice that is withdrawn is served no more, and asked for when somebody wants it", () => {
    const wanted: Scope[] = [];
    const { served } = serverWorld({
      wanted: async (scope) => {
        wanted.push(scope);
      },
    });
    const { manifestDigest } = served.publish(named("first")).head;
    const peer = { identity: "orders", instance: null };
    served.server.withdraw({ org, slice: "all" });
    expect(served.server.get(peer, { type: "head", org, slice: "all" })).toMatchObject({
      ok: false,
      type: "unready",
    });
    expect(served.server.get(peer, { type: "object", digest: manifestDigest })).toMatchObject({
      ok: false,
      type: "absent",
    });
    expect(wanted).toEqual([{ org, slice: "all" }]);
  });

  test("objects are kept ten minutes, then let go", async () => {
    const { clock, served } = serverWorld();
    for (let i = 0; i < 5; i++) {
      served.publish(named(`user-${i}`));
      await clock.advance(60_000);
    }
    const many = served.server.counts().objects;
    await clock.advance(660_000);
    const kept = served.server.counts().objects;
    expect(kept).toBe(served.last.objects.size);
    expect(many).toBeGreaterThan(kept);
  });
});

describe("a stream", () => {
  test("BUN-34 keeps nothing for a slow peer: it gets the newest head when it drains", async () => {
    const { clock, served, open } = serverWorld();
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    for (let i = 0; i < 100; i++) {
      served.publish(named(`user-${i}`));
      await clock.advance(100);
    }
    expect((await headOf(session)).head.revision).toBe(101);
    expect(await isWaiting(session.next())).toBe(true);
  });

  test("BUN-34 BND-016 that drains nothing for a minute is cut", async () => {
    const { clock, served, open, stalled } = serverWorld();
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    await clock.advance(59_000);
    expect(stalled()).toBe(0);
    await clock.advance(1_000);
    expect(stalled()).toBe(1);
    expect(served.server.counts().streams).toBe(0);
    expect(await session.next()).toBeNull();
  });

  test("BND-016 a thousand stopped readers among as many honest ones: these get every head in its moment", async () => {
    const { clock, served, open, stalled } = serverWorld({
      limits: { maxAdmissionsPerSecond: 2_000 },
    });
    served.publish(named("first"));
    const identityOf = (n: number) => `identity-${n % 8}`;
    const sessions = Array.from({ length: 2_000 }, (_, n) =>
      open({ identity: identityOf(n), instance: `pod-${n}` }),
    );
    for (const session of sessions) await session.next();
    const honest = sessions.filter((_, n) => n % 2 === 0);
    for (let revision = 2; revision <= 5; revision++) {
      const waiting = honest.map((session) => headOf(session));
      served.publish(named(`user-${revision}`), { revision });
      const heads = await Promise.all(waiting);
      expect(new Set(heads.map(({ head }) => head.revision))).toEqual(new Set([revision]));
    }
    for (const session of honest) void session.next();
    await clock.advance(60_000);
    expect(stalled()).toBe(1_000);
    expect(served.server.counts().streams).toBe(1_000);
  });

  test("one that waits for news drains everything, however long", async () => {
    const { clock, served, open, stalled } = serverWorld({ limits: { renewMs: 100 * hourMs } });
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    const next = session.next();
    await clock.advance(25 * 60_000);
    expect(stalled()).toBe(0);
    served.publish(named("second"));
    expect(await next).toMatchObject({ type: "head" });
  });

  test("brings what the held manifest lacks, and everything for an unknown one", async () => {
    const { served, open } = serverWorld();
    const first = served.publish(named("first"));
    const second = served.publish(named("second"));
    const lacked = [...second.objects.keys()].filter((digest) => !first.objects.has(digest));
    const { manifestDigest } = first.head;
    const events = await Promise.all([
      headOf(open({ heldManifest: manifestDigest, instance: "a" })),
      headOf(open({ heldManifest: "ff".repeat(32), instance: "b" })),
      headOf(open({ heldManifest: second.head.manifestDigest, instance: "c" })),
    ]);
    const digests = events.map(({ objects }) => objects.map(([digest]) => digest).toSorted());
    expect(digests[0]).toEqual(lacked.toSorted());
    expect(digests[1]).toEqual([...second.objects.keys()].toSorted());
    expect(digests[2]).toEqual([]);
  });

  test.each([
    { room: "just enough", extra: 0, count: 1 },
    { room: "one byte less", extra: -1, count: 0 },
  ])("BUN-7 with $room, $count events bring objects", async ({ extra, count }) => {
    const probe = serverWorld();
    const { objects, sealedHead } = probe.served.publish(named("first"));
    const frames = [...objects.values()].reduce((sum, { length }) => sum + length + 64, 0);
    const maxEventBytes = frames + sealedHead.length + 256 + extra;
    const { served, open } = serverWorld({ limits: { maxEventBytes } });
    served.publish(named("first"));
    expect((await headOf(open())).objects).toHaveLength(count * objects.size);
  });

  test("tells the newest key set and whether somebody waits", async () => {
    const { served, open } = serverWorld();
    served.publish(named("first"));
    served.server.publishKeySet(org, 2, sealedKeySet({ number: 2 }));
    const session = open();
    expect(await headOf(session)).toMatchObject({ keySet: 2, promptStatus: false });
    const next = headOf(session);
    served.server.setPromptStatus("o-other", true);
    expect(await isWaiting(next)).toBe(true);
    served.server.setPromptStatus(org, true);
    expect(await next).toMatchObject({ promptStatus: true });
  });

  test("BUN-13 ends at a random age between 30 and 60 minutes", async () => {
    for (const [draw, minutes] of [
      [0, 30],
      [0.5, 45],
      [0.999, 59],
    ] as const) {
      const { clock, served, open } = serverWorld({ random: () => draw });
      served.publish(named("first"));
      const session = open();
      let last = await session.next();
      const reading = (async () => {
        while (last?.type === "head") last = await session.next();
      })();
      await clock.advance(minutes * 60_000 - 1_000);
      expect(last).toMatchObject({ type: "head" });
      await clock.advance(60_000);
      await reading;
      expect(last).toMatchObject({ type: "go-away" });
      expect(await session.next()).toBeNull();
      expect(served.server.counts().streams).toBe(0);
    }
  });

  test("waits for a slice that is being built, which is asked for once", async () => {
    const wanted: Scope[] = [];
    const { served, open } = serverWorld({
      wanted: async (scope) => {
        wanted.push(scope);
        await new Promise(() => {});
      },
    });
    const sessions = Array.from({ length: 50 }, (_, i) => open({ instance: `pod-${i}` }));
    const events = sessions.map((session) => session.next());
    await settle();
    expect(wanted).toEqual([{ org, slice: "all" }]);
    served.publish(named("first"));
    expect((await Promise.all(events)).map((event) => event?.type)).toEqual(Array(50).fill("head"));
  });
});

describe("scope", () => {
  test("BUN-37 an identity whose slice changes gets the new one, and not one head more of the old", async () => {
    let slice = "all";
    const { served, open } = serverWorld({ scopeOf: () => ({ org, slice }) });
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    slice = "111122223333.orders";
    served.publish(named("second"));
    expect(await isWaiting(session.next())).toBe(true);
    const other = open({ instance: "pod-2" });
    served.publish(named("third"), { slice });
    expect((await headOf(other)).head.slice).toBe(slice);
  });

  test("an identity that loses its slice loses its stream", async () => {
    let isServing = true;
    const { served, open } = serverWorld({
      scopeOf: () => (isServing ? { org, slice: "all" } : null),
    });
    served.publish(named("first"));
    const session = open();
    await headOf(session);
    const next = session.next();
    isServing = false;
    served.server.rescope();
    expect(await next).toBeNull();
    expect(served.server.counts().streams).toBe(0);
  });

  test("TEN-3 another organization is not to be named", () => {
    const { served, ask } = serverWorld();
    served.publish(named("first"));
    expect(ask({ org: "o-other" })).toMatchObject({ ok: false, type: "forbidden" });
    const report = { org: "o-other", slice: "all", instance: "p", active: null };
    const nothing = { nacks: [], poisoned: [], activity: [], selfCheckMismatches: 0 };
    const sent = served.server.report(
      { identity: "orders", instance: null },
      { ...report, ...nothing },
    );
    expect(sent).toMatchObject({ ok: false, type: "forbidden" });
    expect(served.reports).toEqual([]);
  });
});

test("books that cannot be kept stop nobody", () => {
  const failures: unknown[] = [];
  const bug = new Error("full");
  const { served } = serverWorld({
    fleet: {
      reported: () => {
        throw bug;
      },
    },
    onError: (failure) => failures.push(failure),
  });
  const report = { org, slice: "all", instance: "p", active: null };
  const nothing = { nacks: [], poisoned: [], activity: [], selfCheckMismatches: 0 };
  const peer = { identity: "orders", instance: null };
  expect(served.server.report(peer, { ...report, ...nothing }).ok).toBe(true);
  expect(failures).toEqual([bug]);
});

test("a drain sends everybody away, each to another moment of the next 30 s", async () => {
  const draws = [0.1, 0.9];
  const { served, open } = serverWorld({ random: () => draws.shift() ?? 0.5 });
  served.publish(named("first"));
  draws.length = 0;
  const sessions = [open({ instance: "a" }), open({ instance: "b" })];
  for (const session of sessions) await session.next();
  draws.push(0.1, 0.9);
  served.server.drain();
  const events = await Promise.all(sessions.map((session) => session.next()));
  expect(events).toEqual([
    { type: "go-away", retryAfterMs: 3_000 },
    { type: "go-away", retryAfterMs: 27_000 },
  ]);
});

test("after close no stream and no timer is left", async () => {
  const { clock, served, open } = serverWorld();
  served.publish(named("first"));
  const session = open();
  await session.next();
  const next = session.next();
  served.server.close();
  expect(await next).toBeNull();
  expect(clock.pending).toBe(0);
});
