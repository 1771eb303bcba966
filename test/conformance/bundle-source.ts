import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BundleSource } from "../../src/adapters/distribution/source.ts";
import { RecordingListener } from "../fakes/bundle-listener.ts";
import type { ManualClock } from "../fakes/manual-clock.ts";

/** A source with its carrier, both on a clock of the test. */
export interface SourceUnderTest {
  readonly source: BundleSource;
  readonly clock: ManualClock;
  /** The word in statuses: `folder`, `documents`. */
  readonly name: string;
  /** Brings content in which the only user is `user`. */
  publish(user: string): Promise<void>;
  /** Brings a newer head over the content last published. */
  renew(): Promise<void>;
  /** Brings something that has to be refused, with this code. */
  spoil(): Promise<string>;
  /** Brings back what was published first, as it was then; null where there is no history. */
  rollBack: (() => Promise<void>) | null;
  /** Watches that are open on the carrier. */
  watches(): number;
}

/**
 * What every bundle source does, whatever it reads from. `create` returns a source that has not been
 * started, in front of a carrier with nothing in it.
 */
export function describeBundleSource(what: string, create: () => Promise<SourceUnderTest>): void {
  describe(`bundle source: ${what}`, () => {
    let under: SourceUnderTest;
    let listener: RecordingListener;

    beforeEach(async () => {
      under = await create();
      listener = new RecordingListener();
    });

    afterEach(() => under.source.close());

    async function started(): Promise<void> {
      await under.publish("first");
      await under.source.start(listener);
    }

    // Long enough for a debounce and a poll, too short for a retry or a renewal.
    const soon = () => under.clock.advance(1_500);

    test("before its start it has nothing and says so", () => {
      expect(under.source.status()).toMatchObject({
        source: under.name,
        active: null,
        fresh: false,
        ageMs: null,
        lastSuccessAtMs: null,
      });
    });

    test("what is there at the start is active when start resolves, and fresh", async () => {
      await started();
      expect(listener.users).toEqual(["first"]);
      expect(listener.calls).toEqual(["activated"]);
      const [bundle] = listener.bundles;
      const status = under.source.status();
      expect(bundle).toMatchObject({ source: under.name, epoch: 1, fresh: true });
      expect(status).toMatchObject({ fresh: true, pulls: { applied: 1 }, lastRefusal: null });
      expect(status.active?.manifestDigest).toBe(bundle?.manifestDigest);
      expect(status.sizeBytes).toBe(bundle?.sizeBytes);
      expect(status.keySet).toMatchObject({ number: 1 });
    });

    test("new content is activated once, at a higher revision", async () => {
      await started();
      await under.publish("second");
      await soon();
      expect(listener.users).toEqual(["second"]);
      expect(listener.calls).toEqual(["activated", "activated"]);
      const [first, second] = listener.bundles;
      expect(second?.revision).toBeGreaterThan(first?.revision ?? 0);
      expect(second?.coveredRevision).toBeGreaterThanOrEqual(second?.revision ?? 0);
    });

    test("BND-045.2 a renewed head refreshes and activates nothing", async () => {
      await started();
      const before = under.source.status();
      await under.renew();
      await soon();
      expect(listener.calls).toEqual(["activated", "refreshed"]);
      const after = under.source.status();
      expect(after.active?.issuedAtMs).toBeGreaterThan(before.active?.issuedAtMs ?? 0);
      expect(after.active?.manifestDigest).toBe(before.active?.manifestDigest);
      expect(after.pulls.applied).toBe(1);
      expect(after.lastSuccessAtMs).toBeGreaterThan(before.lastSuccessAtMs ?? 0);
    });

    test("BND-002 without renewals it becomes stale by the monotonic clock and keeps serving", async () => {
      await started();
      under.clock.jump(-86_400_000);
      expect(under.source.status().fresh).toBe(true);
      under.clock.jump(2 * 86_400_000);
      expect(under.source.status().fresh).toBe(true);
    });

    test("what has to be refused is told and counted, and the last good stays", async () => {
      await started();
      const code = await under.spoil();
      await soon();
      expect(listener.lastRefusal).toMatchObject({ code, repeated: false });
      expect(listener.users).toEqual(["first"]);
      const { pulls, lastRefusal, active } = under.source.status();
      expect(pulls[listener.lastRefusal?.result ?? "auth"]).toBeGreaterThan(0);
      expect(lastRefusal).toEqual(listener.lastRefusal);
      expect(active?.manifestDigest).toBe(listener.bundles[0]?.manifestDigest);
    });

    test("BND-015 a refusal is tried again on a timer, though nothing changes, and told as repeated", async () => {
      await started();
      await under.spoil();
      await soon();
      const refusals = listener.refusals.length;
      await under.clock.advance(6_000);
      expect(listener.refusals.length).toBeGreaterThan(refusals);
      expect(listener.lastRefusal).toMatchObject({ repeated: true });
    });

    test("good content after a refusal heals it without a restart", async () => {
      await started();
      await under.spoil();
      await soon();
      await under.publish("healed");
      await soon();
      expect(listener.users).toEqual(["healed"]);
      expect(under.source.status().fresh).toBe(true);
    });

    test("BND-015 BUN-4 an activation that fails is a refusal: nothing is half in force, it is tried again", async () => {
      await started();
      const before = under.source.status().active;
      listener.failing = new Error("does not compile");
      await under.publish("second");
      await soon();
      expect(under.source.status().active).toEqual(before);
      expect(listener.lastRefusal).toMatchObject({ code: "internal" });
      expect(listener.lastRefusal?.cause?.cause).toBe(listener.failing);
      expect(listener.users).toEqual(["first"]);
      listener.failing = null;
      await under.clock.advance(6_000);
      expect(listener.users).toEqual(["second"]);
    });

    test("a listener that fails at being told goes on being told", async () => {
      listener.refreshed = () => {
        listener.calls.push("refreshed");
        throw new Error("a bug");
      };
      listener.refused = () => {
        listener.calls.push("refused");
        throw new Error("a bug");
      };
      await started();
      await under.renew();
      await soon();
      await under.spoil();
      await soon();
      await under.publish("healed");
      await soon();
      expect(listener.users).toEqual(["healed"]);
      expect(listener.calls).toContain("refreshed");
      expect(listener.calls).toContain("refused");
    });

    test("the same content brought again is no new content", async () => {
      await started();
      await under.publish("first");
      await soon();
      expect(listener.calls.filter((call) => call === "activated")).toHaveLength(1);
    });

    test("BND-001 what was in force before does not come back", async () => {
      await started();
      await under.publish("second");
      await soon();
      if (under.rollBack === null) {
        // No history to roll back to: the same words again are a new revision.
        await under.publish("first");
        await soon();
        const revisions = listener.bundles.map(({ revision }) => revision);
        expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
        expect(new Set(revisions).size).toBe(3);
        return;
      }
      await under.rollBack();
      await soon();
      expect(listener.users).toEqual(["second"]);
      expect(listener.lastRefusal).toMatchObject({ code: "bundle-rollback", result: "rollback" });
    });

    test("after close no timer, no watch and no call is left", async () => {
      await started();
      await under.spoil();
      await soon();
      await under.source.close();
      const calls = listener.calls.length;
      expect(under.clock.pending).toBe(0);
      expect(under.watches()).toBe(0);
      await under.publish("second");
      await under.clock.advance(60_000);
      expect(listener.calls).toHaveLength(calls);
    });
  });
}
