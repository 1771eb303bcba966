import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Rules of the code that neither the compiler nor the linter holds (SUP-014, BND-025). */
const sources = globSync("src/**/*.ts").filter(
  (path) => !path.endsWith(".test.ts") && !path.startsWith("src/gen/"),
);

/** Comments may speak of what code may not do. */
function codeOf(path: string): string {
  return readFileSync(path, "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
}

const code = new Map(sources.map((path) => [path, codeOf(path)]));
const found = (pattern: RegExp, where = (_: string) => true) =>
  [...code].filter(([path, text]) => where(path) && pattern.test(text)).map(([path]) => path);

test("the rules look at the source", () => {
  expect(code.size).toBeGreaterThan(50);
  expect(found(/\bexport\b/).length).toBeGreaterThan(50);
});

test.each([
  { why: "eval", pattern: /\beval\s*\(/ },
  { why: "code made from text", pattern: /\bnew Function\b|\bFunction\s*\(/ },
  { why: "an import of data", pattern: /\bimport\s*\(\s*(?!["'])/ },
  { why: "a prototype that is changed", pattern: /__proto__\s*[:=]|setPrototypeOf\(/ },
  { why: "a certificate check that is switched off", pattern: /rejectUnauthorized:\s*false/ },
])("SUP-014 no file has $why", ({ pattern }) => {
  expect(found(pattern)).toEqual([]);
});

test("only the command line and what fetches Envoy start other programs", () => {
  const elsewhere = (path: string) =>
    !path.startsWith("src/processes/cli/") && path !== "src/adapters/envoy/binary.ts";
  expect(found(/node:child_process/, elsewhere)).toEqual([]);
});

test("only processes read the environment and end the process", () => {
  const elsewhere = (path: string) => !path.startsWith("src/processes/");
  expect(found(/\bprocess\.(env|exit|argv)\b/, elsewhere)).toEqual([]);
});

test("BND-025 only the writers of log and command line write to stdout and stderr", () => {
  const elsewhere = (path: string) => !path.startsWith("src/processes/cli/");
  expect(found(/\bconsole\.|\bprocess\.(stdout|stderr)\b/, elsewhere)).toEqual([]);
});
