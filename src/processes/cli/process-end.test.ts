import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { LogLines } from "../../../test/fakes/log-lines.ts";
import { createLog } from "../../adapters/telemetry/log.ts";
import { listenForEnd } from "./process-end.ts";

function listening() {
  const source = new EventEmitter();
  const lines = new LogLines();
  const timers: (() => void)[] = [];
  const exits: string[] = [];
  const end = listenForEnd({
    source,
    log: createLog({ writer: lines, nowMs: () => 0, component: "authorizer", version: "0" }),
    exit: () => exits.push("exit"),
    setTimer: (run) => timers.push(run),
  });
  const events = () => lines.records().map(({ event }) => event);
  return { source, end, events, timers, exits };
}

test.each(["SIGTERM", "SIGINT"])("%s is taken once, and is no failure", async (signal) => {
  const { source, end } = listening();
  source.emit(signal);
  await end.asked;
  expect(end.isFailure).toBe(false);
  expect(source.listenerCount(signal)).toBe(0);
});

test("H2-014: every rejection that nobody handled is logged; the process ends in order", async () => {
  const { source, end, events, exits } = listening();
  for (const _each of [1, 2]) source.emit("unhandledRejection", new Error("nobody cares"));
  await end.asked;
  expect(end.isFailure).toBe(true);
  expect(events()).toEqual(["unhandled-rejection", "unhandled-rejection"]);
  expect(exits).toEqual([]);
});

test("an exception that nobody caught is logged, and ends the process even if its end hangs", async () => {
  const { source, end, events, timers, exits } = listening();
  source.emit("uncaughtException", new Error("out of the blue"));
  await end.broken;
  expect(end.isFailure).toBe(true);
  expect(events()).toEqual(["uncaught-exception"]);
  for (const run of timers) run();
  expect(exits).toEqual(["exit"]);
});
