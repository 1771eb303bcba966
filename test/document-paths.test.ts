import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";

/** What the documents point at has to be there: a map that is not the land is worse than none. */
const documents = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"]);
const roots = /^(src|test|docs|proto|examples|bench|\.ci)\//;

/** Paths in code spans that begin at the repository's root; `…`, `*`, `{` and `<` mark patterns. */
function namedPaths(text: string): string[] {
  return [...text.matchAll(/`([^`\s]+)`/g)]
    .map(([, span = ""]) => span)
    .filter((span) => roots.test(span) && !/[*{<…]/.test(span));
}

function links(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !target.includes("://"));
}

test("there are documents", () => {
  expect(documents).toContain("docs/architecture/overview.md");
});

test.each(documents)("%s names files and links that exist", (document) => {
  const text = readFileSync(document, "utf8");
  const missing = [
    ...namedPaths(text).filter((path) => !existsSync(path)),
    ...links(text).filter((target) => !existsSync(join(dirname(document), target))),
  ];
  expect(missing).toEqual([]);
});

test("decisions are numbered from 0001 without a gap or a number twice, in name and title", () => {
  const decisions = globSync("docs/decisions/*.md").sort();
  expect(decisions.length).toBeGreaterThan(0);
  decisions.forEach((path, index) => {
    const number = String(index + 1).padStart(4, "0");
    expect(basename(path)).toMatch(/^\d{4}-/);
    expect(basename(path).slice(0, 4), path).toBe(number);
    expect(readFileSync(path, "utf8"), path).toMatch(new RegExp(`^# ${number}: `));
  });
});
