import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ListenerKind } from "../../src/adapters/envoy/server.ts";
import { createWorkspace, quickSize, usualSize, type Workspace } from "../corpus/workspace.ts";
import type { MessageSource } from "../load/grpc-connection.ts";
import { Load, twoByEight } from "../load/load.ts";
import { freshMessages, repeatedMessages } from "../load/messages.ts";
import { introduceTokens, verifyAnswers } from "../load/verify-answers.ts";
import { type Child, startChild } from "../measure/child.ts";
import { canReadCpu, cpuUs } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
import { type CheckCounts, countsBetween, readCheckCounts } from "../measure/scrape.ts";
import type { AuthorizerSettings, Served } from "../serve.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * CPU of one full Check: Envoy's bytes to answer, in the authorizer as it is shipped, over a grpc-js +
 * protobuf-es server that decides nothing (performance 1.1, 4.1; goals 5, row 1).
 */

interface Subject {
  readonly row: string;
  readonly title: string;
  readonly listener: ListenerKind;
  readonly decisionCache: boolean;
  /** Every question is new: nothing can be answered from the decision cache. */
  readonly fresh: boolean;
}

const subjects: readonly Subject[] = [
  {
    row: "check",
    title: "a full Check, every decision evaluated (decision cache off)",
    listener: "http2",
    decisionCache: false,
    fresh: false,
  },
  {
    row: "check-cached",
    title: "a full Check, decisions remembered",
    listener: "http2",
    decisionCache: true,
    fresh: false,
  },
  {
    row: "check-fresh",
    title: "a full Check, decision cache on and never hitting",
    listener: "http2",
    decisionCache: true,
    fresh: true,
  },
  {
    row: "check-grpc-js",
    title: "the same as `check` behind grpc-js",
    listener: "grpc-js",
    decisionCache: false,
    fresh: false,
  },
  {
    row: "check-grpc-js-cached",
    title: "the same as `check-cached` behind grpc-js",
    listener: "grpc-js",
    decisionCache: true,
    fresh: false,
  },
];

export const checkGroup: Group = {
  name: "checks",
  rows: subjects.map(({ row, title }) => ({ name: row, title: `${title} ÷ no-op`, unit: "ratio" })),
  measure,
};

interface Server {
  readonly row: string;
  readonly child: Child;
  readonly served: Served;
  readonly load: Load;
  /** CPU microseconds a Check, one figure a round. */
  readonly rounds: number[];
}

async function measure(run: Run, wanted: ReadonlySet<string>): Promise<Map<string, RowResult>> {
  const results = new Map<string, RowResult>();
  const chosen = subjects.filter(({ row }) => wanted.has(row));
  if (!canReadCpu()) {
    for (const { row } of chosen) results.set(row, { skipped: "CPU is read from /proc (Linux)" });
    return results;
  }
  const rounds = run.quick ? 2 : 8;
  const seconds = run.quick ? 0.3 : 1;
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const servers: Server[] = [];
  try {
    const baseline = await startNoOp(workspace);
    servers.push(baseline);
    for (const subject of chosen) servers.push(await startAuthorizer(workspace, subject));
    for (const server of servers) await warmUp(server, run, workspace);
    const before = await countsOf(servers);
    if (run.profileFolder !== null) for (const { child } of servers) child.send("profile");
    for (let round = 0; round <= rounds; round++) {
      run.progress(`check: round ${round} of ${rounds}`);
      for (const server of servers) {
        const us = await measureRound(server, seconds);
        // The first round still compiles and fills caches.
        if (round > 0) server.rounds.push(us);
      }
    }
    if (run.profileFolder !== null) await writeProfiles(servers, run.profileFolder);
    const after = await countsOf(servers);
    for (const server of servers) {
      await verifyAnswers(server.served.address, workspace.corpus, server !== baseline);
    }
    for (const server of servers) {
      if (server === baseline) continue;
      const ours = figureOf(server.rounds);
      const counts = differenceOf(server.row, before, after);
      results.set(server.row, {
        rounds: ratiosOf(server.rounds, baseline.rounds),
        details: {
          "µs of ours": ours.median,
          "µs of the no-op": figureOf(baseline.rounds).median,
          "decision cache hits": counts.decisionHits / counts.checks,
          "token cache hits": counts.tokenHits / counts.checks,
        },
      });
    }
    return results;
  } finally {
    for (const { load, child } of servers) {
      load.close();
      await child.stop();
    }
    workspace.remove();
  }
}

const script = join(import.meta.dirname, "../serve.ts");

async function startNoOp({ corpus }: Workspace): Promise<Server> {
  const child = startChild([script, "no-op"]);
  const served = await child.next<Served>();
  const load = await Load.open(served.address, twoByEight, () => repeatedMessages(corpus));
  return { row: "no-op", child, served, load, rounds: [] };
}

async function startAuthorizer(
  { corpus, documents }: Workspace,
  { row, listener, decisionCache, fresh }: Subject,
): Promise<Server> {
  const settings: AuthorizerSettings = {
    listener,
    documents,
    address: "grpc://127.0.0.1:0",
    sets: [`decisionCache.enabled=${decisionCache}`],
  };
  const args = [script, "authorizer", JSON.stringify(settings)];
  const child = startChild(args);
  const served = await child.next<Served>();
  let connections = 0;
  const source = (): MessageSource =>
    fresh ? freshMessages(corpus, connections++, twoByEight.connections) : repeatedMessages(corpus);
  const load = await Load.open(served.address, twoByEight, source);
  return { row, child, served, load, rounds: [] };
}

async function warmUp(server: Server, run: Run, { corpus }: Workspace): Promise<void> {
  run.progress(`check: warming up ${server.row}`);
  const decides = server.row !== "no-op";
  await verifyAnswers(server.served.address, corpus, decides);
  if (decides) await introduceTokens(server.served.address, corpus);
  await server.load.run(run.quick ? 0.3 : 2);
}
async function writeProfiles(servers: readonly Server[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { child, row } of servers) {
    const written = child.next();
    child.send({ writeProfile: join(folder, `${row}.cpuprofile`) });
    await written;
  }
}

async function measureRound({ child, load }: Server, seconds: number): Promise<number> {
  const before = cpuUs(child.pid);
  const { answered } = await load.run(seconds);
  return (cpuUs(child.pid) - before) / answered;
}

async function countsOf(servers: readonly Server[]): Promise<Map<string, CheckCounts>> {
  const counts = new Map<string, CheckCounts>();
  for (const { row, served, load } of servers) {
    if (served.diagnostics === null) continue;
    counts.set(row, { ...(await readCheckCounts(served.diagnostics)), asked: load.asked });
  }
  return counts;
}

function differenceOf(
  row: string,
  before: ReadonlyMap<string, CheckCounts>,
  after: ReadonlyMap<string, CheckCounts>,
): CheckCounts {
  const from = before.get(row);
  const to = after.get(row);
  if (from === undefined || to === undefined) throw new Error(`no counts of ${row}`);
  return countsBetween(row, from, to);
}
