import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { denied } from "../../iam/decision.ts";
import type { CachedDecision } from "./cached-decision.ts";
import type { Caller } from "./caller.ts";
import { DecisionCache, type DecisionCacheOptions, type Eviction } from "./decision-cache.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { Reads } from "./question.ts";

/** Bounds and accounting: what a stored answer compares is `memory.test.ts`. */

// The cache asks nothing of these but who they are.
const callers = Array.from({ length: 6 }, () => ({})) as Caller[];
const [ana, bob, carol] = callers as [Caller, Caller, Caller];
const service = {} as FrontedService;
const reads: Reads = { keys: [], varying: [], faultable: [], moveWithClock: false };

function answer(target: string, method = "GET", bytes = 100, asOfMs = 0): CachedDecision {
  return {
    service,
    rawHeaders: false,
    method,
    host: "",
    target,
    rawPath: null,
    contentType: undefined,
    region: undefined,
    partition: undefined,
    request: null as unknown as CachedDecision["request"],
    reads,
    values: [],
    decision: denied("implicit-deny"),
    asOfMs,
    bytes,
  };
}

function createCache(options: Partial<DecisionCacheOptions> = {}) {
  const evicted: Record<Eviction, number> = { capacity: 0, ttl: 0 };
  const bounds = { maxEntries: 100, maxBytes: 100_000, maxTargetsPerPrincipal: 100, ...options };
  const cache = new DecisionCache(bounds, (reason, entries) => {
    evicted[reason] += entries;
  });
  const targetsOf = (caller: Caller, ...targets: string[]) =>
    targets.filter((target) => cache.answersFor(caller, target).length > 0);
  return { cache, evicted, bounds, targetsOf };
}

test("an answer is found by its caller and target, and by nobody else's", () => {
  const { cache } = createCache();
  const stored = answer("/a");
  expect(cache.store(ana, stored)).toBe("added");
  expect(cache.answersFor(ana, "/a")).toEqual([stored]);
  expect(cache.answersFor(ana, "/b")).toEqual([]);
  expect(cache.answersFor(bob, "/a")).toEqual([]);
});

test("a later answer to the same question takes the place of the earlier", () => {
  const { cache, evicted } = createCache();
  cache.store(ana, answer("/a", "GET", 100, 1));
  const later = answer("/a", "GET", 250, 2);
  expect(cache.store(ana, later)).toBe("replaced");
  expect(cache.answersFor(ana, "/a")).toEqual([later]);
  expect([cache.entries, cache.bytes, evicted.ttl]).toEqual([1, 250, 1]);
});

test("of one target the four newest questions are kept", () => {
  const { cache, evicted } = createCache();
  for (const method of ["A", "B", "C", "D", "E"]) cache.store(ana, answer("/a", method));
  expect(cache.answersFor(ana, "/a").map(({ method }) => method)).toEqual(["B", "C", "D", "E"]);
  expect([cache.entries, evicted.capacity]).toEqual([4, 1]);
});

describe("what is worth keeping", () => {
  test.each<[why: string, bounds: Partial<DecisionCacheOptions>]>([
    ["entries", { maxEntries: 4 }],
    ["bytes", { maxBytes: 400 }],
    ["the caller's targets", { maxTargetsPerPrincipal: 4 }],
  ])("half of %s are taken: only a target that came before", (_why, bounds) => {
    const { cache } = createCache(bounds);
    for (const target of ["/1", "/2", "/3"]) {
      expect(cache.wants(ana, target)).toBe(true);
      cache.store(ana, answer(target));
    }
    expect(cache.wants(ana, "/new")).toBe(false);
    expect(cache.wants(ana, "/new")).toBe(true);
    expect(cache.wants(ana, "/newer")).toBe(false);
  });

  test("an answer that has ended is replaced, however full the cache is", () => {
    const { cache } = createCache({ maxEntries: 2 });
    for (const target of ["/1", "/2"]) cache.store(ana, answer(target));
    expect(cache.wants(ana, "/1")).toBe(true);
    expect(cache.wants(bob, "/1")).toBe(false);
  });

  test("a caller whose part is full leaves the others theirs", () => {
    const { cache } = createCache({ maxTargetsPerPrincipal: 2 });
    for (const target of ["/1", "/2"]) cache.store(ana, answer(target));
    expect(cache.wants(ana, "/3")).toBe(false);
    expect(cache.wants(bob, "/4")).toBe(true);
  });
});

