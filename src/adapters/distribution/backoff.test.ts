import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("BUN-13 the bound doubles from 0.2 s to 30 s, and begins anew after a reset", () => {
  const backoff = new Backoff(() => 1);
  const waits = Array.from({ length: 10 }, () => backoff.nextMs());
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(200);
});

test("istio#35263 opal#915 the jitter is full: any wait from nothing to the bound", () => {
  const draws = [0, 0.5, 0.999];
  const backoff = new Backoff(() => draws.shift() ?? 0);
  expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([0, 200, 799.2]);
});

test("what the server asks for comes first, up to a minute, and is spread", () => {
  const backoff = new Backoff(() => 0.5);
  expect(backoff.nextMs(5_000)).toBe(5_100);
  expect(backoff.nextMs(86_400_000)).toBe(60_200);
  expect(backoff.nextMs(-1)).toBe(400);
  for (let i = 0; i < 20; i++) backoff.nextMs();
  expect(backoff.nextMs(1_000)).toBe(1_500);
  expect(backoff.nextMs(20_000)).toBe(22_500);
});

test("after a thousand failures the wait is a number within the bound", () => {
  const backoff = new Backoff(() => 1);
  for (let i = 0; i < 2_000; i++) backoff.nextMs();
  expect(backoff.nextMs()).toBe(30_000);
});
