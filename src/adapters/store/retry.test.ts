import { expect, test } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { MeshIamError } from "../../iam/error.ts";
import { AttemptFailed, type Failure, withRetries } from "./retry.ts";
import type { Outcome } from "./unavailable.ts";

const transient = { type: "transient", message: "a lock" } as const;
const full = { type: "unavailable", message: "no space" } as const;
const bug = { type: "lasting", error: new MeshIamError("store-constraint", "taken") } as const;

const failing = (failure: Failure, outcome: Outcome = "not-applied") =>
  new AttemptFailed(failure, outcome, new Error("theirs"));

/** Runs attempts that end as told, the last one again and again; returns what came of it, and how often. */
async function tried(...ends: readonly (AttemptFailed | string)[]) {
  const clock = new ManualClock(0);
  let attempts = 0;
  const result = withRetries({ clock, random: () => 0.5 }, () => {
    const end = ends[Math.min(attempts++, ends.length - 1)];
    if (typeof end === "string") return end;
    throw end;
  }).then(
    (value) => ({ value }),
    ({ code, outcome, message }) => ({ code, outcome, message }),
  );
  await clock.advance(30_000);
  return { ...(await result), attempts, pending: clock.pending };
}

test("what passes by itself is tried again until it has passed", async () => {
  const ends = [failing(transient), failing(transient, "unknown"), "done"];
  expect(await tried(...ends)).toEqual({ value: "done", attempts: 3, pending: 0 });
});

test("after 10 s it is unavailable, and a lost answer stays lost whatever came later", async () => {
  const told = await tried(failing(transient));
  expect(told).toMatchObject({ code: "store-unavailable", outcome: "not-applied", pending: 0 });
  // 10 s of waits of a quarter of a second, after shorter ones.
  expect(told.attempts).toBeGreaterThan(40);
  expect(told.attempts).toBeLessThan(60);
  expect(await tried(failing(transient, "unknown"), failing(transient))).toMatchObject({
    code: "store-unavailable",
    outcome: "unknown",
    message: "a lock; whether the change was applied is not known",
  });
});

test.each([
  { why: "a full disk", end: full, want: { code: "store-unavailable", message: "no space" } },
  { why: "a taken name", end: bug, want: { code: "store-constraint", message: "taken" } },
])("$why is told at once", async ({ end, want }) => {
  expect(await tried(failing(end), "done")).toMatchObject({ ...want, attempts: 1 });
});

test("what a plan throws is thrown as it is", async () => {
  const clock = new ManualClock(0);
  const own = new RangeError("a bug");
  const throwing = withRetries({ clock, random: () => 0 }, () => {
    throw own;
  });
  await expect(throwing).rejects.toBe(own);
});
