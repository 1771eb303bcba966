import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { listenForInterruption } from "./interruption.ts";

test.each(["SIGINT", "SIGTERM", "SIGHUP"])("%s is taken once", async (name) => {
  const source = new EventEmitter();
  const { signal, happened } = listenForInterruption(source);
  expect(signal.aborted).toBe(false);
  source.emit(name);
  await happened;
  expect(signal.reason).toMatchObject({ code: "quickstart-failed", message: "interrupted" });
  // The next one is Node's: nobody waits for a close that hangs.
  expect(source.eventNames()).toEqual([]);
});

test("released, it takes none", () => {
  const source = new EventEmitter();
  const { signal, release } = listenForInterruption(source);
  release();
  expect(source.eventNames()).toEqual([]);
  expect(signal.aborted).toBe(false);
});
