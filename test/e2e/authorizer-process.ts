import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPage } from "../fakes/page.ts";
import { documentsFolder } from "./authorizer.ts";

const main = fileURLToPath(new URL("../../src/processes/cli/main.ts", import.meta.url));

export interface AuthorizerProcessOptions {
  /** Where documents, log and socket of all authorizers of a test are. */
  readonly runDir: string;
  /** Tells it from the others in `runDir`. */
  readonly name: string;
  /** As `--addr` takes it. Default: a Unix socket in `runDir`. */
  readonly addr?: string;
  /** Further settings, as `--set` takes them. */
  readonly sets?: readonly string[];
  /** A module that the process loads before it does anything: what makes it fail. */
  readonly preload?: string;
}

/** `mesh-iam authorizer` as a process of its own: what is killed, stopped and started again. */
export interface AuthorizerProcess {
  /** As Envoy's configuration takes it; the same in every life where `addr` names a port. */
  readonly address: string;
  page(path: string): Promise<string>;
  /** Stops it in its tracks, or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Sends a signal and resolves, when it has ended, with its exit code or the signal that ended it. */
  end(name: "SIGTERM" | "SIGKILL" | "SIGHUP"): Promise<number | string>;
  /** Everything that it wrote. */
  log(): string;
}

const readyWithinMs = 30_000;

/** Starts the authorizer on the documents of `runDir`; resolves when it answers. */
export async function startAuthorizerProcess(
  options: AuthorizerProcessOptions,
): Promise<AuthorizerProcess> {
  const { runDir, name, addr = `unix://${join(runDir, `${name}.sock`)}`, sets = [] } = options;
  const { preload } = options;
  const logFile = join(runDir, `${name}.log`);
  const sink = openSync(logFile, "w");
  const child = spawn(
    process.execPath,
    [
      ...(preload === undefined ? [] : ["--import", preload]),
      ...[main, "authorizer", "--documents", documentsFolder(runDir), "--addr", addr],
      ...["--diagnostic-addr", "127.0.0.1:0", "--drain-seconds", "1"],
      ...["decisionLogs.console=false", ...sets].flatMap((each) => ["--set", each]),
    ],
    { stdio: ["ignore", sink, sink] },
  );
  closeSync(sink);
  const log = () => readFileSync(logFile, "utf8");
  const ended = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  const started = await startedRecord(child, log);
  return {
    address: started.address,
    page: (path) => readPage(`http://${started.diagnostics}${path}`),
    signal: (word) => void child.kill(word),
    end(word) {
      child.kill(word);
      return ended;
    },
    log,
  };
}

interface Started {
  readonly address: string;
  readonly diagnostics: string;
}

async function startedRecord(child: ChildProcess, log: () => string): Promise<Started> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    const line = log()
      .split("\n")
      .find((text) => text.includes('"authorizer-started"'));
    if (line?.endsWith("}")) return JSON.parse(line) as Started;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGKILL");
  throw new Error(`the authorizer did not start: ${log()}`);
}
