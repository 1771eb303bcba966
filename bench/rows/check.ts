import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createWorkspace, quickSize, usualSize } from "../corpus/workspace.ts";
import { verifyAnswers } from "../load/verify-answers.ts";
import {
  type CheckServer,
  countsOf,
  differenceOf,
  type OurSetup,
  startAuthorizer,
  startNoOp,
  stopServers,
  takeTurns,
  warmUp,
} from "../measure/check-server.ts";
import { canReadCpu } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * CPU of one full Check: Envoy's bytes to answer, in the authorizer as it is shipped, over a grpc-js +
 * protobuf-es server that decides nothing (performance 1.1, 4.1; goals 5, row 1).
 */

interface Subject extends OurSetup {
  readonly title: string;
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

async function measure(run: Run, wanted: ReadonlySet<string>): Promise<Map<string, RowResult>> {
  const results = new Map<string, RowResult>();
  const chosen = subjects.filter(({ row }) => wanted.has(row));
  if (!canReadCpu()) {
    for (const { row } of chosen) results.set(row, { skipped: "CPU is read from /proc (Linux)" });
    return results;
  }
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const servers: CheckServer[] = [];
  try {
    const baseline = await startNoOp(workspace);
    servers.push(baseline);
    for (const subject of chosen) servers.push(await startAuthorizer(workspace, subject));
    for (const server of servers) await warmUp(server, run, workspace);
    const before = await countsOf(servers);
    if (run.profileFolder !== null) for (const { child } of servers) child.send("profile");
    await takeTurns(servers, run, "check");
    if (run.profileFolder !== null) await writeProfiles(servers, run.profileFolder);
    const after = await countsOf(servers);
    for (const { served, decides } of servers) {
      await verifyAnswers(served.address, workspace.corpus, decides);
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
    await stopServers(servers);
    workspace.remove();
  }
}

async function writeProfiles(servers: readonly CheckServer[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { child, row } of servers) {
    const written = child.next();
    child.send({ writeProfile: join(folder, `${row}.cpuprofile`) });
    await written;
  }
}
