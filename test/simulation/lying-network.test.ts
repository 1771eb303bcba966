import { describe, expect, test } from "vitest";
import { hourMs } from "../fakes/bundle.ts";
import { type NetworkCarrier, NetworkWorld, networkCarriers } from "../fakes/network-world.ts";
import { seededChoice } from "../fakes/seeded-choice.ts";

// Section 9 of the control plane's reference: a carrier that loses, reorders and replays, at random. No
// sidecar ever decides with anything that was not published, or goes back; that it is behind is to be
// seen, and an honest minute mends all of it.

const rounds = 60;

interface Lies {
  /** How often each of them was told, so that a run that told none does not pass. */
  lost: number;
  replayed: number;
  mixed: number;
  cut: number;
}

/** Lets a network lie by chance about everything that passes. */
function lie(world: NetworkWorld, choose: (n: number) => number, lies: Lies): void {
  const heads: Uint8Array[] = [];
  const frames: Uint8Array[] = [];
  const one = <T>(of: readonly T[]): T | null => of[choose(of.length)] ?? null;
  world.attack({
    head(sealed) {
      heads.push(sealed);
      switch (choose(6)) {
        case 0:
          lies.lost++;
          return null;
        case 1:
        case 2:
          lies.replayed++;
          return one(heads);
        default:
          return sealed;
      }
    },
    object(frame) {
      frames.push(frame);
      switch (choose(24)) {
        case 0:
          lies.lost++;
          return null;
        case 1:
          lies.mixed++;
          return one(frames);
        case 2:
          lies.cut++;
          return frame.subarray(0, choose(frame.length));
        default:
          return frame;
      }
    },
    keySet(sealed) {
      if (choose(4) !== 0) return sealed;
      lies.lost++;
      return null;
    },
  });
}

async function play(how: NetworkCarrier, seed: number): Promise<void> {
  const choose = seededChoice(seed);
  const world = new NetworkWorld(how);
  const lies: Lies = { lost: 0, replayed: 0, mixed: 0, cut: 0 };
  /** What each revision says, by the only user that it has. */
  const published = new Map<number, string>();
  const publish = (revision: number) => {
    world.publish(`user-${revision}`, { revision });
    published.set(revision, `user-${revision}`);
  };
  let highest = 0;
  let highestAtStart = 0;
  const start = () => {
    highestAtStart = highest;
    return world.start();
  };
  const check = () => {
    for (const { revision, directory, coveredRevision } of world.listener.bundles) {
      expect(directory.users.map(({ name }) => name)).toEqual([published.get(revision)]);
      expect(coveredRevision).toBe(revision);
    }
    const revisions = world.listener.bundles.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    // A restart begins where it was, never before.
    expect(revisions[0] ?? highest).toBeGreaterThanOrEqual(highestAtStart);
    highest = Math.max(highest, ...revisions);
  };

  publish(1);
  lie(world, choose, lies);
  await start();
  for (let revision = 2; revision <= rounds; revision++) {
    if (choose(3) === 0) world.served.renew();
    else publish(revision);
    await world.clock.advance(1_000 * (1 + choose(20)));
    check();
    if (choose(12) === 0) await start();
  }
  check();
  // Between its lies it brought enough for this to have shown something.
  expect(highest).toBeGreaterThan(rounds / 2);
  expect(Math.min(lies.lost, lies.replayed, lies.mixed, lies.cut)).toBeGreaterThan(0);

  // Withheld for longer than a head is good: it serves on, and says so.
  world.attack({ head: () => null });
  publish(rounds + 1);
  await world.clock.advance(hourMs + 60_000);
  expect(world.status()).toMatchObject({ fresh: false });
  check();

  world.attack();
  publish(rounds + 2);
  await world.soon();
  expect(world.inForce).toBe(`user-${rounds + 2}`);
  expect(world.status()).toMatchObject({ fresh: true });
  check();
  await world.close();
}

describe.each(networkCarriers)("a network that lies, under %s", (how) => {
  test.each([1, 2, 3, 4, 5])("seed %d", (seed) => play(how, seed), 60_000);
});
