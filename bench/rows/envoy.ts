import { join } from "node:path";
import { findEnvoy } from "../../src/adapters/envoy/binary.ts";
import { MeshIamError } from "../../src/iam/error.ts";
import {
  launchEnvoy,
  type RunningEnvoy,
} from "../../src/processes/cli/quickstart/envoy-process.ts";
import { policyOf, shopName } from "../corpus/organization.ts";
import { createWorkspace, quickSize, usualSize, type Workspace } from "../corpus/workspace.ts";
import { envoyConfig } from "../envoy/config.ts";
import { Http1Load } from "../load/http1-load.ts";
import { introduceTokens } from "../load/verify-answers.ts";
import { type Child, pinned, startChild } from "../measure/child.ts";
import { canReadCpu, cpuUs } from "../measure/cpu.ts";
import { figureOf, ratiosOf } from "../measure/figures.ts";
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
  readonly authorizer: Child | null;
  readonly load: Http1Load;
  readonly envoyUs: number[];
  readonly authorizerUs: number[];
}

async function measure(run: Run, wanted: ReadonlySet<string>): Promise<Map<string, RowResult>> {
  const binary = canReadCpu() ? await envoyOrWhy(run) : { why: "CPU is read from /proc (Linux)" };
  if (typeof binary !== "string") {
    return new Map([...wanted].map((row) => [row, { skipped: binary.why }]));
  }
  const workspace = createWorkspace(run.quick ? quickSize : usualSize);
  const opened: (() => unknown)[] = [() => workspace.remove()];
  try {
    const authorizers = new Map<string, Child>();
    const ways = [
      { name: "bare", socket: null },
      ...[...wanted].map((name) => wayOf(name, workspace)),
    ];
    for (const name of wanted) {
      run.progress(`envoy: starting ${name}`);
      const child = await startAuthorizer(name, workspace);
      authorizers.set(name, child);
      opened.push(() => child.stop());
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
      tracks.push({ name, authorizer, load, envoyUs: [], authorizerUs: [] });
    }
    await measureRounds(tracks, envoy, run);
    return resultsOf(tracks);
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
      const own = track.authorizer?.pid ?? null;
      const envoyBefore = cpuUs(envoy.pid);
      const ownBefore = own === null ? 0 : cpuUs(own);
      const answers = await track.load.run(run.quick ? 0.3 : 1.5);
      if (round === 0) continue;
      track.envoyUs.push((cpuUs(envoy.pid) - envoyBefore) / answers);
      track.authorizerUs.push(own === null ? 0 : (cpuUs(own) - ownBefore) / answers);
    }
  }
}

function resultsOf(tracks: readonly Track[]): Map<string, RowResult> {
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

async function startAuthorizer(name: string, workspace: Workspace): Promise<Child> {
  const { socket } = wayOf(name, workspace);
  if (name === "envoy-no-op") {
    const child = startChild([script, "no-op", `unix:${socket}`]);
    await child.next<Served>();
    return child;
  }
  const settings: AuthorizerSettings = {
    listener: "http2",
    documents: workspace.documents,
    address: `unix://${socket}`,
    sets: [`decisionCache.enabled=${name === "envoy"}`],
  };
  const child = startChild([script, "authorizer", JSON.stringify(settings)]);
  const { address } = await child.next<Served>();
  await introduceTokens(address, workspace.corpus);
  return child;
}

/** Requests of the corpus' callers and paths, 15 headers each. */
function requestsOf({ corpus }: Workspace): Buffer[] {
  const users = corpus.tokens.length;
  return Array.from({ length: corpus.allowed.length }, (_, n) => {
    const user = n % users;
    const shop = shopName(policyOf(user, Math.floor(n / users)));
    const lines = [
      `GET /v1/shops/${shop}/orders/7${String(n).padStart(9, "0")}?expand=lines,parcels,shipping,taxes HTTP/1.1`,
      "host: orders.shop.svc.cluster.local",
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
