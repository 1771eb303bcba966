import { expect, test } from "vitest";
import { noPaint, paintOf } from "./paint.ts";

const io = (terminal: boolean, env: Record<string, string>) => ({
  ...{ out: () => {}, err: () => {}, stdin: (async function* () {})(), terminal, env },
});

test.each([
  { why: "a terminal", terminal: true, env: {}, colour: true },
  { why: "an empty NO_COLOR is none", terminal: true, env: { NO_COLOR: "" }, colour: true },
  { why: "NO_COLOR", terminal: true, env: { NO_COLOR: "1" }, colour: false },
  { why: "a pipe", terminal: false, env: {}, colour: false },
])("$why: colour is $colour", ({ terminal, env, colour }) => {
  expect(paintOf(io(terminal, env)) !== noPaint).toBe(colour);
});
