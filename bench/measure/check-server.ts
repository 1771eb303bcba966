import { join } from "node:path";
import type { ListenerKind } from "../../src/adapters/envoy/server.ts";
import type { Workspace } from "../corpus/workspace.ts";
import type { MessageSource } from "../load/grpc-connection.ts";
import { Load, twoByEight } from "../load/load.ts";
import { freshMessages, repeatedMessages } from "../load/messages.ts";
import { introduceTokens, verifyAnswers } from "../load/verify-answers.ts";
import type { Run } from "../rows/row.ts";
import type { AuthorizerSettings, Served } from "../serve.ts";
import { type Child, startChild, startProgram } from "./child.ts";
import { cpuUs } from "./cpu.ts";
import { type CheckCounts, countsBetween, readCheckCounts } from "./scrape.ts";

/*
 * Servers that answer Checks, each a process on core 0 with a load of its own; they take turns.
 */

/** A server under measurement. */
export interface CheckServer {
  readonly row: string;
  readonly child: Pick<Child, "pid" | "send" | "next" | "stop">;
  readonly served: Served;
  readonly load: Load;
  /** CPU microseconds a Check, one figure a round. */
  readonly rounds: number[];
  /** Whether it says no where that is due. */
  readonly decides: boolean;
}

/** How one of ours is set up. */
export interface OurSetup {
  readonly row: string;
  readonly listener: ListenerKind;
  readonly decisionCache: boolean;
  /** Every question is new: nothing can be answered from the decision cache. */
  readonly fresh: boolean;
}

const script = join(import.meta.dirname, "../serve.ts");

/** Starts the grpc-js + protobuf-es server that decides nothing. */
export async function startNoOp({ corpus }: Workspace): Promise<CheckServer> {
  const child = startChild([script, "no-op"]);
  const served = await child.next<Served>();
  const load = await Load.open(served.address, twoByEight, () => repeatedMessages(corpus));
  return { row: "no-op", child, served, load, rounds: [], decides: false };
}

/** Starts the authorizer on the documents of the workspace. */
export async function startAuthorizer(
  { corpus, documents }: Workspace,
  { row, listener, decisionCache, fresh }: OurSetup,
): Promise<CheckServer> {
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
  return { row, child, served, load, rounds: [], decides: true };
}

/** Starts a program that prints where it serves. */
export async function startPeer(
  row: string,
  command: readonly string[],
  { corpus }: Workspace,
  decides: boolean,
): Promise<CheckServer> {
  const { child, firstLine } = await startProgram(command);
  const served = { address: firstLine, diagnostics: null };
  const load = await Load.open(served.address, twoByEight, () => repeatedMessages(corpus));
  return { row, child, served, load, rounds: [], decides };
}

/** Verifies what the server answers, shows it every token and lets it run for a while. */
export async function warmUp(server: CheckServer, run: Run, { corpus }: Workspace): Promise<void> {
  run.progress(`warming up ${server.row}`);
  await verifyAnswers(server.served.address, corpus, server.decides);
  if (server.served.diagnostics !== null) await introduceTokens(server.served.address, corpus);
  await server.load.run(run.quick ? 0.3 : 2);
}

/** Takes one round of each server, `rounds` times over; the first still compiles and fills caches. */
export async function takeTurns(
  servers: readonly CheckServer[],
  run: Run,
  what: string,
): Promise<void> {
  const rounds = run.quick ? 2 : 8;
  for (let round = 0; round <= rounds; round++) {
    run.progress(`${what}: round ${round} of ${rounds}`);
    for (const server of servers) {
      const us = await measureRound(server, run.quick ? 0.3 : 1);
      if (round > 0) server.rounds.push(us);
    }
  }
}

async function measureRound({ child, load }: CheckServer, seconds: number): Promise<number> {
  const before = cpuUs(child.pid);
  const { answered } = await load.run(seconds);
  return (cpuUs(child.pid) - before) / answered;
}

/** Reads what each of ours has counted so far, and what it was asked. */
export async function countsOf(servers: readonly CheckServer[]): Promise<Map<string, CheckCounts>> {
  const counts = new Map<string, CheckCounts>();
  for (const { row, served, load } of servers) {
    if (served.diagnostics === null) continue;
    counts.set(row, { ...(await readCheckCounts(served.diagnostics)), asked: load.asked });
  }
  return counts;
}

/** Returns what a server counted between two readings; throws unless it is what was asked. */
export function differenceOf(
  row: string,
  before: ReadonlyMap<string, CheckCounts>,
  after: ReadonlyMap<string, CheckCounts>,
): CheckCounts {
  const from = before.get(row);
  const to = after.get(row);
  if (from === undefined || to === undefined) throw new Error(`no counts of ${row}`);
  return countsBetween(row, from, to);
}

export async function stopServers(servers: readonly CheckServer[]): Promise<void> {
  for (const { load, child } of servers) {
    load.close();
    await child.stop();
  }
}
