import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Command } from "commander";
import { loadConfig } from "../../adapters/config/load.ts";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { findEnvoy } from "../../adapters/envoy/binary.ts";
import { createDecisionLog, type DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createLineWriter } from "../../adapters/telemetry/line-writer.ts";
import { createLog } from "../../adapters/telemetry/log.ts";
import { openSinks } from "../../adapters/telemetry/open-sinks.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { MeshIamError } from "../../iam/error.ts";
import { type Authorizer, startAuthorizer } from "../authorizer/start.ts";
import { explainScenario, loggedScenario } from "./explain.ts";
import { type CommandIo, exitCode } from "./io.ts";
import type { CommandResult } from "./program.ts";
import { type RunningEnvoy, startEnvoy } from "./quickstart/envoy.ts";
import { hints } from "./quickstart/hints.ts";
import { type RowResult, runRows } from "./quickstart/run-rows.ts";
import { startStandIn } from "./quickstart/stand-in/start.ts";
import { formatTable } from "./quickstart/table.ts";
import { startUpstream } from "./quickstart/upstream.ts";
import { createWorkspace, type Workspace } from "./quickstart/workspace.ts";
import { packageVersion } from "./version.ts";

interface QuickstartOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly folder: string;
}

/** Adds `quickstart`: the whole thing on one machine, with a real Envoy. */
export function addQuickstart(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("quickstart")
    .option("--once", "exit after the table; the exit code is 1 if any row differs")
    .option("--json", "print the table as JSON")
    .option(
      "--folder <path>",
      "where documents, tokens and logs of this run go",
      ".mesh-iam/quickstart",
    )
    .summary("see it work: an authorizer, a sample application and a real Envoy")
    .description(
      "Starts an authorizer fed from sample documents, a sample application and a real Envoy in front of\n" +
        "it, sends some thirty requests as different callers, prints what came of each, explains one denial\n" +
        "layer by layer, and stays up for you to play: edit a policy and send the request again.",
    )
    .action(async (options: QuickstartOptions) => {
      const fits = await quickstart(options, io);
      if (!fits) result.exitCode = exitCode.failure;
    });
}

/** Returns whether every row came out as expected; returns after the table or when interrupted. */
async function quickstart(options: QuickstartOptions, io: CommandIo): Promise<boolean> {
  const say = (line: string): void => io.err(`${line}\n`);
  const folder = resolve(options.folder);
  const envoyBinary = await findEnvoyOrSay(io, say);
  const opened: (() => unknown)[] = [];
  try {
    const workspace = await createWorkspace(folder, Date.now);
    opened.push(() => workspace.remove());
    const upstream = await startUpstream();
    opened.push(() => upstream.close());

    let last: CheckOutcome | null = null;
    const decisionLog = openDecisionLog(workspace);
    const authorizer = await startSampleAuthorizer(workspace, decisionLog, (outcome) => {
      last = outcome;
    });
    opened.push(() => authorizer.close());

    const proxy = await startProxy(envoyBinary, workspace, upstream.port);
    opened.push(() => proxy.stop());
    const results = await runRows(
      { ...proxy, serverCa: workspace.authority },
      workspace.credentials,
      () => {
        const outcome = last;
        last = null;
        return outcome;
      },
    );
    await decisionLog.flush();
    if (options.json === true) io.out(`${JSON.stringify(results.map(asJson), null, 2)}\n`);
    else printResults(results, workspace, envoyBinary !== null, io);
    const fits = results.every((row) => row.fits);
    if (options.once === true) return fits;
    const where = { ...proxy, diagnostics: authorizer.diagnostics };
    io.out(`\n${hints(where, relative(process.cwd(), folder) || ".")}\n`);
    await interrupted();
    return fits;
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

async function findEnvoyOrSay(io: CommandIo, say: (line: string) => void): Promise<string | null> {
  try {
    return await findEnvoy({ env: io.env, cacheFolder: resolve(".cache"), progress: say });
  } catch (failure) {
    if (!(failure instanceof MeshIamError) || io.env.CI === "true") throw failure;
    say(`${failure.message}`);
    say("no real Envoy here: mesh-iam's own client plays its part, and the table says so");
    return null;
  }
}

function openDecisionLog(workspace: Workspace): DecisionLog {
  const sinks = openSinks({ console: false, file: workspace.decisionLog }, createLineWriter(1));
  return createDecisionLog({
    sinks: sinks.sinks,
    labels: { instance: "quickstart", version: packageVersion() },
    maxBufferedEvents: 1000,
    input: true,
    allowSampleRate: 1,
    ignoreAllowAll: false,
    drop: [],
    mask: [],
    erase: [],
    salt: new Uint8Array(16),
  });
}

function startSampleAuthorizer(
  workspace: Workspace,
  decisionLog: DecisionLog,
  onOutcome: (outcome: CheckOutcome) => void,
): Promise<Authorizer> {
  const version = packageVersion();
  const log = createLog({
    writer: createLineWriter(2),
    nowMs: Date.now,
    component: "authorizer",
    version,
    level: "warn",
    format: "text",
  });
  return startAuthorizer(sampleConfig(workspace), {
    log,
    decisionLog,
    build: { version, commit: "quickstart" },
    onOutcome,
  });
}

function sampleConfig(workspace: Workspace): AuthorizerConfig {
  const loaded = loadConfig({
    flags: {
      addr: `unix://${workspace.socket}`,
      diagnosticAddr: "127.0.0.1:0",
      documents: workspace.documents,
      verbose: "true",
      drainSeconds: "0",
    },
    // Every decision of the sample is decided again by the second evaluator.
    sets: ["selfCheck.sampleRate=1", "decisionLogs.input=true"],
  });
  if (loaded.ok) return loaded.value;
  const [problem] = loaded.problems;
  throw new MeshIamError("internal", `the sample configuration is refused: ${problem?.message}`);
}

function startProxy(
  envoyBinary: string | null,
  workspace: Workspace,
  upstreamPort: number,
): Promise<RunningEnvoy> {
  if (envoyBinary === null)
    return startStandIn({
      upstreamPort,
      authorizer: { type: "unix", path: workspace.socket },
      serverCertificate: workspace.serverCertificate,
      serverKey: workspace.serverKey,
      clientCa: workspace.authorityFile,
    });
  return startEnvoy(envoyBinary, workspace.folder, {
    upstreamPort,
    authorizerSocket: workspace.socket,
    serverCertificate: workspace.serverCertificate,
    serverKey: workspace.serverKey,
    clientCa: workspace.authorityFile,
  });
}

function printResults(
  results: readonly RowResult[],
  workspace: Workspace,
  realEnvoy: boolean,
  io: CommandIo,
): void {
  const behind = realEnvoy ? "behind a real Envoy" : "behind mesh-iam's own stand-in for Envoy";
  const right = results.filter((row) => row.fits).length;
  io.out(`\n${formatTable(results)}\n\n${right} of ${results.length} as expected, ${behind}\n`);
  const denied = results.find((row) => row.reason === "permissions-boundary");
  if (denied?.decisionId === undefined || denied.decisionId === null) return;
  const scenario = loggedScenario(readFileSync(workspace.decisionLog, "utf8"), denied.decisionId);
  if (typeof scenario === "string") return;
  io.out(
    `\nWhy was "${denied.caller}" denied?\n\n${explainScenario(scenario, io.terminal, false)}\n`,
  );
}

function asJson({ row, decisionId, ...result }: RowResult): object {
  return { ...result, host: row.host, expectedReason: row.reason, decisionId };
}

function interrupted(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGINT", () => done());
    process.once("SIGTERM", () => done());
  });
}
