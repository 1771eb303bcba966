import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteCache } from "./byte-cache.ts";

const roomy = { capacity: 100, maxBytes: 100_000, seed: 7 };

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Looks for the whole of `text` where it lies within other bytes. */
function find<V>(cache: ByteCache<V>, text: string): V | undefined {
  const message = bytesOf(`before${text}after`);
  return cache.get(message, 6, 6 + text.length);
}

test.each([
  ["the last byte", `${"a".repeat(99)}b`],
  ["the first of many", `b${"a".repeat(99)}`],
  ["one more", "a".repeat(101)],
  ["one fewer", "a".repeat(99)],
  ["nothing", ""],
])("a key that differs in %s is not found", (_why, other) => {
  const cache = new ByteCache<string>(roomy);
  cache.set(bytesOf("a".repeat(100)), "value", 10);
  expect(find(cache, "a".repeat(100))).toBe("value");
  expect(find(cache, other)).toBeUndefined();
});

test("keys that differ only before the hashed part are told apart, as many as there are places", () => {
  const cache = new ByteCache<number>(roomy);
  const keys = ["a", "b", "c", "d"].map((head) => head + "x".repeat(64));
  for (const [n, key] of keys.entries()) cache.set(bytesOf(key), n, 1);
  expect(keys.map((key) => find(cache, key))).toEqual([0, 1, 2, 3]);
  cache.set(bytesOf(`e${"x".repeat(64)}`), 4, 1);
  expect(cache.size).toBe(4);
  expect(find(cache, `e${"x".repeat(64)}`)).toBe(4);
});

test("a key set again has its new value and cost", () => {
  const cache = new ByteCache<number>(roomy);
  cache.set(bytesOf("key"), 1, 10);
  cache.set(bytesOf("key"), 2, 20);
  expect([find(cache, "key"), cache.size, cache.bytes]).toEqual([2, 1, 20]);
  cache.delete(bytesOf("key"), 0, 3);
  expect([find(cache, "key"), cache.size, cache.bytes]).toEqual([undefined, 0, 0]);
});

test("what alone costs more than all may is not kept, and pushes nobody out", () => {
  const cache = new ByteCache<number>({ ...roomy, maxBytes: 100 });
  cache.set(bytesOf("small"), 1, 60);
  cache.set(bytesOf("large"), 2, 101);
  expect([find(cache, "small"), find(cache, "large")]).toEqual([1, undefined]);
});

test("who was found again stays, who was not leaves first", () => {
  const cache = new ByteCache<number>({ ...roomy, capacity: 3 });
  for (const [n, key] of ["first", "second", "third"].entries()) cache.set(bytesOf(key), n, 1);
  find(cache, "first");
  cache.set(bytesOf("fourth"), 3, 1);
  expect(["first", "second", "third", "fourth"].map((key) => find(cache, key))).toEqual([
    0,
    undefined,
    2,
    3,
  ]);
});

test("a full cache whose keys are all in use takes a new one in the place of the oldest", () => {
  const cache = new ByteCache<number>({ ...roomy, capacity: 3 });
  for (const [n, key] of ["a", "b", "c"].entries()) {
    cache.set(bytesOf(key), n, 1);
    find(cache, key);
  }
  cache.set(bytesOf("d"), 3, 1);
  expect([cache.size, find(cache, "a"), find(cache, "d")]).toEqual([3, undefined, 3]);
});

/** The simple twin: a map of texts, which never forgets. */
test("it gives what a map of the texts gives, or nothing, and keeps its bounds", () => {
  const keys = fc.constantFrom(
    ...["", "a", "b", "ab"],
    ...["x", "y", "z"].map((head) => head + "t".repeat(70)),
    ...["p", "q"].map((tail) => "t".repeat(70) + tail),
  );
  const step = fc.record({
    act: fc.constantFrom("set", "set", "get", "get", "delete"),
    key: keys,
    cost: fc.integer({ min: 1, max: 40 }),
  });
  const bounds = fc.record({
    capacity: fc.integer({ min: 0, max: 6 }),
    maxBytes: fc.integer({ min: 1, max: 100 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), bounds, (steps, options) => {
      const cache = new ByteCache<number>(options);
      const twin = new Map<string, number>();
      for (const [n, { act, key, cost }] of steps.entries()) {
        if (act === "set") {
          cache.set(bytesOf(key), n, cost);
          // What is too large to be kept leaves the former value as it is.
          if (cost <= options.maxBytes) twin.set(key, n);
        } else if (act === "delete") {
          cache.delete(bytesOf(key), 0, key.length);
          twin.delete(key);
        }
        const found = find(cache, key);
        if (found !== undefined && found !== twin.get(key)) return false;
        if (cache.size > options.capacity || cache.bytes > options.maxBytes) return false;
      }
      return true;
    }),
  );
});

test("thousands of keys have places of their own, whatever the seed", () => {
  const key = (n: number) => `${n}`.padStart(80, "k");
  const survivors = [1, 2, 3].map((seed) => {
    const cache = new ByteCache<number>({ capacity: 4000, maxBytes: 1e6, seed });
    for (let n = 0; n < 4000; n++) cache.set(bytesOf(key(n)), n, 1);
    return cache.size;
  });
  // No collision pushed anybody out of a table of four places each.
  expect(survivors).toEqual([4000, 4000, 4000]);
});
