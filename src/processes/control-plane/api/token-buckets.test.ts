import { expect, test } from "vitest";
import { TokenBuckets } from "./token-buckets.ts";

function buckets() {
  const time = { ms: 0 };
  const made = new TokenBuckets({ perSecond: 2, burst: 3 }, () => time.ms);
  const take = (key: string, times: number) => Array.from({ length: times }, () => made.take(key));
  return { time, take };
}

test("a burst is taken at once, then as much as time brings back", () => {
  const { time, take } = buckets();
  expect(take("ana", 4)).toEqual([true, true, true, false]);
  time.ms = 499;
  expect(take("ana", 1)).toEqual([false]);
  time.ms = 500;
  expect(take("ana", 2)).toEqual([true, false]);
  time.ms = 60_000;
  expect(take("ana", 4)).toEqual([true, true, true, false]);
});

test("TEN-8 one caller's flood is nobody else's", () => {
  const { take } = buckets();
  take("ana", 10);
  expect(take("bob", 3)).toEqual([true, true, true]);
});

test("a bucket that is in use is not forgotten for new callers", () => {
  const { time, take } = buckets();
  for (let caller = 0; caller < 9_999; caller++) take(`idle-${caller}`, 1);
  time.ms = 10_000;
  take("ana", 4);
  take("new", 1);
  expect(take("ana", 1)).toEqual([false]);
});
