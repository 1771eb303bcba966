import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../src/adapters/config/load.ts";
import type { AuthorizerConfig } from "../../src/adapters/config/schema.ts";
import { createDecisionLog } from "../../src/adapters/telemetry/decision-log.ts";
import { createLog } from "../../src/adapters/telemetry/log.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { startAuthorizer } from "../../src/processes/authorizer/start.ts";
import { type Document, formatDocuments } from "../fakes/documents.ts";
import {
  grpcRequest,
  type HttpReply,
  type HttpRequest,
  http1Request,
} from "../fakes/http-client.ts";
import { LogLines } from "../fakes/log-lines.ts";
import { readPage } from "../fakes/page.ts";
import { type EchoedRequest, startUpstream, type Upstream } from "../fakes/upstream.ts";
import { createRunDir, type EnvoyProcess, startEnvoy } from "./envoy.ts";
import { type ConfigOptions, type EnvoyConfig, istioConfig, strictConfig } from "./envoy-config.ts";

/*
 * The whole product behind a real Envoy: documents on disk, the authorizer that `mesh-iam authorizer`
 * runs, an Envoy, an application. How a test uses it:
 *
 *   const mesh = await startMesh({ binary, documents, ...variants[0] });
 *   const { reply, outcome, seen } = await mesh.ask({ target: "/v1/orders" });
 *   await mesh.close();
 *
 * `outcome` is what the authorizer said, null where Envoy answered by itself; `seen` is what reached the
 * application, null where nothing did.
 */

/** How Envoy reaches the authorizer, and in which shape its filter is configured. */
export interface Variant {
  readonly name: string;
  readonly shape: (options: ConfigOptions) => EnvoyConfig;
  readonly unix: boolean;
}

/** Both shapes and both transports, each once: what most suites run under. */
export const variants: readonly Variant[] = [
  { name: "strict, Unix socket", shape: strictConfig, unix: true },
  { name: "Istio-shaped, TCP", shape: istioConfig, unix: false },
];

/** The other two combinations. */
export const otherVariants: readonly Variant[] = [
  { name: "strict, TCP", shape: strictConfig, unix: false },
  { name: "Istio-shaped, Unix socket", shape: istioConfig, unix: true },
];

/** How long `expect.poll` waits for what has to come: far longer than it takes. */
export const soon = { timeout: 15_000, interval: 20 };

/** How long a `beforeAll` may take that starts an Envoy. */
export const startTimeoutMs = 60_000;

/** Long enough for a busy machine: no row but those about time means to see Envoy's own timeout. */
export const patientTimeout = "5s";

export interface AuthorizerOptions {
  readonly documents: readonly Document[];
  /** Where documents and socket go. */
  readonly runDir: string;
  readonly unix: boolean;
  /** Settings, as `--set` takes them. */
  readonly sets?: readonly string[];
}

