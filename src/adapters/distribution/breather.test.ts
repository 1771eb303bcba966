import { expect, test } from "vitest";
import { Breather } from "./breather.ts";
import type { Clock } from "./clock.ts";

/** A clock on which work takes time and whose timers run at once, each told of. */
function workingClock(othersMs = 0) {
  const told: string[] = [];
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(_delayMs, run) {
      told.push("others");
      nowMs += othersMs;
      queueMicrotask(run);
      return { cancel: () => {} };
    },
  };
  const work = (name: string, ms: number): undefined => {
    told.push(name);
    nowMs += ms;
  };
  return { clock, told, work };
}

test("long work lets others have a turn every few milliseconds, and comes to its result", async () => {
  const { clock, told, work } = workingClock();
  const result = await new Breather(clock).finish(
    (function* () {
      for (const [name, ms] of [
        ["a", 2],
        ["b", 2],
        ["c", 9],
        ["d", 1],
      ] as const) {
        yield work(name, ms);
      }
      return "done";
    })(),
  );
  expect(result).toBe("done");
  expect(told).toEqual(["a", "b", "others", "c", "others", "d"]);
});

test.each([
  { why: "a busy process", othersMs: 10, pieces: 5 },
  { why: "a process that is swamped", othersMs: 1_000, pieces: 25 },
])(
  "$why leaves the work as long as the others took, within bounds",
  async ({ othersMs, pieces }) => {
    const { clock, told, work } = workingClock(othersMs);
    await new Breather(clock).finish(
      (function* () {
        for (let piece = 0; piece < 60; piece++) yield work("piece", 2);
      })(),
    );
    const turns = told
      .join(" ")
      .split("others")
      .map((turn) => turn.trim().split(" ").length);
    expect(turns.slice(0, 3)).toEqual([2, pieces, pieces]);
  },
);

test("short work is done in one piece", async () => {
  const { clock, told, work } = workingClock();
  const breather = new Breather(clock);
  for (const name of ["a", "b", "c"]) {
    await breather.breathe();
    work(name, 1);
  }
  expect(told).toEqual(["a", "b", "c"]);
});

test("what throws in a piece is the caller's", async () => {
  const { clock } = workingClock();
  const broken = (function* (): Generator<undefined, string, undefined> {
    yield undefined;
    throw new Error("broken");
  })();
  await expect(new Breather(clock).finish(broken)).rejects.toThrow("broken");
});