describe("bounds", () => {
  test("a caller that floods targets turns over only its own", () => {
    const { cache, targetsOf, evicted } = createCache({ maxTargetsPerPrincipal: 3 });
    cache.store(bob, answer("/mine"));
    for (let n = 0; n < 50; n++) cache.store(ana, answer(`/${n}`));
    expect(targetsOf(ana, "/46", "/47", "/48", "/49")).toEqual(["/47", "/48", "/49"]);
    expect(targetsOf(bob, "/mine")).toEqual(["/mine"]);
    expect([cache.entries, evicted.capacity]).toEqual([4, 47]);
  });

  test.each<[why: string, bounds: Partial<DecisionCacheOptions>]>([
    ["entries", { maxEntries: 4 }],
    ["bytes", { maxBytes: 400 }],
  ])("too many %s: the least recently used caller leaves whole", (_why, bounds) => {
    const { cache, targetsOf, evicted } = createCache(bounds);
    cache.store(ana, answer("/1"));
    cache.store(ana, answer("/2"));
    cache.store(bob, answer("/3"));
    cache.store(carol, answer("/4"));
    // Ana is used, so it is Bob's turn.
    expect(targetsOf(ana, "/1")).toEqual(["/1"]);
    cache.store(carol, answer("/5"));
    expect(targetsOf(bob, "/3")).toEqual([]);
    expect(targetsOf(ana, "/1", "/2")).toEqual(["/1", "/2"]);
    expect([cache.entries, cache.bytes, evicted.capacity]).toEqual([4, 400, 1]);
  });

  test("a caller that is alone with too much loses its oldest targets", () => {
    const { cache, targetsOf } = createCache({ maxBytes: 350 });
    for (const target of ["/1", "/2", "/3", "/4"]) cache.store(ana, answer(target));
    expect(targetsOf(ana, "/1", "/2", "/3", "/4")).toEqual(["/2", "/3", "/4"]);
  });

  test("what is larger than all of the cache is refused", () => {
    const { cache } = createCache({ maxBytes: 1_000 });
    cache.store(bob, answer("/1"));
    expect(cache.store(ana, answer("/a", "GET", 1_001))).toBe("refused");
    expect(cache.entries).toBe(1);
  });

  test("an answer that replaces a smaller one may push others out, never itself", () => {
    const { cache, targetsOf } = createCache({ maxBytes: 1_000 });
    cache.store(ana, answer("/1"));
    cache.store(ana, answer("/2"));
    expect(cache.store(ana, answer("/2", "GET", 950, 1))).toBe("replaced");
    expect(targetsOf(ana, "/1", "/2")).toEqual(["/2"]);
    expect([cache.entries, cache.bytes]).toEqual([1, 950]);
  });
});

test("entries and bytes are the sums over what is there, whatever was stored and asked", () => {
  const operation = fc.record({
    caller: fc.nat(callers.length - 1),
    target: fc.nat(8).map((n) => `/${n}`),
    method: fc.constantFrom("A", "B", "C", "D", "E", "F"),
    bytes: fc.integer({ min: 1, max: 1_200 }),
    asks: fc.boolean(),
  });
  const bounds = fc.record({
    maxEntries: fc.integer({ min: 1, max: 20 }),
    maxBytes: fc.integer({ min: 500, max: 5_000 }),
    maxTargetsPerPrincipal: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(bounds, fc.array(operation, { maxLength: 120 }), (given, operations) => {
      const { cache, evicted } = createCache(given);
      let stored = 0;
      for (const { caller, target, method, bytes, asks } of operations) {
        const who = callers[caller] as Caller;
        if (asks) cache.answersFor(who, target);
        else if (cache.store(who, answer(target, method, bytes)) !== "refused") stored++;
        expect(cache.entries).toBeLessThanOrEqual(given.maxEntries);
        expect(cache.bytes).toBeLessThanOrEqual(given.maxBytes);
      }
      let [entries, bytes] = [0, 0];
      for (const who of callers) {
        let targets = 0;
        for (let n = 0; n <= 8; n++) {
          const list = cache.answersFor(who, `/${n}`);
          if (list.length > 0) targets++;
          entries += list.length;
          bytes += list.reduce((sum, each) => sum + each.bytes, 0);
        }
        expect(targets).toBeLessThanOrEqual(given.maxTargetsPerPrincipal);
      }
      expect([cache.entries, cache.bytes]).toEqual([entries, bytes]);
      expect(evicted.capacity + evicted.ttl).toBe(stored - entries);
    }),
    { numRuns: 300 },
  );
});
