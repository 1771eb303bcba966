import { describe, expect, test } from "vitest";
import { settle } from "../../../test/fakes/manual-clock.ts";
import { named } from "../../../test/fakes/network-world.ts";
import { org } from "../../../test/fakes/served-organization.ts";
import { serverWorld } from "../../../test/fakes/server-world.ts";

describe("admission", () => {
  test("BUN-13 a second's worth of streams at once, then as many each second; the rest is told when", async () => {
    const { clock, served, ask } = serverWorld({ limits: { maxAdmissionsPerSecond: 10 } });
    served.publish(named("first"));
    const attempt = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        ask({ instance: `pod-${clock.monotonicMs()}-${i}`, identity: `identity-${i % 5}` }),
      );
    const first = attempt(25);
    expect(first.filter(({ ok }) => ok)).toHaveLength(10);
    // One after the other, at six a second, a second from now on.
    expect(first.slice(10, 13)).toMatchObject([
      { type: "overloaded", retryAfterMs: 1_000 },
      { type: "overloaded", retryAfterMs: 1_167 },
      { type: "overloaded", retryAfterMs: 1_334 },
    ]);
    await clock.advance(500);
    expect(attempt(25).filter(({ ok }) => ok)).toHaveLength(5);
    await clock.advance(3_600);
    expect(attempt(25).filter(({ ok }) => ok)).toHaveLength(10);
  });

  test("opal#915 however many are turned away, nobody waits for more than 30 s, and not all to its end", () => {
    let draw = 0;
    const random = () => (draw++ % 1_000) / 1_000;
    const { served, ask } = serverWorld({ limits: { maxAdmissionsPerSecond: 10 }, random });
    served.publish(named("first"));
    const waits = Array.from({ length: 400 }, (_, i) =>
      ask({ instance: `pod-${i}`, identity: `identity-${i}` }),
    ).flatMap((answer) => (answer.ok ? [] : [answer.retryAfterMs ?? 0]));
    expect(waits).toHaveLength(390);
    expect(Math.min(...waits)).toBe(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    const perSecond = Map.groupBy(waits, (ms) => Math.floor(ms / 1_000));
    expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(45);
  });

  test("BND-022 an identity that opens streams without end keeps nobody else out", async () => {
    const { clock, served, ask } = serverWorld({ limits: { maxAdmissionsPerSecond: 10 } });
    served.publish(named("first"));
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 50; j++) {
        const noisy = ask({ identity: "noisy", instance: "pod-1" });
        if (noisy.ok) noisy.session.end();
      }
      const other = ask({ identity: "quiet", instance: `pod-${i}` });
      expect(other.ok).toBe(true);
      await clock.advance(1_000);
    }
  });

  test("BUN-35 of an instance with too many streams the oldest ends: it may be dead", async () => {
    const { served, open } = serverWorld();
    served.publish(named("first"));
    const sessions = [open(), open(), open()];
    const [oldest, second, third] = await Promise.all(sessions.map((session) => session.next()));
    expect([oldest?.type, second?.type, third?.type]).toEqual([undefined, "head", "head"]);
    expect(served.server.counts().streams).toBe(2);
  });

  test("BUN-35 instances of one identity are counted, those of others are not in their way", async () => {
    const { served, ask, open } = serverWorld({ limits: { maxInstances: 3 } });
    served.publish(named("first"));
    const sessions = [1, 2, 3].map((n) => open({ instance: `pod-${n}` }));
    expect(ask({ instance: "pod-4" })).toMatchObject({ ok: false, type: "overloaded" });
    expect(ask({ instance: "pod-1" }).ok).toBe(true);
    expect(ask({ instance: "pod-4", identity: "billing" }).ok).toBe(true);
    sessions[1]?.end();
    expect(ask({ instance: "pod-4" }).ok).toBe(true);
  });

  test("the instance that a credential is bound to counts, not what the peer calls itself", () => {
    const { served } = serverWorld({ limits: { maxInstances: 1 } });
    served.publish(named("first"));
    const watch = (bound: string | null, instance: string) =>
      served.server.watch({
        peer: { identity: "orders", instance: bound },
        org,
        instance,
        heldManifest: "",
        stalled: () => {},
      });
    expect(watch("uid-1", "a").ok).toBe(true);
    expect(watch("uid-1", "b").ok).toBe(true);
    expect(watch("uid-2", "a").ok).toBe(false);
  });

  test("slices are built a bounded number at a time, and a failed build is asked for again", async () => {
    const running: (() => void)[] = [];
    let most = 0;
    const { served, open, clock } = serverWorld({
      scopeOf: (identity) => ({ org, slice: identity }),
      limits: { maxBuilds: 4 },
      wanted: () =>
        new Promise((_, reject) => {
          running.push(() => reject(new Error("no")));
          most = Math.max(most, running.length);
        }),
    });
    const sessions = Array.from({ length: 20 }, (_, i) => open({ identity: `slice-${i}` }));
    for (const session of sessions) void session.next();
    await settle();
    let built = 0;
    while (running.length > 0) {
      built++;
      running.shift()?.();
      await settle();
    }
    expect([built, most]).toEqual([20, 4]);
    served.server.rescope();
    await clock.advance(0);
    await settle();
    expect(running).toHaveLength(4);
  });
});
