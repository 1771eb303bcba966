import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Runs a line of the README in `folder`, with `npx mesh-iam` as the command line from source. */
function shell(line: string) {
  const here = process.cwd();
  return spawn("sh", ["-c", line.replaceAll(" examples/", ` ${here}/examples/`)], {
    cwd: folder,
    // A port of its own, so that no other control plane of this machine is in the way.
    env: {
      ...process.env,
      PATH: `${folder}/bin:${process.env.PATH}`,
      MESH_IAM_ADDR: "127.0.0.1:0",
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

async function finished(line: string): Promise<{ code: number | null; out: string }> {
  const child = shell(line);
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      out += chunk;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out };
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

  test("tells the speed that was recorded", () => {
    const { rows } = JSON.parse(readFileSync("bench/results/latest.json", "utf8")) as {
      readonly rows: readonly {
        readonly name: string;
        readonly figure: { readonly median: number };
      }[];
    };
    const table = readme.slice(readme.indexOf("<!-- bench -->"), readme.indexOf("`npm run bench`"));
    const told = [...table.matchAll(/\| `([\w-]+)` ([\d.]+) \|/g)];
    expect(told.length).toBeGreaterThan(5);
    const noOp = /takes ([\d.]+) \|/.exec(table)?.[1] ?? "";
    for (const [, name, figure = ""] of [...told, ["", "envoy-no-op", noOp]]) {
      const median = rows.find((row) => row.name === name)?.figure.median ?? Number.NaN;
      const decimals = figure.split(".")[1]?.length ?? 0;
      expect(figure, name).toBe(median.toFixed(decimals));
    }
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
    const commands = commandsOf(readme.replace(block("run: control-plane"), "")).filter(
      ([command]) => command !== "authorizer",
    );
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

  const curl = spawnSync("curl", ["--version"]).status === 0;
  const runsLines = test.skipIf(!curl && process.env.CI !== "true");
  runsLines(
    "runs a control plane with the lines that it shows (skipped without curl)",
    async () => {
      mkdirSync(join(folder, "bin"));
      const main = join(process.cwd(), "src/processes/cli/main.ts");
      const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" "${main}" "$@"\n`;
      writeFileSync(join(folder, "bin/npx"), npx, { mode: 0o755 });
      const lines = block("run: control-plane").replaceAll("\\\n", "").split("\n");
      expect(lines.length).toBe(5);
      let served: ChildProcess | null = null;
      try {
        for (const line of lines) {
          if (line.endsWith("&")) {
            const child = shell(line.slice(0, -1));
            served = child;
            await new Promise((resolve, reject) => {
              child.once("close", () => reject(new Error("the control plane ended")));
              child.stdout.on("data", (chunk) => {
                if (String(chunk).includes("control-plane-started")) resolve(null);
              });
            });
            continue;
          }
          const { code, out } = await finished(line);
          expect({ line, code, out }).toMatchObject({
            code: line.startsWith("npx mesh-iam plan") ? 5 : 0,
          });
          if (line.startsWith("curl"))
            expect(JSON.parse(out.slice(out.indexOf("{")))).toHaveProperty("createAccountStatus");
        }
        expect(await finished(lines[3] ?? "")).toMatchObject({ code: 0 });
      } finally {
        if (served?.pid !== undefined) process.kill(-served.pid, "SIGTERM");
      }
    },
    60_000,
  );

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
