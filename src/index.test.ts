import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as library from "./index.ts";

test("the example of the library's docstring runs and decides as it says", () => {
  const source = readFileSync(new URL("./index.ts", import.meta.url), "utf8");
  const block = /```ts\n([\s\S]*?) \* ```/.exec(source)?.[1] ?? "";
  const code = block.replaceAll(/^ \* ?/gm, "");
  expect(code).toContain("evaluate(");
  const names = Object.keys(library);
  const values = Object.values(library);
  const run = new Function(...names, `${code}\nreturn decision;`);
  expect(run(...values)).toMatchObject({ decision: "allowed", reason: "identity-policy" });
});
