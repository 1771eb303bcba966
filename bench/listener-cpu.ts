import { type ChildProcess, fork } from "node:child_process";
import type { ClientHttp2Session } from "node:http2";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { createDecoder } from "../src/adapters/envoy/decode.ts";
import { createListener } from "../src/adapters/envoy/server.ts";
import { HeaderValueOptionSchema } from "../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { checkPath, grpcFrame, openSession } from "../test/fakes/grpc-client.ts";

/*
 * CPU of a server per Check, in one interleaved run: grpc-js with protobuf-es doing nothing ("es", the
 * yardstick), and our two listeners with scanner and prebuilt answer. 2 connections × 8 streams.
 *
 *   node bench/listener-cpu.ts [rounds] [seconds a round]
 *
 * The generator is node:http2 in this process; it is slower than the servers, so only CPU a request is
 * told, never requests a second.
 */

export const serverKinds = ["es", "grpc-js", "http2"] as const;
export type ServerKind = (typeof serverKinds)[number];

/** Microseconds of CPU per Check: one figure a round. */
export type CpuFigures = Readonly<Record<ServerKind, number[]>>;

/** A message like performance 1.1's: 15 headers, a token of 614 bytes, a path of 75 characters. */
function message(): Buffer {
  const headers: Record<string, string> = {
    ":path": `/v1/accounts/111122223333/orders/${"0123456789".repeat(3)}?expand=lines`,
    ":method": "GET",
    ":authority": "orders.shop.svc.cluster.local",
    ":scheme": "https",
    authorization: `Bearer ${"e".repeat(614)}`,
  };
  for (let n = 0; n < 10; n++) headers[`x-header-${n}`] = `value number ${n} of ten`;
  const http = {
    id: "1234567890",
    method: "GET",
    path: headers[":path"] ?? "",
    host: "orders.shop.svc.cluster.local",
    scheme: "https",
    protocol: "HTTP/2",
    headers,
  };
  const source = { principal: "spiffe://cluster.local/ns/shop/sa/cart" };
  return Buffer.from(
    toBinary(
      CheckRequestSchema,
      create(CheckRequestSchema, { attributes: { source, request: { http } } }),
    ),
  );
}

const headers = ["account", "principal", "session"].map((name) =>
  create(HeaderValueOptionSchema, {
    header: { key: `x-mesh-iam-${name}`, value: "arn:aws:iam::111122223333:user/alice" },
    append: false,
    appendAction: 2,
  }),
);
const answer = create(CheckResponseSchema, {
  status: {},
  httpResponse: { case: "okResponse", value: { headers } },
});

async function serve(kind: ServerKind): Promise<string> {
  if (kind === "es") {
    const server = new Server({ "grpc.enable_channelz": 0 });
    server.register(
      checkPath,
      (_: ServerUnaryCall<CheckRequest, CheckResponse>, reply: sendUnaryData<CheckResponse>) =>
        reply(null, answer),
      (response: CheckResponse) => Buffer.from(toBinary(CheckResponseSchema, response)),
      (bytes: Buffer) => fromBinary(CheckRequestSchema, bytes),
      "unary",
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (cause, bound) =>
        cause === null ? resolve(bound) : reject(cause),
      ),
    );
    return `127.0.0.1:${port}`;
  }
  const decoder = createDecoder();
  const bytes = toBinary(CheckResponseSchema, answer);
  const check = (request: Uint8Array) => {
    decoder.decode(request);
    return bytes;
  };
  const listener = createListener(
    { address: { type: "tcp", host: "127.0.0.1", port: 0 }, check },
    kind,
  );
  return (await listener.start()).address;
}

interface Running {
  readonly kind: ServerKind;
  readonly child: ChildProcess;
  readonly sessions: readonly ClientHttp2Session[];
}

/** Returns the figures of `rounds` interleaved rounds; ends its servers. */
export async function measureCpu(rounds: number, seconds: number): Promise<CpuFigures> {
  const servers = await Promise.all(serverKinds.map(launch));
  const figures: CpuFigures = { es: [], "grpc-js": [], http2: [] };
  try {
    for (const server of servers) await load(server, 1);
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) figures[server.kind].push(await load(server, seconds));
    }
  } finally {
    for (const { child, sessions } of servers) {
      for (const session of sessions) session.destroy();
      child.kill();
    }
  }
  return figures;
}

async function launch(kind: ServerKind): Promise<Running> {
  const child = fork(fileURLToPath(import.meta.url), ["--serve", kind]);
  const address = await next<string>(child);
  return { kind, child, sessions: [await openSession(address), await openSession(address)] };
}

function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (value) => resolve(value as T)));
}

async function cpuUs(child: ChildProcess): Promise<number> {
  const reply = next<number>(child);
  child.send("cpu");
  return reply;
}

async function load({ child, sessions }: Running, seconds: number): Promise<number> {
  const frame = grpcFrame(message());
  const endMs = performance.now() + seconds * 1000;
  const before = await cpuUs(child);
  let answered = 0;
  const worker = async (session: ClientHttp2Session) => {
    while (performance.now() < endMs) {
      if ((await call(session, frame)) !== "0") throw new Error("not answered with grpc-status 0");
      answered += 1;
    }
  };
  await Promise.all(
    sessions.flatMap((session) => Array.from({ length: 8 }, () => worker(session))),
  );
  return ((await cpuUs(child)) - before) / answered;
}

function call(session: ClientHttp2Session, frame: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": checkPath,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "250m",
    });
    let status = "";
    stream.on("trailers", (trailers) => {
      status = String(trailers["grpc-status"]);
    });
    stream.on("error", reject);
    stream.on("close", () => resolve(status));
    stream.resume();
    stream.end(frame);
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
  if (process.argv[2] === "--serve") {
    const address = await serve(process.argv[3] as ServerKind);
    process.on("message", () => {
      const { user, system } = process.cpuUsage();
      process.send?.(user + system);
    });
    process.send?.(address);
  } else {
    const [rounds = "7", seconds = "1"] = process.argv.slice(2);
    const figures = await measureCpu(Number(rounds), Number(seconds));
    console.log(`message ${message().length} B, ${rounds} rounds of ${seconds} s, 2 × 8`);
    for (const kind of serverKinds) {
      const ratios = figures[kind].map((us, round) => us / (figures.es[round] ?? Number.NaN));
      console.log(
        `${kind.padEnd(8)} ${median(figures[kind]).toFixed(1)} µs  ÷ es ${median(ratios).toFixed(2)}`,
      );
    }
  }
}
