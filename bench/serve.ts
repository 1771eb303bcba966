import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { loadConfig } from "../src/adapters/config/load.ts";
import type { ListenerKind } from "../src/adapters/envoy/server.ts";
import { createDecisionLog } from "../src/adapters/telemetry/decision-log.ts";
import { createLineWriter } from "../src/adapters/telemetry/line-writer.ts";
import { createLog } from "../src/adapters/telemetry/log.ts";
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { startAuthorizer } from "../src/processes/authorizer/start.ts";
import { checkPath } from "../test/fakes/grpc-client.ts";
import { answerNothing } from "./corpus/no-op.ts";
import { answerProfileRequests } from "./measure/profile.ts";

/*
 * A server that is measured, a process of its own, started by the rows:
 *
 *   node bench/serve.ts no-op
 *   node bench/serve.ts authorizer '{"listener":"http2","documents":"…","address":"grpc://…","sets":[]}'
 *
 * It tells over IPC where it serves and ends at SIGTERM.
 */

export interface AuthorizerSettings {
  readonly listener: ListenerKind;
  readonly documents: string;
  /** As `--addr` takes it. */
  readonly address: string;
  readonly sets: readonly string[];
}

export interface Served {
  readonly address: string;
  /** `host:port` of the diagnostics listener; null of the no-op. */
  readonly diagnostics: string | null;
}

/** The yardstick: grpc-js and protobuf-es as anybody would put them together. */
async function serveNoOp(address = "127.0.0.1:0"): Promise<Served> {
  const server = new Server();
  server.register(
    checkPath,
    (call: ServerUnaryCall<CheckRequest, CheckResponse>, reply: sendUnaryData<CheckResponse>) =>
      reply(null, answerNothing(call.request)),
    (response: CheckResponse) => Buffer.from(toBinary(CheckResponseSchema, response)),
    (bytes: Buffer) => fromBinary(CheckRequestSchema, bytes),
    "unary",
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) =>
    cause === null ? resolve(bound) : reject(cause),
  );
  const port = await promise;
  return {
    address: address.startsWith("unix:") ? address.slice("unix:".length) : `127.0.0.1:${port}`,
    diagnostics: null,
  };
}

/** The authorizer as `mesh-iam authorizer` starts it, its log and decision log to a discarded stdout. */
async function serveAuthorizer(settings: AuthorizerSettings): Promise<Served> {
  const loaded = loadConfig({
    flags: {
      addr: settings.address,
      diagnosticAddr: "127.0.0.1:0",
      documents: settings.documents,
      region: "eu-west-1",
      drainSeconds: "0",
    },
    sets: settings.sets,
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const config = loaded.value;
  const writer = createLineWriter(1);
  const version = "0.0.0-bench";
  const authorizer = await startAuthorizer(config, {
    log: createLog({ writer, nowMs: Date.now, component: "authorizer", version, level: "warn" }),
    decisionLog: createDecisionLog({
      ...config.decisionLogs,
      sinks: [{ name: "stdout", writer }],
      labels: { instance: "bench", version },
      salt: new Uint8Array(16),
    }),
    build: { version, commit: "bench" },
    listener: settings.listener,
  });
  const { host, port } = authorizer.diagnostics;
  return { address: authorizer.address, diagnostics: `${host}:${port}` };
}

if (import.meta.main) {
  const [kind, text = "{}"] = process.argv.slice(2);
  process.once("SIGTERM", () => process.exit(0));
  answerProfileRequests();
  const served =
    kind === "no-op"
      ? await serveNoOp(text === "{}" ? undefined : text)
      : await serveAuthorizer(JSON.parse(text) as AuthorizerSettings);
  process.send?.(served);
}
