import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referencePages } from "../docs/reference/pages.ts";

const folder = join(import.meta.dirname, "../docs/reference");
const pages = referencePages();

test.each([...pages])("docs/reference/%s is what `npm run generate` makes", (name, text) => {
  expect(readFileSync(join(folder, name), "utf8") === text, "run `npm run generate`").toBe(true);
});

test("every page of the folder is generated", () => {
  const found = readdirSync(folder).filter((name) => !name.endsWith(".ts"));
  expect(found.toSorted()).toEqual([...pages.keys()].toSorted());
});
