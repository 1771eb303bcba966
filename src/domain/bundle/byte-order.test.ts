import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes, sortById } from "./byte-order.ts";

test("texts are ordered as their UTF-8 bytes are", () => {
  // One character of each length, and those on both sides of where UTF-16 disagrees.
  const unit = fc.constantFrom("a", "b", "\u07ff", "\ud7ff", "\ue000", "\uffff", "\u{10000}");
  const text = fc.string({ unit, maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const order = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareBytes(a, b))).toBe(order);
    }),
    { numRuns: 500 },
  );
});

test("a character above U+FFFF comes after U+E000, unlike in UTF-16", () => {
  expect(sortById([{ id: "\u{1f600}" }, { id: "\ue000" }]).map(({ id }) => id)).toEqual([
    "\ue000",
    "\u{1f600}",
  ]);
});
