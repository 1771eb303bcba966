import { expect, test } from "vitest";
import { createReport, refuse } from "./report.ts";

test("what a document of nothing but mistakes says is bounded, and so is the work of saying it", () => {
  const report = createReport();
  const place = { path: "", position: { line: 1, column: 1, offset: 0 } };
  let made = 0;
  for (let i = 0; i < 9_000; i++) {
    refuse(report, place, "INVALID_CONDITION_OPERATOR", () => `hint ${++made}`);
  }
  expect(report.refusals).toHaveLength(100);
  expect(report.refusals.at(-1)?.message).toBe("hint 100");
  expect(made).toBe(100);
});
