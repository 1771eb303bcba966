import { expect, test } from "vitest";
import { as, documents, one } from "../../../test/fakes/orders.ts";
import { startPipeline } from "../../../test/fakes/pipeline.ts";
import { StageClock } from "./stage-clock.ts";

/** A clock of which each read takes one nanosecond more than the one before. */
function createStages(every: number) {
  let nowNs = 0;
  let reads = 0;
  const told: string[] = [];
  const stages = new StageClock(
    every,
    () => {
      reads++;
      nowNs += reads;
      return nowNs;
    },
    (stage, durationNs) => told.push(`${stage} ${durationNs}`),
  );
  return { stages, told, reads: () => reads };
}

test("a stage lasts until the next is entered, the last until the end", () => {
  const { stages, told } = createStages(1);
  stages.start();
  stages.enter("resolve");
  stages.enter("authenticate");
  stages.enter("respond");
  stages.end();
  expect(told).toEqual(["resolve 2", "authenticate 3", "respond 4"]);
});

test("one Check in so many reads the clock, and ends what it began", () => {
  const { stages, told, reads } = createStages(3);
  for (let check = 1; check <= 7; check++) {
    stages.start();
    stages.enter("resolve");
    stages.enter("respond");
    stages.end();
    stages.end();
  }
  expect(told.map((line) => line.split(" ")[0])).toEqual([
    ...["resolve", "respond", "resolve", "respond"],
  ]);
  expect(reads()).toBe(6);
});

test("a Check that never ended leaves nothing to the next", () => {
  const { stages, told } = createStages(1);
  stages.start();
  stages.enter("resolve");
  stages.start();
  stages.enter("map");
  stages.end();
  expect(told).toEqual(["map 3"]);
});

test("of the Checks of a process one in 64 shows its stages", async () => {
  const pipeline = await startPipeline({ documents, sets: ["decisionCache.enabled=false"] });
  for (let check = 0; check < 128; check++) pipeline.ask({ ...one, ...as("ana") });
  const metrics = await pipeline.metrics();
  const counts = ["resolve", "authenticate", "map", "evaluate", "respond"].map((stage) =>
    Number(
      new RegExp(`stage_duration_seconds_count\\{stage="${stage}"\\} (\\d+)`).exec(metrics)?.[1],
    ),
  );
  expect(counts).toEqual([2, 2, 2, 2, 2]);
});
