import { expect, test } from "vitest";
import { rememberLast } from "./value-matcher.ts";

test("a text is read once, however many statements ask one after the other", () => {
  const read: string[] = [];
  const parse = rememberLast((text) => {
    read.push(text);
    return text.length;
  });
  expect(["", "ab", "ab", "c", "c", "ab"].map(parse)).toEqual([0, 2, 2, 1, 1, 2]);
  expect(read).toEqual(["", "ab", "c", "ab"]);
});
