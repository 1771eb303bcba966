import { existsSync } from "node:fs";
import { join } from "node:path";
import { audience, issuer } from "../corpus/tokens.ts";
import { createWorkspace, quickSize, usualSize, type Workspace } from "../corpus/workspace.ts";
import { verifyAnswers } from "../load/verify-answers.ts";
import {
  type CheckServer,
  countsOf,
  differenceOf,
  startAuthorizer,
  startPeer,
  stopServers,
  takeTurns,
  warmUp,
} from "../measure/check-server.ts";
import { canReadCpu } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * A full Check beside what others would run in its place, asked with the same bytes (performance 4.6;
 * goals 2 and 19). They are written in Go and built by `npm run bench:peers`.
 */

/** Where `npm run bench:peers` puts it. */
const program = join(import.meta.dirname, "../../.cache/bench/peers");
const policy = join(import.meta.dirname, "../peers/policy.rego");

interface Peer {
  readonly row: string;
  readonly title: string;
  /** The peer is divided by ours, or ours by the peer. */
  readonly peerIsAbove: boolean;
  readonly decides: boolean;
  readonly args: (workspace: Workspace) => readonly string[];
}

const peers: readonly Peer[] = [
  {
    row: "go-no-op",
    title: "a full Check, every decision evaluated ÷ a Go gRPC server that decides nothing",
    peerIsAbove: false,
    decides: false,
    args: () => ["no-op"],
  },
  {
    row: "opa-library",
    title:
      "OPA 1.22.2 as a Go library, ten rules, tokens remembered, given only what its policy reads ÷ a full Check, every decision evaluated",
    peerIsAbove: true,
    decides: true,
    args: ({ documents }) => {
      const jwks = join(documents, "jwks.json");
      return ["opa", JSON.stringify({ policy, jwks, issuer, audience })];
    },
  },
];

export const peersGroup: Group = {
  name: "peers",
  rows: peers.map(({ row, title }) => ({ name: row, title, unit: "ratio" })),
  measure,
};

async function measure(run: Run, wanted: ReadonlySet<string>): Promise<Map<string, RowResult>> {
  const chosen = peers.filter(({ row }) => wanted.has(row));
  const skipped = whyNot();
  if (skipped !== null) return new Map(chosen.map(({ row }) => [row, { skipped }]));
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const servers: CheckServer[] = [];
  try {
    const setup = { row: "ours", listener: "http2", decisionCache: false, fresh: false } as const;
    const ours = await startAuthorizer(workspace, setup);
    servers.push(ours);
    for (const { row, decides, args } of chosen) {
      servers.push(await startPeer(row, [program, ...args(workspace)], workspace, decides));
    }
    for (const server of servers) await warmUp(server, run, workspace);
    const before = await countsOf(servers);
    await takeTurns(servers, run, "peers");
    differenceOf(ours.row, before, await countsOf(servers));
    for (const { served, decides } of servers) {
      await verifyAnswers(served.address, workspace.corpus, decides);
    }
    return new Map(chosen.map((peer, at) => [peer.row, resultOf(peer, servers[at + 1], ours)]));
  } finally {
    await stopServers(servers);
    workspace.remove();
  }
}

function whyNot(): string | null {
  if (!canReadCpu()) return "CPU is read from /proc (Linux)";
  if (!existsSync(program)) return "not built: `npm run bench:peers` does that, it needs Go 1.26";
  return null;
}

function resultOf(peer: Peer, server: CheckServer | undefined, ours: CheckServer): RowResult {
  if (server === undefined) throw new Error(`no server of ${peer.row}`);
  const { rounds } = server;
  return {
    rounds: peer.peerIsAbove ? ratiosOf(rounds, ours.rounds) : ratiosOf(ours.rounds, rounds),
    details: {
      "µs of ours": figureOf(ours.rounds).median,
      [`µs of ${peer.row}`]: figureOf(rounds).median,
    },
  };
}
