import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { soon } from "./authorizer.ts";
import { envoyForTests } from "./envoy.ts";

/*
 * The quickstart as a newcomer runs it: a child process, the real Envoy, the printed curl lines. Where
 * something is to go wrong it goes wrong for a reason of its own: other documents, no Envoy, no place.
 */

// Each test starts processes, and a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const project = fileURLToPath(new URL("../..", import.meta.url));
const binary = await envoyForTests();
const scratch = mkdtempSync(join(tmpdir(), "mesh-iam-quickstart-test-"));
const running = new Map<ChildProcess, Promise<Ended>>();
afterAll(async () => {
  // Of a test that failed half-way: a killed quickstart would leave its Envoy.
  for (const child of running.keys()) child.kill("SIGTERM");
  await Promise.all(running.values());
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<Ended>;
  /** Resolves once `text` is printed; rejects when the process ends without it. */
  printed(text: string, where?: "out" | "err"): Promise<void>;
}

interface Run {
  readonly args: readonly string[];
  /** The user's folder. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the package is; default: this repository. */
  readonly root?: string;
}

/** An environment with only this in it: nothing of the machine's leaks in. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: scratch,
    TMPDIR: scratch,
    ...(binary === null ? {} : { ENVOY_BIN: binary }),
    ...more,
  };
}

function start({ args, cwd, env = environment(), root = project }: Run): Started {
  const main = join(root, "src/processes/cli/main.ts");
  const child = spawn(process.execPath, [main, "quickstart", ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { out: "", err: "" };
  child.stdout?.on("data", (chunk) => {
    texts.out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    texts.err += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, ...texts });
    });
  });
  running.set(child, ended);
  return {
    child,
    out: () => texts.out,
    err: () => texts.err,
    ended,
    async printed(text, where = "out") {
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      while (!texts[where].includes(text)) {
        if (isOver) throw new Error(`ended without ${text}: ${texts.out}${texts.err}`);
        await sleep(20);
      }
    },
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function userFolder(): string {
  return mkdtempSync(join(scratch, "user-"));
}

/** A copy of the package whose documents can be changed and whose cache cannot be filled. */
function copyOfPackage(): string {
  const root = mkdtempSync(join(scratch, "package-"));
  for (const name of ["src", "examples", "package.json"]) {
    cpSync(join(project, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, ".cache"), "no folder");
  return root;
}

/** An environment in which no Envoy can be had: nothing on PATH, nothing that could fetch one. */
function withoutEnvoy(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const empty = mkdtempSync(join(scratch, "path-"));
  const { ENVOY_BIN: _, ...rest } = environment({ PATH: empty });
  return { ...rest, ...more };
}

interface Table {
  readonly proxy: string;
  readonly asExpected: boolean;
  readonly rows: readonly {
    readonly caller: string;
    readonly request: string;
    readonly expected: string;
    readonly got: string;
    readonly expectedReason: string;
    readonly reason: string | null;
    readonly microseconds: number | null;
    readonly differences: readonly string[];
  }[];
}

const whatCameOfIt = ({ rows }: Table) =>
  rows.map(({ caller, request, got, reason }) => [caller, request, got, reason]);

/** What the README shows behind a marker, one text a line. */
function shownInReadme(marker: string): readonly string[] {
  const readme = readFileSync(join(project, "README.md"), "utf8");
  const at = readme.indexOf(`<!-- ${marker} -->`);
  expect(at).toBeGreaterThan(0);
  const from = readme.indexOf("\n", readme.indexOf("```", at)) + 1;
  const lines = readme.slice(from, readme.indexOf("\n```", from)).split("\n");
  return lines.map(squeezed);
}

function squeezed(line: string): string {
  return line.replaceAll(/─+/g, "─").replaceAll(/ +/g, " ").trim();
}

/** Command lines of running processes that name `file` (Linux). */
function processesThatName(file: string): string[] {
  return globSync("/proc/[0-9]*/cmdline").flatMap((path) => {
    try {
      const line = readFileSync(path, "utf8").replaceAll("\0", " ");
      return line.includes(file) ? [line] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** Nothing that the quickstart started is left. */
function expectNothingLeft(folder: string): void {
  const file = join(folder, "envoy.json");
  expect(processesThatName(file)).toEqual([]);
  const pipes = readFileSync(file, "utf8").match(/"path": "([^"]+\.sock)"/);
  expect(pipes?.[1]).toBeDefined();
  expect(existsSync(pipes?.[1] ?? "")).toBe(false);
  expect(readdirSync(scratch).filter((name) => /^mesh-iam-[^-]+$/.test(name))).toEqual([]);
}

/** What was recorded of every decision replays to the same answer. */
function expectReplay(log: string): void {
  const records = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ input }) => input !== undefined);
  expect(records.length).toBeGreaterThan(100);
  const main = join(project, "src/processes/cli/main.ts");
  const { stdout } = spawnSync(process.execPath, [main, "simulate", "--stdin"], {
    input: records.map(({ input }) => JSON.stringify(input)).join("\n"),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const answers = stdout.trim().split("\n");
  expect(answers.map((line) => JSON.parse(line).decision)).toEqual(
    records.map(({ decision, shadow }) => shadow?.decision ?? decision),
  );
}

let behindEnvoy: Table | undefined;

describe.skipIf(binary === null)("the quickstart", () => {
  test("every row is as expected behind the real Envoy, and nothing is left behind", async () => {
    const cwd = userFolder();
    const { code, out, err } = await start({ args: ["--once", "--json"], cwd }).ended;
    expect(err).not.toMatch(/WARN|ERROR/);
    const table = JSON.parse(out) as Table;
    behindEnvoy = table;
    expect(table.proxy).toBe("envoy");
    expect(table.rows.length).toBeGreaterThanOrEqual(24);
    for (const row of table.rows) {
      expect(row.got, row.caller).toBe(row.expected);
      expect(row.reason, row.caller).toBe(row.expectedReason);
      expect(row.differences).toEqual([]);
      expect(row.microseconds).toBeGreaterThan(0);
    }
    expect(code).toBe(0);
    const folder = join(cwd, ".mesh-iam/quickstart");
    expectNothingLeft(folder);
    expectReplay(join(folder, "decisions.jsonl"));
  });

  test("the printed table fits 120 columns and is what the README shows", async () => {
    const { code, out } = await start({ args: ["--once"], cwd: userFolder() }).ended;
    const lines = out.split("\n");
    const table = lines.slice(1, lines.indexOf("", 1));
    expect(table.length).toBeGreaterThan(24);
    // Six columns are for the figure, whose width is the machine's business.
    const widths = table.map((line) => line.replace(/ *([\d,]+|─+|-|µs)$/, "").length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(114);
    expect(out).toContain("as expected, behind a real Envoy");
    expect(out).not.toContain("\u001b");
    const printed = lines.map(squeezed);
    // The README leaves the figures out.
    const withoutFigures = printed.map((line) => line.replace(/ [\d,]+$/, ""));
    for (const line of shownInReadme("output: quickstart")) {
      expect([...printed, ...withoutFigures]).toContain(line);
    }
    for (const line of shownInReadme("output: explain")) expect(printed).toContain(line);
    expect(code).toBe(0);
  });

  test("other documents, other answers: the rows that differ are named, exit code 1", async () => {
    const root = copyOfPackage();
    const policies = join(root, "examples/quickstart/policies.yaml");
    const text = readFileSync(policies, "utf8");
    writeFileSync(policies, text.replace('"orders:GetOrder"]', '"orders:CreateOrder"]'));
    const run = { args: ["--once", "--json"], cwd: userFolder(), root };
    const { code, out, err } = await start(run).ended;
    const { asExpected, rows } = JSON.parse(out) as Table;
    const differing = rows.filter(({ differences }) => differences.length > 0);
    expect(differing.map(({ caller, got }) => [caller, got])).toEqual([
      ["user, nothing allows it", "200"],
      ["user over gRPC", "grpc 7"],
    ]);
    expect(differing[0]?.differences).toEqual([
      "expected 403, got 200",
      "expected the reason implicit-deny, got identity-policy",
      "it reached the application",
    ]);
    expect(asExpected).toBe(false);
    expect(err).toContain("2 of ");
    expect(err).toContain("user, nothing allows it, user over gRPC (quickstart-failed)");
    expect(code).toBe(1);
  });

  const curl = spawnSync("curl", ["--version"]).status === 0;
  test.skipIf(!curl && process.env.CI !== "true")(
    "the printed lines work, an edit changes the next answer, Ctrl-C ends it (skipped without curl)",
    async () => {
      const cwd = userFolder();
      const { child, out, err, ended, printed } = start({ args: [], cwd });
      await printed("Ctrl-C ends it");
      const envoyFile = join(cwd, ".mesh-iam/quickstart/envoy.json");
      if (process.platform === "linux") expect(processesThatName(envoyFile)).toHaveLength(1);
      const lines = out().match(/^ {2}curl .*$/gm) ?? [];
      const shell = (line: string): string => {
        const { stdout, stderr, status } = spawnSync("sh", ["-c", line], { cwd, encoding: "utf8" });
        expect(status, `${line}\n${stderr}`).toBe(0);
        return stdout;
      };
      const statusOf = (line: string): number => Number(shell(line).split(" ")[1]);
      const [list = "", create = "", workload = "", status = "", metrics = ""] = lines;
      expect(lines).toHaveLength(5);
      expect(statusOf(list)).toBe(200);
      expect(statusOf(create)).toBe(403);
      expect(statusOf(workload)).toBe(200);
      expect(JSON.parse(shell(status)).ready).toBe(true);
      expect(shell(metrics)).toContain("mesh_iam_checks_total{");

      shell(create);
      const explain = out().match(/^ {2}npm run .* explain --log .*$/m)?.[0] ?? "";
      const explained = spawnSync("sh", ["-c", explain], { cwd, encoding: "utf8" });
      expect(explained.stdout).toContain("user/ana asks for orders:CreateOrder");
      expect(explained.status).toBe(2);
      expect(JSON.parse(shell(out().match(/^ {2}tail .*$/m)?.[0] ?? "")).eventName).toBe(
        "CreateOrder",
      );

      const policies = join(cwd, ".mesh-iam/quickstart/documents/policies.yaml");
      const text = readFileSync(policies, "utf8");
      const allowed = text.replace(
        '"orders:GetOrder"]',
        '"orders:GetOrder", "orders:CreateOrder"]',
      );
      expect(allowed).not.toBe(text);
      writeFileSync(policies, allowed);
      await expect.poll(() => statusOf(create), soon).toBe(200);

      writeFileSync(policies, allowed.replace("Effect: Allow", "Effect: Alow"));
      await printed("bundle-refused", "err");
      expect(err()).toMatch(/policies\.yaml:\d+:\d+/);
      expect(statusOf(create)).toBe(200);

      child.kill("SIGINT");
      const { code } = await ended;
      expect(code).toBe(0);
      expectNothingLeft(join(cwd, ".mesh-iam/quickstart"));
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s before the table leaves nothing behind either",
    async (signal) => {
      const cwd = userFolder();
      const { child, ended, printed } = start({ args: [], cwd });
      await printed("starting an authorizer", "err");
      // Envoy is being started.
      while (!existsSync(join(cwd, ".mesh-iam/quickstart/envoy.log"))) await sleep(5);
      child.kill(signal);
      const { code, err } = await ended;
      expect(err).toContain("interrupted");
      expect(code).toBe(1);
      expectNothingLeft(join(cwd, ".mesh-iam/quickstart"));
    },
  );

  test("a folder of somebody else's is left alone, and so is one in use", async () => {
    const cwd = userFolder();
    mkdirSync(join(cwd, "mine"));
    writeFileSync(join(cwd, "mine/thesis.txt"), "years of work");
    const refused = await start({ args: ["--once", "--folder", "mine"], cwd }).ended;
    expect(refused.err).toContain("holds something else");
    expect(refused.code).toBe(1);
    expect(readdirSync(join(cwd, "mine"))).toEqual(["thesis.txt"]);

    const first = start({ args: [], cwd });
    await first.printed("Ctrl-C ends it");
    const second = await start({ args: ["--once"], cwd }).ended;
    expect(second.err).toContain(`process ${first.child.pid} runs a quickstart in`);
    expect(second.code).toBe(1);
    first.child.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
    // What it left is replaced.
    expect((await start({ args: ["--once", "--json"], cwd }).ended).code).toBe(0);
  });

  test("an Envoy that does not start is told with its last words", async () => {
    const cwd = userFolder();
    const wrong = join(cwd, "envoy");
    const script = [
      "#!/bin/sh",
      'if [ "$1" = --version ]; then echo "envoy version: 0/1.40.0/Clean/RELEASE/X"; exit; fi',
      'echo "[2026-11-24 10:00:00.000][1][critical][main] cannot bind" >&2',
      "exit 1",
    ];
    writeFileSync(wrong, script.join("\n"), { mode: 0o755 });
    const env = environment({ ENVOY_BIN: wrong });
    const { code, err } = await start({ args: ["--once"], cwd, env }).ended;
    expect(err).toContain("Envoy did not get ready: [critical][main] cannot bind");
    expect(code).toBe(1);
  });
});

describe("the quickstart where no Envoy can be had", () => {
  test("plays its part with the same outcome, and says so", async () => {
    const root = copyOfPackage();
    const run = { cwd: userFolder(), root, env: withoutEnvoy() };
    const { code, out, err } = await start({ ...run, args: ["--once", "--json"] }).ended;
    const table = JSON.parse(out) as Table;
    expect(table.proxy).toBe("stand-in");
    expect(table.rows.flatMap(({ differences }) => differences)).toEqual([]);
    expect(table.rows.length).toBeGreaterThanOrEqual(24);
    if (behindEnvoy !== undefined) expect(whatCameOfIt(table)).toEqual(whatCameOfIt(behindEnvoy));
    expect(err).toContain("no Envoy 1.40.0: set ENVOY_BIN");
    expect(err).toContain("stand-in");
    expect(code).toBe(0);

    const text = await start({ ...run, args: ["--once"] }).ended;
    expect(text.out).toContain("as expected, behind mesh-iam's own stand-in for Envoy");
    expect(text.code).toBe(0);
  });

  test.each([
    { why: "in CI", env: { CI: "true" }, says: "no Envoy 1.40.0: set ENVOY_BIN" },
    { why: "ENVOY_BIN is wrong", env: { ENVOY_BIN: "/nowhere/envoy" }, says: "`/nowhere/envoy`" },
  ])("$why: it fails and says what to do", async ({ env, says }) => {
    const run = { args: ["--once"], cwd: userFolder(), root: copyOfPackage() };
    const { code, err, out } = await start({ ...run, env: withoutEnvoy(env) }).ended;
    expect(err).toContain(says);
    expect(err).toContain("(envoy-missing)");
    expect(out).toBe("");
    expect(code).toBe(1);
  });
});
