import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { Parsed } from "../../iam/problem.ts";
import { KeyCache } from "./key-cache.ts";
import { defaultKeySetLimits } from "./key-set.ts";
import type { KeySourceSpec } from "./key-source.ts";
import { defaultRefreshOptions } from "./refreshed-keys.ts";

function setOf(...ids: readonly string[]): string {
  return JSON.stringify({
    keys: ids.map((kid) => ({
      ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }),
      kid,
    })),
  });
}

const down: Parsed<string> = { ok: false, code: "network", message: "down" };

/** A cache whose network answers what `answers` says, on a clock that the test moves. */
function createCache(
  answers: ReadonlyMap<string, Parsed<string> | Promise<Parsed<string>>>,
  random = 0,
) {
  const world = { nowMs: 1_000_000, fetched: [] as string[], told: [] as string[] };
  const timers = new Map<() => void, number>();
  const cache = new KeyCache({
    fetchText: (url) => {
      world.fetched.push(url);
      return Promise.resolve(answers.get(url) ?? down);
    },
    nowMs: () => world.nowMs,
    setTimer: (run, delayMs) => {
      timers.set(run, delayMs);
      return () => timers.delete(run);
    },
    random: () => random,
    listener: {
      refreshed: (alias, result) => {
        const how = result.type === "ok" ? `ok ${result.changed}` : result.code;
        world.told.push(`${alias} ${how}`);
      },
      keyRefused: (alias, { cause }) => world.told.push(`${alias} refused ${cause}`),
      keyReturned: () => undefined,
    },
    limits: defaultKeySetLimits,
    refresh: defaultRefreshOptions,
  });
  const tick = async (): Promise<void> => {
    const due = [...timers.keys()];
    timers.clear();
    for (const run of due) run();
    await cache.idle();
  };
  return { cache, world, timers, tick };
}

const uri = "https://login.example/keys";

function specOf(changes: Partial<KeySourceSpec> = {}): KeySourceSpec {
  return {
    issuerId: "a",
    alias: "login",
    form: "jwks",
    issuer: "https://login.example",
    source: { type: "uri", uri },
    refreshHintSeconds: null,
    ...changes,
  };
}

const ok = (text: string): Parsed<string> => ({ ok: true, value: text });

test("pinned keys are loaded once, need no network and grow no older", async () => {
  const { cache, world, timers } = createCache(new Map());
  await cache.configure([specOf({ source: { type: "keys", json: setOf("k") } })]);
  expect(cache.keysOf("a")?.byId.has("k")).toBe(true);
  cache.noteUnknownKey("a");
  await cache.idle();
  expect(world.fetched).toEqual([]);
  expect(timers.size).toBe(0);
  world.nowMs += 1e12;
  expect(cache.keysOf("a")?.byId.has("k")).toBe(true);
});

test("pinned keys that are no key set leave their issuer without keys, and say so", async () => {
  const { cache, world } = createCache(new Map());
  await cache.configure([specOf({ source: { type: "keys", json: "{}" } })]);
  expect(cache.keysOf("a")).toBeNull();
  expect(world.told).toEqual(["login key-set-shape"]);
  expect(cache.status).toMatchObject([{ alias: "login", keys: 0, lastFailure: "key-set-shape" }]);
});

test("an issuer that is not configured has no keys, and a token of it starts nothing", async () => {
  const { cache, world } = createCache(new Map());
  cache.noteUnknownKey("nobody");
  await cache.idle();
  expect(cache.keysOf("nobody")).toBeNull();
  expect(cache.stampOf("nobody")).toBe(0);
  expect(world.fetched).toEqual([]);
});

test("waits after failures double up to the interval, and end with the first success", async () => {
  const answers = new Map<string, Parsed<string>>();
  const { cache, timers, tick } = createCache(answers);
  await cache.configure([specOf()]);
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    delays.push(...timers.values());
    await tick();
  }
  expect(delays).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  answers.set(uri, ok(setOf("k")));
  await tick();
  expect([...timers.values()]).toEqual([300_000]);
});

test("jitter shortens a wait and never lengthens it", async () => {
  const answers = new Map([[uri, ok(setOf("k"))]]);
  const { cache, timers, tick } = createCache(answers, 0.999);
  await cache.configure([specOf()]);
  const [wait = 0] = timers.values();
  expect(wait).toBeGreaterThanOrEqual(270_000);
  expect(wait).toBeLessThan(300_000);
  answers.clear();
  await tick();
  const [retry = 0] = timers.values();
  expect(retry).toBeGreaterThanOrEqual(2_500);
  expect(retry).toBeLessThan(5_000);
});

test("one fetch at a time, however many ask", async () => {
  const { cache, world } = createCache(new Map([[uri, ok(setOf("k"))]]));
  const first = cache.configure([specOf()]);
  for (let i = 0; i < 100; i++) cache.noteUnknownKey("a");
  await Promise.all([first, cache.configure([specOf()])]);
  expect(world.fetched).toEqual([uri]);
});

test("a clock that stepped back does not silence unknown keys", async () => {
  const { cache, world } = createCache(new Map([[uri, ok(setOf("k"))]]));
  await cache.configure([specOf()]);
  cache.noteUnknownKey("a");
  await cache.idle();
  world.nowMs -= 3_600_000;
  cache.noteUnknownKey("a");
  await cache.idle();
  expect(world.fetched.length).toBe(3);
});

