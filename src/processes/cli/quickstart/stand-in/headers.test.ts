import { expect, test } from "vitest";
import { mutate, pairsOf, toObject } from "./headers.ts";

const set = (name: string, value: string) => ({ name, value, append: false });
const append = (name: string, value: string) => ({ name, value, append: true });

test("set replaces every value, append joins what is there, remove comes last", () => {
  const headers = [
    ["x-forged", "1"],
    ["x-forged", "2"],
    ["x-there", "a"],
    ["x-both", "b"],
    ["x-kept", "c"],
  ] as const;
  const changes = [
    set("x-forged", "true"),
    append("x-there", "z"),
    append("x-absent", "z"),
    set("x-both", "set"),
  ];
  expect(mutate(headers, changes, ["x-both"])).toEqual([
    ["x-there", "a,z"],
    ["x-kept", "c"],
    ["x-forged", "true"],
  ]);
});

test("pairs keep order and repetition, names in lower case", () => {
  const pairs = pairsOf(["X-A", "1", "__proto__", "p", "x-a", "2"]);
  expect(pairs).toEqual([
    ["x-a", "1"],
    ["__proto__", "p"],
    ["x-a", "2"],
  ]);
  expect(Object.entries(toObject(pairs))).toEqual([
    ["x-a", ["1", "2"]],
    ["__proto__", "p"],
  ]);
});
