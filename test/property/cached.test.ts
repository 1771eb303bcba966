import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import type { Directory } from "../../src/domain/directory/model.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { startMs, startPipeline, type TestPipeline } from "../fakes/pipeline.ts";
import { createRequests } from "./mesh-requests.ts";
import { Focus, randomDirectory } from "./mesh-world.ts";
import { createRandom, type Random } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";

/**
 * T-PROP-05: with all that it remembers (decisions, tokens, callers) the authorizer answers each Check as
 * without, over mixed requests with swaps of the snapshot, rotated keys, clocks that step, tokens that run
 * out, and caches that are far too small. `MESH_IAM_CASES` raises the number of Checks.
 */
const count = caseCount(20_000);
const checksARun = 500;
const runs = Math.ceil(count / checksARun);

interface Pair {
  readonly cached: TestPipeline;
  readonly bare: TestPipeline;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly focus: Focus;
  readonly directories: readonly Directory[];
}

async function startPair(random: Random): Promise<Pair> {
  const clock = new ManualClock(startMs);
  const common = [
    "decisionLogs.ignoreAllowAll=true",
    ...(random.chance(0.5) ? ["staleness.denyAfterSeconds=1800"] : []),
    ...(random.chance(0.5) ? ["staleness.denyHighRiskAfterSeconds=300"] : []),
    ...(random.chance(0.3) ? ["verbose=true"] : []),
    ...(random.chance(0.1) ? ["dryRun=true"] : []),
    ...(random.chance(0.2) ? ["trustedHops=1"] : []),
  ];
  const small = random.chance(0.3)
    ? [
        "decisionCache.maxEntries=6",
        "decisionCache.maxTargetsPerPrincipal=2",
        "tokenCache.capacity=5",
      ]
    : [];
  const ttl = random.pick(["10", "3600"]);
  const cached = await startPipeline({
    clock,
    // What is remembered is decided again too.
    random: () => random.int(1_000) / 1_000,
    sets: [...common, ...small, `tokenCache.maxTtlSeconds=${ttl}`, "selfCheck.sampleRate=0.05"],
  });
  const bare = await startPipeline({
    clock,
    sets: [
      ...common,
      "decisionCache.enabled=false",
      "tokenCache.maxTtlSeconds=0",
      "selfCheck.sampleRate=0",
    ],
  });
  const focus = new Focus(random);
  const directories = Array.from({ length: 4 }, () => randomDirectory(random, focus));
  return { cached, bare, clock, random, focus, directories };
}

/** Moves the world on: another revision, an hour passed, a clock set right. */
async function disturb({ cached, bare, clock, random, directories }: Pair): Promise<void> {
  if (random.chance(0.012)) {
    const directory = random.pick(directories);
    await cached.activate(directory);
    await bare.activate(directory);
  }
  if (random.chance(0.04)) {
    const steps = [1, 999, 10_000, 29_999, 30_000, 60_000, 300_000];
    await clock.advance(random.chance(0.95) ? random.pick(steps) : 3_600_000);
  }
  if (random.chance(0.03)) {
    const steps = [-1, -1_000, 1_000, -60_000, -90_000, 90_000];
    clock.jump(random.chance(0.95) ? random.pick(steps) : random.pick([-3_600_000, 3_600_000]));
  }
}

/** An outcome but for what tells the Checks of one process apart. */
function comparable({ decisionId: _id, cache: _cache, durationNs: _ns, ...rest }: CheckOutcome) {
  return rest;
}

const tally = { hits: 0, checks: 0, allowed: 0, samples: 0 };
const reasons = new Set<string>();

async function run(index: number): Promise<void> {
  const random = createRandom(seed, index);
  const pair = await startPair(random);
  const [directory] = pair.directories as [Directory];
  await pair.cached.activate(directory);
  await pair.bare.activate(directory);
  const next = createRequests(random, pair.focus);
  for (let check = 0; check < checksARun; check++) {
    await disturb(pair);
    const { message, written } = next();
    const remembered = pair.cached.check(message);
    const fresh = pair.bare.check(message);
    if (!isDeepStrictEqual(comparable(remembered), comparable(fresh))) {
      const where = `Check ${check} (${remembered.cache}), seed ${seed}: ${reproduce(index * checksARun, "cached.test.ts")}`;
      expect(comparable(remembered), `${where}\n${JSON.stringify(written)}`).toEqual(
        comparable(fresh),
      );
      expect.unreachable("two outcomes that differ to one comparison and not to the other");
    }
    tally.checks++;
    if (remembered.cache === "hit") tally.hits++;
    if (remembered.answer.type === "allow") tally.allowed++;
    reasons.add(remembered.decision.reason);
  }
  await pair.cached.settled();
  const { samples, mismatches } = pair.cached.recorder.selfCheck;
  expect(mismatches, `seed ${seed}, run ${index}`).toBe(0);
  tally.samples += samples;
  const failures = pair.cached.log.records().filter(({ event }) => event === "check-failed");
  expect(failures, `seed ${seed}, run ${index}`).toEqual([]);
}

test(
  `T-PROP-05: cached = uncached over ${count} Checks, seed ${seed}`,
  async () => {
    const from = Math.floor(first / checksARun);
    for (let index = from; index < from + runs; index++) await run(index);
    if (runs < 10) return;
    // The worlds are such that something can go wrong in them.
    expect(tally.hits / tally.checks).toBeGreaterThan(0.2);
    expect(tally.allowed / tally.checks).toBeGreaterThan(0.15);
    expect(tally.allowed / tally.checks).toBeLessThan(0.85);
    expect(tally.samples).toBeGreaterThan(runs);
    expect(reasons.size).toBeGreaterThan(22);
  },
  60_000 + 20 * count,
);
