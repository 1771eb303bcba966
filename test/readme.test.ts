import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCommand } from "./fakes/command-line.ts";

/*
 * Everything in the README runs here: its files are the repository's, its commands are the CLI's, its
 * questions and its library example are asked. What shows the quickstart is compared with the real one
 * in test/e2e/quickstart.test.ts.
 */
const readme = readFileSync("README.md", "utf8");
const folder = mkdtempSync(join(tmpdir(), "mesh-iam-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The fenced block behind a marker comment. */
function block(marker: string): string {
  const at = readme.indexOf(`<!-- ${marker} -->`);
  const start = readme.indexOf("\n", readme.indexOf("```", at)) + 1;
  const end = readme.indexOf("\n```", start);
  expect(at, `the README has a block ${marker}`).toBeGreaterThan(0);
  return readme.slice(start, end);
}

/** The words of each line that begins with `npx mesh-iam`, without that and without its comment. */
function commandsOf(text: string): string[][] {
  return [...text.matchAll(/^npx mesh-iam ([^#\n]*)/gm)].map(([, line = ""]) =>
    line.trim().split(/\s+/),
  );
}

describe("README", () => {
  test("shows files as they are", () => {
    const files = [...readme.matchAll(/<!-- (file|part of): (\S+) -->/g)];
    expect(files.length).toBeGreaterThan(1);
    for (const [, kind, path] of files) {
      const shown = block(`${kind}: ${path}`);
      expect(readFileSync(path as string, "utf8"), path).toContain(shown);
    }
  });

  test("links to what exists", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  test("names npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    // `install` is npm's own; `run` is followed by a script's name.
    const named = [...readme.matchAll(/\bnpm (?:run )?(?!install\b)([\w:-]+)/g)].map(
      ([, name = ""]) => name,
    );
    expect(named).toEqual(expect.arrayContaining(["start", "test", "bench"]));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("asks a question that is answered as it says", async () => {
    const file = join(folder, "question.json");
    writeFileSync(file, block("run: simulate"));
    const { code, out } = await runCommand(["simulate", file]);
    expect(JSON.parse(out)).toMatchObject({
      decision: "allowed",
      matchedStatements: [{ policyId: "blue-team" }],
    });
    expect(code).toBe(0);
  });

  test("has a library example that runs", () => {
    const code = block("run: library").replace(
      '"mesh-iam"',
      JSON.stringify(join(process.cwd(), "src/index.ts")),
    );
    const file = join(folder, "example.ts");
    writeFileSync(file, code);
    expect(execFileSync(process.execPath, [file], { encoding: "utf8" })).toBe(
      "allowed identity-policy\n",
    );
  });

  test("has commands that work, in their order", async () => {
    const keys = join(folder, "keys");
    const bundle = join(folder, "bundle");
    // The authorizer serves until it is stopped: its lines are checked below.
    const commands = commandsOf(readme).filter(([command]) => command !== "authorizer");
    const names = commands.map(([command, sub]) =>
      command === "validate" || command === "test" ? command : `${command} ${sub}`,
    );
    expect(names).toEqual(["validate", "test", "keys generate", "bundle build", "bundle sign"]);
    for (const words of commands) {
      const args = words.map((word, at) => {
        if (at === 0) return word;
        if (word === "keys") return keys;
        if (word === "bundle") return bundle;
        return word.replace(/^keys\//, `${keys}/`);
      });
      const ran = await runCommand(args);
      expect([args.join(" "), ran.code, ran.err]).toEqual([args.join(" "), 0, ""]);
    }
  });

  test("starts the authorizer with options that it has", async () => {
    const lines = commandsOf(readme).filter(([command]) => command === "authorizer");
    expect(lines.length).toBe(2);
    const { out: help } = await runCommand(["authorizer", "--help"]);
    for (const option of lines.flat().filter((word) => word.startsWith("--"))) {
      expect(help).toMatch(new RegExp(`^ +(-\\w, )?${option}\\b`, "m"));
    }
  });

  test("explains the denial that it shows", async () => {
    const [question = "", verdict = ""] = block("output: explain").split("\n");
    const file = join(folder, "bob.json");
    const statement = (Action: unknown) => ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action, Resource: "*" }],
    });
    writeFileSync(
      file,
      JSON.stringify({
        id: "bob",
        principal: { type: "user", arn: "arn:aws:iam::111122223333:user/bob" },
        action: "orders:CreateOrder",
        resource: { arn: "arn:aws:orders::111122223333:orders", account: "111122223333" },
        policies: {
          identity: [{ id: "orders-admin", document: statement("orders:*") }],
          permissionsBoundary: {
            id: "read-only-boundary",
            document: statement(["orders:List*", "orders:Get*"]),
          },
        },
      }),
    );
    const { out } = await runCommand(["explain", file]);
    expect(out).toContain(question);
    expect(out).toContain(verdict);
  });
});
