import { Bench } from "tinybench";
import { subjects } from "./subjects/registry.ts";
import type { Subject } from "./subjects/subject.ts";

/*
 * One subject of the micro rows, in a process of its own:
 *
 *   node --expose-gc bench/micro.ts decode-ours
 *
 * Over IPC it says `ready` after its warm-up and answers each `{ ms }` with what a call costs, in
 * microseconds of CPU (user and system, all threads: collections count), measured for that long.
 * By hand, without a parent, it prints seven such figures.
 */

/** What the parent asks. */
export interface MeasureRequest {
  readonly ms: number;
}

/** CPU between two looks at the clock, so that the clock's own cost and its grain do not matter. */
const batchMs = 2;

/** CPU milliseconds of this process: preemption by others is no cost of ours. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let sink = 0;

async function usPerCall(call: () => number, calls: number, ms: number): Promise<number> {
  const bench = new Bench({ time: ms, iterations: 1, warmup: false, now: cpuMs, throws: true });
  bench.add("subject", () => {
    for (let n = 0; n < calls; n++) sink ^= call();
  });
  const [task] = await bench.run();
  const result = task?.result;
  if (result === undefined || !("latency" in result)) throw new Error("no result");
  return (result.latency.mean * 1000) / calls;
}

/** Returns how many calls take about `batchMs`; warms them up on the way. */
function callsOfBatch(call: () => number): number {
  for (let calls = 1; ; calls *= 2) {
    const before = cpuMs();
    for (let n = 0; n < calls; n++) sink ^= call();
    if (cpuMs() - before >= batchMs) return calls;
  }
}

async function measurer(subject: Subject): Promise<(ms: number) => Promise<number>> {
  if (subject.type === "figure") return async () => subject.read();
  const { call } = subject;
  callsOfBatch(call);
  const warm = callsOfBatch(call);
  await usPerCall(call, warm, 300);
  const calls = callsOfBatch(call);
  return (ms) => usPerCall(call, calls, ms);
}

const name = process.argv[2] ?? "";
const make = subjects[name];
if (make === undefined) {
  console.error(`no subject ${name}, expected one of: ${Object.keys(subjects).join(", ")}`);
  process.exit(1);
}
const measure = await measurer(await make());
if (process.send === undefined) {
  for (let round = 0; round < 7; round++) console.log((await measure(150)).toPrecision(4));
} else {
  process.on("message", async ({ ms }: MeasureRequest) => process.send?.(await measure(ms)));
  process.once("disconnect", () => process.exit(0));
  process.send("ready");
}
process.once("exit", () => {
  // Whatever was computed was needed: nothing may be optimised away.
  if (sink === 0.5) console.error(sink);
});
