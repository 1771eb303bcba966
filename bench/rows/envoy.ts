import { join } from "node:path";
import { findEnvoy } from "../../src/adapters/envoy/binary.ts";
import { MeshIamError } from "../../src/iam/error.ts";
import {
  launchEnvoy,
  type RunningEnvoy,
} from "../../src/processes/cli/quickstart/envoy-process.ts";
import { http1Request } from "../../test/fakes/http-client.ts";
import { policyOf, shopName } from "../corpus/organization.ts";
import { createWorkspace, quickSize, usualSize, type Workspace } from "../corpus/workspace.ts";
import { envoyConfig } from "../envoy/config.ts";
import { Http1Load } from "../load/http1-load.ts";
import { introduceTokens, verifyAnswers } from "../load/verify-answers.ts";
import { type Child, pinned, startChild } from "../measure/child.ts";
import { canReadCpu, cpuUs } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
import { type CheckCounts, countsBetween, readCheckCounts } from "../measure/scrape.ts";
import type { AuthorizerSettings, Served } from "../serve.ts";
import { rotate } from "../subjects/subject.ts";
import type { Group, RowResult, Run } from "./row.ts";

/*
 * The only number a user feels: CPU of Envoy and authorizer for a whole request, over Envoy answering
 * without asking anybody (performance 1.14, table B; goal 21). 16 connections × 1, Unix socket.
 */

const connections = 16;

export const envoyGroup: Group = {
  name: "envoy",
  rows: [
    {
      name: "envoy",
      title: "a whole request, Envoy and authorizer (decisions remembered) ÷ bare Envoy",
      unit: "ratio",
    },
    {
      name: "envoy-evaluated",
      title: "the same, every decision evaluated",
      unit: "ratio",
    },
    {
      name: "envoy-no-op",
      title: "the same with a grpc-js + protobuf-es server that decides nothing",
      unit: "ratio",
    },
  ],
  measure,
};

/** A way that a request can take, under load. */
interface Track {
  readonly name: string;
  readonly authorizer: Authorizer | null;
  /** Envoy's listener of it on loopback. */
  readonly port: number;
  readonly load: Http1Load;
  readonly envoyUs: number[];
  readonly authorizerUs: number[];
}

interface Authorizer {
  readonly child: Child;
  readonly served: Served;
}

