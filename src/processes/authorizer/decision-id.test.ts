import { expect, test } from "vitest";
import { createDecisionIds, decisionIdLength } from "./decision-id.ts";

test("ids have a fixed width, share the prefix of the process and never repeat", () => {
  const next = createDecisionIds(() => Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 255));
  const ids = Array.from({ length: 1000 }, next);
  expect(new Set(ids).size).toBe(1000);
  expect(ids[0]).toBe("00010203040506ff-00000000001");
  expect(ids.every((id) => id.length === decisionIdLength)).toBe(true);
});
