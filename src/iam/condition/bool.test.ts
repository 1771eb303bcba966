import { expect, test } from "vitest";
import { parseBool } from "./bool.ts";

test.each([
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["fAlSe", false],
  ["", null],
  ["1", null],
  ["yes", null],
  [" true", null],
  ["true ", null],
  ["tru\u0117", null],
  ["t\u0280ue", null],
])("VAL-3 %j is %s", (text, want) => {
  expect(parseBool(text)).toBe(want);
});
