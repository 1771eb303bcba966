import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/** What is imported before a command runs: `import type` and `import()` are not. */
const eager =
  /^(?:import|export)\b(?! type\b)(?!\s*\()[^"';]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"/gm;

function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  for (const match of readFileSync(path, "utf8").matchAll(eager)) {
    const target = match[1] ?? match[2] ?? "";
    loadedBy(target.startsWith(".") ? join(dirname(path), target) : target, seen);
  }
  return seen;
}

test("the command line loads commander and a few files of ours; a command loads the rest", () => {
  const loaded = [...loadedBy("src/processes/cli/main.ts")];
  expect(loaded).toContain("src/processes/cli/program.ts");
  const packages = loaded.filter((path) => !path.endsWith(".ts") && !path.startsWith("node:"));
  expect(packages).toEqual(["commander"]);
  expect(loaded.length).toBeLessThan(60);
});
