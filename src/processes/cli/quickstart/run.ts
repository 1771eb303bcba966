import { relative, resolve } from "node:path";
import { MeshIamError } from "../../../iam/error.ts";
import { formatExplained } from "../explanation.ts";
import type { CommandIo } from "../io.ts";
import { readLoggedScenario } from "../logged-scenario.ts";
import { paintOf } from "../paint.ts";
import { explainScenario } from "../scenario-file.ts";
import { packageRoot } from "../version.ts";
import { hints, shellWord } from "./hints.ts";
import { type Interruption, listenForInterruption } from "./interruption.ts";
import { createProgress, type Progress } from "./progress.ts";
import { chooseProxy, isClone, type ProxyChoice, startProxy } from "./proxy.ts";
import { expectedStatus, type RowResult, runRows } from "./run-rows.ts";
import { startSampleAuthorizer } from "./sample-authorizer.ts";
import { formatCount, formatTable } from "./table.ts";
import { startUpstream } from "./upstream.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

export interface QuickstartOptions {
  /** Whether it ends after the table. */
  readonly once: boolean;
  readonly json: boolean;
  /** Where its files go. */
  readonly folder: string;
}

/** The last one is shown: by then the code is compiled and the caches are warm. */
const rounds = 8;

/**
 * Runs the quickstart: everything is started, the rows are sent and shown, and unless `once`, it stays
 * up until a signal. Whatever was started is ended before this returns or throws.
 *
 * Throws `quickstart-failed` when a row differs, when something does not start and when it is
 * interrupted before the table; `envoy-missing` as `chooseProxy` says.
 */
export async function runQuickstart(options: QuickstartOptions, io: CommandIo): Promise<void> {
  const interruption = listenForInterruption(process);
  const progress = createProgress(io);
  const opened: (() => unknown)[] = [];
  try {
    await run(options, io, { interruption, progress, opened });
  } finally {
    progress.done();
    for (const close of opened.reverse()) await close();
    interruption.release();
  }
}

interface Session {
  readonly interruption: Interruption;
  readonly progress: Progress;
  /** What ends what was started, in the order of starting. */
  readonly opened: (() => unknown)[];
}

async function run(options: QuickstartOptions, io: CommandIo, session: Session): Promise<void> {
  const { interruption, progress, opened } = session;
  const { signal } = interruption;
  const folder = resolve(options.folder);
  // First: what is wrong with the folder shall not be told after a long fetch.
  const workspace = await createWorkspace(folder, Date.now);
  opened.push(() => workspace.close());
  const choice = await chooseProxy(io, progress.say, signal);
  signal.throwIfAborted();
  progress.say(`starting an authorizer, a sample application and ${nameOf(choice)} ...`);
  const upstream = await startUpstream();
  opened.push(() => upstream.close());
  const authorizer = await startSampleAuthorizer(workspace);
  opened.push(() => authorizer.close());
  signal.throwIfAborted();
  const proxy = await startProxy(choice, workspace, upstream.port, signal);
  opened.push(() => proxy.stop());

  const address = { ...proxy, serverCa: workspace.authority };
  const witnesses = { takeOutcome: authorizer.takeOutcome, takeSeen: upstream.takeSeen };
  const results = await runRows(address, workspace.credentials, witnesses, rounds, signal);
  await authorizer.flushDecisions();
  progress.done();
  if (options.json) io.out(`${JSON.stringify(asJson(results, choice), null, 2)}\n`);
  else
    io.out(
      `\n${formatResults(results, choice, io)}\n${await formatDenial(results, workspace, io)}`,
    );

  if (!options.once) {
    const { diagnostics } = authorizer;
    const text = hints({ ...proxy, diagnostics, ...callAgain(folder) });
    // JSON stands alone on stdout.
    (options.json ? io.err : io.out)(`\n${text}\n`);
    authorizer.tellOfEdits();
    await interruption.happened;
  }
  const differing = results.filter((result) => result.differences.length > 0);
  if (differing.length > 0) {
    const names = differing.map(({ row }) => row.caller).join(", ");
    throw new MeshIamError(
      "quickstart-failed",
      `${differing.length} of ${results.length} rows differ from what was expected: ${names}`,
    );
  }
}

/** How the user's shell calls this program again, and names `folder` to it. */
function callAgain(folder: string): { readonly command: string; readonly folder: string } {
  const inner = relative(process.cwd(), folder);
  const short = inner === "" ? "." : inner.startsWith("..") ? folder : inner;
  if (!isClone(packageRoot)) return { command: "npx mesh-iam", folder: short };
  const there = relative(packageRoot, process.cwd());
  if (there === "") return { command: "npm run -s mesh-iam --", folder: short };
  // npm runs a script in the package's folder.
  return { command: `npm run -s --prefix ${shellWord(packageRoot)} mesh-iam --`, folder };
}

function nameOf(choice: ProxyChoice): string {
  switch (choice.type) {
    case "envoy":
      return `Envoy (${choice.binary})`;
    case "stand-in":
      return "a stand-in for Envoy";
  }
}

function formatResults(results: readonly RowResult[], choice: ProxyChoice, io: CommandIo): string {
  const behind =
    choice.type === "envoy" ? "behind a real Envoy" : "behind mesh-iam's own stand-in for Envoy";
  const right = results.filter((result) => result.differences.length === 0).length;
  const lines = [
    formatTable(results, paintOf(io)),
    "",
    `${right} of ${results.length} as expected, ${behind}`,
    `µs: what the authorizer spent on the Check in round ${rounds} of ${rounds}, all of them checked`,
  ];
  const first = results[0]?.firstMicroseconds ?? null;
  if (first !== null) {
    lines.push(
      `    (the very first Check, with no code compiled and nothing cached: ${formatCount(first)} µs)`,
    );
  }
  return lines.join("\n");
}

/** One denial, explained out of the decision log as `mesh-iam explain` does it. */
async function formatDenial(
  results: readonly RowResult[],
  workspace: Workspace,
  io: CommandIo,
): Promise<string> {
  const denied = results.find((result) => result.reason === "permissions-boundary");
  if (denied === undefined || denied.decisionId === null) return "";
  const scenario = await readLoggedScenario(workspace.decisionLog, denied.decisionId, io);
  const explained = formatExplained(scenario, explainScenario(scenario), paintOf(io));
  return `\nWhy was "${denied.row.caller}" denied?\n\n${explained}\n`;
}

function asJson(results: readonly RowResult[], choice: ProxyChoice): object {
  return {
    proxy: choice.type,
    rounds,
    asExpected: results.every((result) => result.differences.length === 0),
    rows: results.map(({ row, got, reason, ...figures }) => ({
      caller: row.caller,
      request: `${row.method} ${row.path}`,
      host: row.host,
      expected: expectedStatus(row),
      got,
      expectedReason: row.reason,
      reason,
      ...figures,
    })),
  };
}
