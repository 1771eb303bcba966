import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CommandIo } from "../io.ts";
import { createProgress } from "./progress.ts";

let err = "";
beforeEach(() => {
  err = "";
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const io = (terminal: boolean): CommandIo => ({
  ...{ out: () => {}, stdin: (async function* () {})(), env: {}, terminal },
  err(text) {
    err += text;
  },
});

test("in a pipe each line comes once", () => {
  const progress = createProgress(io(false));
  progress.say("fetching Envoy ...");
  vi.advanceTimersByTime(3000);
  progress.say("there it is");
  progress.done();
  expect(err).toBe("fetching Envoy ...\nthere it is\n");
});

test("on a terminal a long step counts seconds, until the next line", () => {
  const progress = createProgress(io(true));
  progress.say("fetching Envoy ...");
  vi.advanceTimersByTime(2500);
  progress.say("there it is");
  vi.advanceTimersByTime(5000);
  progress.done();
  expect(err).toBe(
    "fetching Envoy ...\rfetching Envoy ... 1 s\rfetching Envoy ... 2 s\nthere it is\n",
  );
});
