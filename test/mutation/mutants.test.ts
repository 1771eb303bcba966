import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRecordedRuns } from "../recorded-runs.ts";
import { applied, mutantsOf } from "./mutants.ts";
import { readExcuses } from "./survivors.ts";

const root = join(import.meta.dirname, "../..");

const source = `import { b } from "./b.ts";
/** Not here: a < b && true. */
export function f(n: number, text: string): boolean {
  const pattern = /^a < b$/;
  if (n <= 1 && text === "x + y") return !pattern.test(text);
  b.count += 1;
  return false;
}
`;

test("a file without its types is changed in one place at a time", () => {
  const { code, mutants } = mutantsOf("f.ts", source);
  expect(mutants.map(({ line, before, after }) => `${line}:${before}->${after}`)).toEqual([
    '5:(n <= 1 && text === "x + y")->(false)',
    '5:(n <= 1 && text === "x + y")->(true)',
    "5: <= -> < ",
    "5: <= -> > ",
    "5:1->0",
    "5: && -> || ",
    "5: === -> !== ",
    '5:"x + y"->"x + y~"',
    "5:!->",
    "6:  b.count += 1;->",
    "6: += -> -= ",
    "6:1->0",
    "7:false->true",
  ]);
  const texts = new Set(mutants.map((mutant) => applied(code, mutant)));
  expect(texts.size).toBe(mutants.length);
  for (const text of texts) expect(text.split("\n")).toHaveLength(code.split("\n").length);
});

test("mutants of one name are numbered", () => {
  const { mutants } = mutantsOf("f.ts", "export const both = true && true;\n");
  expect(mutants.map(({ name }) => name)).toEqual([
    "f.ts: true -> false | export const both = true && true;",
    "f.ts: && -> || | export const both = true && true;",
    "f.ts: true -> false | export const both = true && true; #2",
  ]);
});

const excused = readExcuses().flatMap(({ mutants }) => mutants);

test("the list of survivors names mutants that there are, each once", () => {
  const paths = globSync("src/iam/**/*.ts", { cwd: root }).filter((path) =>
    excused.some((name) => name.startsWith(`${path}: `)),
  );
  const names = new Set(
    paths.flatMap((path) =>
      mutantsOf(path, readFileSync(join(root, path), "utf8")).mutants.map(({ name }) => name),
    ),
  );
  expect(excused.filter((name) => !names.has(name))).toEqual([]);
  expect(excused.filter((name, index) => excused.indexOf(name) !== index)).toEqual([]);
});

test("of the recorded run 95 of a hundred were killed, and no survivor is without a reason", () => {
  const files = readRecordedRuns().mutation?.files ?? [];
  const survivors = files.flatMap((file) => file.survivors);
  const total = files.reduce((sum, { mutants }) => sum + mutants, 0);
  expect(total).toBeGreaterThanOrEqual(600);
  expect(1 - survivors.length / total).toBeGreaterThanOrEqual(0.95);
  expect(survivors.filter((name) => !excused.includes(name))).toEqual([]);
});
