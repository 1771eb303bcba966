import { expect, test } from "vitest";
import { ListMap } from "./list-map.ts";

const [a, b, c] = [{ id: "x" }, { id: "x" }, { id: "x\nx" }];

test("a list has one value, made once, and its beginnings and turns have others", () => {
  const map = new ListMap<object | null, object>();
  let made = 0;
  const at = (...keys: (object | null)[]) => map.get(keys, () => ({ made: ++made }));
  const lists = [[], [a], [b], [a, a], [a, b], [b, a], [c], [null], [a, null], [a, b, a]];
  const values = lists.map((keys) => at(...keys));
  expect(new Set(values).size).toBe(lists.length);
  expect(lists.map((keys) => at(...keys))).toEqual(values);
  expect(made).toBe(lists.length);
});