test("a source that stays keeps its keys, a changed one begins anew, a removed one is gone", async () => {
  const other = "https://login.example/new";
  const answers = new Map([
    [uri, ok(setOf("old"))],
    [other, down],
  ]);
  const { cache, world } = createCache(answers);
  await cache.configure([specOf(), specOf({ issuerId: "b" })]);
  const [keys, stamp] = [cache.keysOf("a"), cache.stampOf("a")];
  await cache.configure([specOf(), specOf({ issuerId: "b", source: { type: "uri", uri: other } })]);
  expect(cache.keysOf("a")).toBe(keys);
  expect(cache.stampOf("a")).toBe(stamp);
  expect(cache.keysOf("b")).toBeNull();
  expect(world.fetched).toEqual([uri, uri, other]);
  await cache.configure([]);
  expect(cache.keysOf("a")).toBeNull();
  expect(cache.status).toEqual([]);
});

test("until changed sources are in force, the keys of the old ones serve on", async () => {
  const pinned = specOf({ source: { type: "keys", json: setOf("new") } });
  const { cache } = createCache(new Map([[uri, ok(setOf("old"))]]));
  await cache.configure([specOf(), specOf({ issuerId: "b" })]);
  const changed = cache.configure([pinned]);
  expect([...(cache.keysOf("a")?.byId.keys() ?? [])]).toEqual(["old"]);
  expect(cache.keysOf("b")).not.toBeNull();
  await changed;
  expect([...(cache.keysOf("a")?.byId.keys() ?? [])]).toEqual(["new"]);
  expect(cache.keysOf("b")).toBeNull();
});

test("a new address that hangs has no keys until it answers, and holds up nobody else's", async () => {
  const hanging = "https://login.example/new";
  const { promise, resolve } = Promise.withResolvers<Parsed<string>>();
  const { cache } = createCache(
    new Map([
      [uri, Promise.resolve(ok(setOf("old")))],
      [hanging, promise],
    ]),
  );
  await cache.configure([specOf()]);
  const moved = specOf({ source: { type: "uri", uri: hanging } });
  const pinned = specOf({ issuerId: "b", source: { type: "keys", json: setOf("pinned") } });
  await cache.configure([moved, pinned]);
  expect(cache.keysOf("a")).toBeNull();
  expect(cache.keysOf("b")?.byId.has("pinned")).toBe(true);
  resolve(ok(setOf("new")));
  await cache.idle();
  expect(cache.keysOf("a")?.byId.has("new")).toBe(true);
});

test("the first issuers are in force when each was tried", async () => {
  const { promise, resolve } = Promise.withResolvers<Parsed<string>>();
  const { cache } = createCache(new Map([[uri, promise]]));
  const first = cache.configure([specOf()]);
  resolve(ok(setOf("k")));
  await first;
  expect(cache.keysOf("a")?.byId.has("k")).toBe(true);
});

test("closing while a new source is tried leaves nothing behind", async () => {
  const { cache, timers } = createCache(new Map([[uri, ok(setOf("k"))]]));
  const first = cache.configure([specOf()]);
  cache.close();
  await first;
  expect(cache.keysOf("a")).toBeNull();
  expect(timers.size).toBe(0);
});

test("no two states of an issuer share a stamp, not even across a change of its source", async () => {
  const answers = new Map([[uri, ok(setOf("k"))]]);
  const { cache, world, tick } = createCache(answers);
  const seen: number[] = [];
  await cache.configure([specOf()]);
  seen.push(cache.stampOf("a"));
  answers.set(uri, ok(setOf("l")));
  await tick();
  seen.push(cache.stampOf("a"));
  await cache.configure([specOf({ source: { type: "keys", json: setOf("k") } })]);
  seen.push(cache.stampOf("a"));
  await cache.configure([specOf()]);
  seen.push(cache.stampOf("a"));
  await cache.idle();
  seen.push(cache.stampOf("a"));
  world.nowMs += 86_400_001;
  seen.push(cache.stampOf("a"));
  expect(cache.keysOf("a")).toBeNull();
  expect(new Set(seen).size).toBe(seen.length);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

test("a fetch that ends after its issuer was removed changes nothing", async () => {
  const { cache, world } = createCache(new Map([[uri, ok(setOf("k"))]]));
  const first = cache.configure([specOf()]);
  await cache.configure([]);
  await first;
  expect(world.told).toEqual([]);
  expect(cache.keysOf("a")).toBeNull();
});

test("refused entries are told once, until they change", async () => {
  const bad = JSON.stringify({ keys: [{ kty: "oct", k: "AA" }] });
  const answers = new Map([[uri, ok(bad)]]);
  const { cache, world, tick } = createCache(answers);
  await cache.configure([specOf()]);
  await tick();
  expect(world.told).toEqual(["login refused secret", "login ok true", "login ok false"]);
});

test("after close nothing is fetched and nothing answers", async () => {
  const { cache, world, timers } = createCache(new Map([[uri, ok(setOf("k"))]]));
  await cache.configure([specOf()]);
  cache.close();
  expect(timers.size).toBe(0);
  cache.noteUnknownKey("a");
  expect(cache.keysOf("a")).toBeNull();
  expect(world.fetched.length).toBe(1);
});

test("a trust domain's documents may ask for another interval, within the bounds", async () => {
  const answers = new Map([[uri, ok('{"keys":[],"spiffe_refresh_hint":120}')]]);
  for (const [asked, seconds] of [
    [null, 120],
    [600, 600],
    [1, 30],
    [86_400, 3600],
  ] as const) {
    const { cache, timers } = createCache(answers);
    await cache.configure([specOf({ form: "spiffe", refreshHintSeconds: asked })]);
    expect([...timers.values()]).toEqual([seconds * 1000]);
  }
});