async function measure(run: Run, wanted: ReadonlySet<string>): Promise<Map<string, RowResult>> {
  const binary = canReadCpu() ? await envoyOrWhy(run) : { why: "CPU is read from /proc (Linux)" };
  if (typeof binary !== "string") {
    return new Map([...wanted].map((row) => [row, { skipped: binary.why }]));
  }
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const opened: (() => unknown)[] = [() => workspace.remove()];
  try {
    const authorizers = new Map<string, Authorizer>();
    const ways = [
      { name: "bare", socket: null },
      ...[...wanted].map((name) => wayOf(name, workspace)),
    ];
    for (const name of wanted) {
      run.progress(`envoy: starting ${name}`);
      const authorizer = await startAuthorizer(name, workspace);
      authorizers.set(name, authorizer);
      opened.push(() => authorizer.child.stop());
    }
    const { folder } = workspace;
    const config = envoyConfig(ways);
    const launcher = pinned([], 0);
    const envoy = await launchEnvoy({ binary, folder, config, concurrency: 1, launcher });
    opened.push(() => envoy.stop());
    const requests = requestsOf(workspace);
    const tracks: Track[] = [];
    for (const { name } of ways) {
      const port = Number(envoy.addresses.get(name)?.split(":").at(-1));
      const load = await Http1Load.open(port, connections, rotate(requests));
      opened.push(() => load.close());
      const authorizer = authorizers.get(name) ?? null;
      tracks.push({ name, authorizer, port, load, envoyUs: [], authorizerUs: [] });
    }
    for (const track of tracks) await verifyTrack(track, workspace);
    const before = await countsOf(tracks);
    await measureRounds(tracks, envoy, run);
    const after = await countsOf(tracks);
    for (const track of tracks) await verifyTrack(track, workspace);
    return resultsOf(tracks, before, after);
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

async function measureRounds(
  tracks: readonly Track[],
  envoy: RunningEnvoy,
  run: Run,
): Promise<void> {
  const rounds = run.quick ? 2 : 6;
  for (const { load } of tracks) await load.run(run.quick ? 0.3 : 1.5);
  for (let round = 0; round <= rounds; round++) {
    run.progress(`envoy: round ${round} of ${rounds}`);
    for (const track of tracks) {
      const own = track.authorizer?.child.pid ?? null;
      const envoyBefore = cpuUs(envoy.pid);
      const ownBefore = own === null ? 0 : cpuUs(own);
      const answers = await track.load.run(run.quick ? 0.3 : 1.5);
      if (round === 0) continue;
      track.envoyUs.push((cpuUs(envoy.pid) - envoyBefore) / answers);
      track.authorizerUs.push(own === null ? 0 : (cpuUs(own) - ownBefore) / answers);
    }
  }
}

/** Asks the authorizer itself, and through Envoy: the usual request passes, the denied one does not. */
async function verifyTrack(track: Track, { corpus }: Workspace): Promise<void> {
  const { name, authorizer, port } = track;
  const decides = authorizer !== null && authorizer.served.diagnostics !== null;
  if (authorizer !== null) await verifyAnswers(authorizer.served.address, corpus, decides);
  for (const [method, want] of [
    ["GET", 200],
    ["DELETE", decides ? 403 : 200],
  ] as const) {
    const { status } = await http1Request(`127.0.0.1:${port}`, {
      method,
      target: targetOf(shopName(policyOf(0, 0)), 0),
      host,
      headers: [["authorization", `Bearer ${corpus.tokens[0]}`]],
    });
    if (status !== want) throw new Error(`${name}: ${method} got ${status}, expected ${want}`);
  }
}

async function countsOf(tracks: readonly Track[]): Promise<Map<string, CheckCounts>> {
  const counts = new Map<string, CheckCounts>();
  for (const { name, authorizer, load } of tracks) {
    const diagnostics = authorizer?.served.diagnostics ?? null;
    if (diagnostics === null) continue;
    counts.set(name, { ...(await readCheckCounts(diagnostics)), asked: load.answered });
  }
  return counts;
}

function hitsOf(name: string, from?: CheckCounts, to?: CheckCounts): Record<string, number> {
  if (from === undefined || to === undefined) return {};
  const { checks, decisionHits, tokenHits } = countsBetween(name, from, to);
  return {
    "decision cache hits": decisionHits / checks,
    "token cache hits": tokenHits / checks,
  };
}

function resultsOf(
  tracks: readonly Track[],
  before: ReadonlyMap<string, CheckCounts>,
  after: ReadonlyMap<string, CheckCounts>,
): Map<string, RowResult> {
  const [bare, ...others] = tracks;
  if (bare === undefined) throw new Error("no bare Envoy");
  return new Map(
    others.map(({ name, envoyUs, authorizerUs }) => {
      const sums = envoyUs.map((us, round) => us + (authorizerUs[round] ?? 0));
      return [
        name,
        {
          rounds: ratiosOf(sums, bare.envoyUs),
          details: {
            "µs of bare Envoy": figureOf(bare.envoyUs).median,
            "µs of Envoy": figureOf(envoyUs).median,
            "µs of the authorizer": figureOf(authorizerUs).median,
            ...hitsOf(name, before.get(name), after.get(name)),
          },
        },
      ];
    }),
  );
}

const script = join(import.meta.dirname, "../serve.ts");

function wayOf(name: string, { folder }: Workspace) {
  return { name, socket: join(folder, `${name}.sock`) };
}

async function startAuthorizer(name: string, workspace: Workspace): Promise<Authorizer> {
  const { socket } = wayOf(name, workspace);
  if (name === "envoy-no-op") {
    const child = startChild([script, "no-op", `unix:${socket}`]);
    return { child, served: await child.next<Served>() };
  }
  const settings: AuthorizerSettings = {
    listener: "http2",
    documents: workspace.documents,
    address: `unix://${socket}`,
    sets: [`decisionCache.enabled=${name === "envoy"}`],
  };
  const child = startChild([script, "authorizer", JSON.stringify(settings)]);
  const served = await child.next<Served>();
  await introduceTokens(served.address, workspace.corpus);
  return { child, served };
}

const host = "orders.shop.svc.cluster.local";

function targetOf(shop: string, n: number): string {
  return `/v1/shops/${shop}/orders/7${String(n).padStart(9, "0")}?expand=lines,parcels,shipping,taxes`;
}

/** Requests of the corpus' callers and paths, 15 headers each. */
function requestsOf({ corpus }: Workspace): Buffer[] {
  const users = corpus.tokens.length;
  return Array.from({ length: corpus.allowed.length }, (_, n) => {
    const user = n % users;
    const shop = shopName(policyOf(user, Math.floor(n / users)));
    const lines = [
      `GET ${targetOf(shop, n)} HTTP/1.1`,
      `host: ${host}`,
      "accept: application/json",
      "accept-encoding: gzip, br",
      "accept-language: en",
      `authorization: Bearer ${corpus.tokens[user]}`,
      "cache-control: no-cache",
      "content-type: application/json",
      "dnt: 1",
      "referer: https://shop.example.com/orders",
      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
      "user-agent: checkout/3.14.1 (linux; amd64)",
      "x-client: checkout",
      "x-forwarded-for: 10.1.2.3",
      "x-request-id: 2d1f7f4e-9c3a-4f61-8d55-0a1b2c3d4e5f",
      "x-session: ssssssssssssssssssssssssssssssss",
    ];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  });
}

async function envoyOrWhy(run: Run): Promise<string | { readonly why: string }> {
  try {
    return await findEnvoy({
      env: process.env,
      cacheFolder: join(import.meta.dirname, "../../.cache"),
      progress: run.progress,
    });
  } catch (failure) {
    return { why: MeshIamError.from(failure).message };
  }
}