/** An authorizer of this process, and all that it tells. */
export interface TestAuthorizer {
  readonly address: string;
  /** The folder whose documents it follows. */
  readonly folder: string;
  /** Since the start or the last `forget`. */
  readonly outcomes: CheckOutcome[];
  /** Lines of its log, and of its decision log once they are written. */
  readonly log: LogLines;
  readonly decisions: LogLines;
  /** The body of `/metrics` or another page of the diagnostics listener. */
  page(path: string): Promise<string>;
  status(): Promise<AuthorizerStatus>;
  /** Replaces the documents, as an editor does: a new file in place of the old. */
  write(documents: readonly Document[] | string): void;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** What tests look at of `/status`. */
export interface AuthorizerStatus {
  readonly ready: boolean;
  readonly bundle: {
    readonly revision: number | null;
    readonly lastRefusal: { readonly code: string; readonly detail: string } | null;
  };
  readonly services: readonly { readonly name: string; readonly mode: string }[];
  readonly selfCheck: { readonly samples: number; readonly mismatches: number };
}

/** Returns the configuration of a test's authorizer: every setting at its default but these. */
export function authorizerConfig(options: AuthorizerOptions): AuthorizerConfig {
  const { runDir, unix, sets = [] } = options;
  const loaded = loadConfig({
    flags: {
      addr: unix ? `unix://${join(runDir, "authz.sock")}` : "grpc://127.0.0.1:0",
      diagnosticAddr: "127.0.0.1:0",
      documents: documentsFolder(runDir),
      region: "eu-west-1",
      drainSeconds: "0",
    },
    // Whatever is decided here, the second evaluator decides again, and every record is written.
    sets: ["selfCheck.sampleRate=1", "decisionLogs.allowSampleRate=1", ...sets],
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.value;
}

export function documentsFolder(runDir: string): string {
  return join(runDir, "documents");
}

/** Writes `documents` into the folder that the authorizer of `runDir` reads. */
export function writeDocuments(runDir: string, documents: readonly Document[] | string): void {
  const folder = documentsFolder(runDir);
  mkdirSync(folder, { recursive: true });
  const text = typeof documents === "string" ? documents : formatDocuments(documents);
  // Beside the folder: a half-written file in it would be read.
  const fresh = join(runDir, "documents.new");
  writeFileSync(fresh, text);
  renameSync(fresh, join(folder, "documents.yaml"));
}

/** Starts the authorizer that the command line starts, in this process. */
export async function startTestAuthorizer(options: AuthorizerOptions): Promise<TestAuthorizer> {
  const { runDir } = options;
  writeDocuments(runDir, options.documents);
  const config = authorizerConfig(options);
  const outcomes: CheckOutcome[] = [];
  const lines = new LogLines();
  const decisions = new LogLines();
  const version = "0.0.0-test";
  const authorizer = await startAuthorizer(config, {
    log: createLog({ writer: lines, nowMs: Date.now, component: "authorizer", version }),
    decisionLog: createDecisionLog({
      ...config.decisionLogs,
      sinks: [{ name: "stdout", writer: decisions }],
      labels: { instance: "e2e", version },
      salt: new Uint8Array(16),
    }),
    build: { version, commit: "test" },
    onOutcome: (outcome) => void outcomes.push(outcome),
  });
  const { host, port } = authorizer.diagnostics;
  const page = (path: string) => readPage(`http://${host}:${port}${path}`);
  return {
    address: authorizer.address,
    folder: documentsFolder(runDir),
    outcomes,
    log: lines,
    decisions,
    page,
    status: async () => JSON.parse(await page("/status")) as AuthorizerStatus,
    write: (documents) => writeDocuments(runDir, documents),
    drain: () => authorizer.drain(),
    close: () => authorizer.close(),
  };
}

export interface MeshOptions extends Partial<Omit<ConfigOptions, "runDir" | "authorizers">> {
  readonly binary: string;
  readonly documents: readonly Document[];
  readonly shape: Variant["shape"];
  readonly unix: boolean;
  readonly sets?: readonly string[];
  readonly concurrency?: number;
  /** Changes the configuration that the shape made. */
  readonly edit?: (config: EnvoyConfig) => EnvoyConfig;
}

/** What came of one request. */
export interface Asked {
  readonly reply: HttpReply;
  /** Null: Envoy answered without a Check. */
  readonly outcome: CheckOutcome | null;
  /** Null: nothing reached the application. */
  readonly seen: EchoedRequest | null;
}

export interface Mesh {
  readonly envoy: EnvoyProcess;
  readonly authorizer: TestAuthorizer;
  readonly upstream: Upstream;
  /** Sends one HTTP/1.1 request. One at a time: what came of it is told apart by order. */
  ask(request: HttpRequest): Promise<Asked>;
  /** Runs any request of a test's own and tells what came of it. */
  watch<T>(send: (address: string) => Promise<T>): Promise<Omit<Asked, "reply"> & { reply: T }>;
  close(): Promise<void>;
}

/** Starts application, authorizer and Envoy. Whatever was started is ended if a part fails. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const opened: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    const runDir = createRunDir();
    opened.push(async () => rmSync(runDir, { recursive: true, force: true }));
    const upstream = await startUpstream();
    opened.push(() => upstream.close());
    const authorizer = await startTestAuthorizer({ ...options, runDir });
    opened.push(() => authorizer.close());
    const envoy = await startEnvoyFor(options, runDir, [authorizer.address], upstream);
    opened.push(() => envoy.stop());
    const watch: Mesh["watch"] = async (send) => {
      authorizer.outcomes.length = 0;
      upstream.forget();
      const reply = await send(envoy.address);
      return {
        reply,
        outcome: onlyOne(authorizer.outcomes),
        seen: onlyOne(upstream.requests),
      };
    };
    const ask = (request: HttpRequest) => watch((address) => http1Request(address, request));
    return { envoy, authorizer, upstream, ask, watch, close };
  } catch (failure) {
    await close();
    throw failure;
  }
}

/** Starts an Envoy of the variant in front of `authorizers`, and behind it `upstream`. */
export function startEnvoyFor(
  options: Omit<MeshOptions, "documents" | "unix">,
  runDir: string,
  authorizers: readonly string[],
  upstream: Upstream,
): Promise<EnvoyProcess> {
  const { binary, shape, concurrency = 1, edit = (config) => config } = options;
  const config = shape({ timeout: patientTimeout, ...options, runDir, authorizers, upstream });
  return startEnvoy({ binary, runDir, config: edit(config), concurrency });
}

function onlyOne<T>(list: readonly T[]): T | null {
  if (list.length > 1) throw new Error(`expected one request at most, got ${list.length}`);
  return list[0] ?? null;
}

/** The headers that tell the application who calls, as it got them, in any spelling of their names. */
export function identitySeen(seen: EchoedRequest | null): Record<string, string> {
  const family = (seen?.headers ?? []).filter(([name]) =>
    name.replaceAll("_", "-").startsWith("x-mesh-iam-"),
  );
  const found = Object.fromEntries(family);
  // A name that came twice would hide behind its twin.
  if (Object.keys(found).length !== family.length) throw new Error(JSON.stringify(family));
  return found;
}

/** Makes one unary gRPC call through the mesh. */
export function askGrpc(mesh: Mesh, path: string, headers: Record<string, string> = {}) {
  return mesh.watch((address) => grpcRequest(address, path, headers));
}
