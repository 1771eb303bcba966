import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "../../src/adapters/envoy/binary.ts";
import { MeshIamError } from "../../src/iam/error.ts";
import { launchEnvoy } from "../../src/processes/cli/quickstart/envoy-process.ts";
import type { EnvoyConfig } from "./envoy-config.ts";

/*
 * Runs a real Envoy for a test. How a test uses it:
 *
 *   const binary = await envoyForTests();
 *   describe.skipIf(binary === null)("…", () => {
 *     const runDir = createRunDir();                        // short: socket paths are limited
 *     const upstream = await startUpstream();               // test/fakes/upstream.ts
 *     const { address } = await listener.start();           // whatever answers Checks
 *     const config = strictConfig({ runDir, authorizers: [address], upstream });
 *     const envoy = await startEnvoy({ binary, config, runDir });
 *     await http1Request(envoy.address, { target: "/v1/orders" });   // test/fakes/http-client.ts
 *     await envoy.counters("ext_authz");                    // Envoy's own figures
 *     await envoy.accessLog(1);                             // its access log, parsed
 *     await envoy.stop();
 *   });
 *
 * Configurations: `strictConfig`, `istioConfig`, `tcpConfig` of envoy-config.ts, with overlays for the
 * filter, the connection manager, the authorizer's cluster and routes.
 */

const project = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Returns an Envoy's path, or null when there is none: then the test is skipped and says so. In CI a
 * missing Envoy throws: skipping a security suite looks like passing it.
 */
export async function envoyForTests(): Promise<string | null> {
  try {
    return await findEnvoy({
      env: process.env,
      cacheFolder: join(project, ".cache"),
      progress: (line) => process.stderr.write(`${line}\n`),
    });
  } catch (cause) {
    if (process.env.CI === "true") throw cause;
    process.stderr.write(`skipped: no Envoy (${MeshIamError.from(cause).message})\n`);
    return null;
  }
}

/** Returns a new folder for one Envoy and its sockets. Short, because socket paths end at 107 bytes. */
export function createRunDir(): string {
  return mkdtempSync(join(tmpdir(), "mi-"));
}

export interface EnvoyOptions {
  readonly binary: string;
  readonly config: EnvoyConfig;
  readonly runDir: string;
  /** Worker threads. Default 2, as a sidecar has; 1 puts all Checks on one connection. */
  readonly concurrency?: number;
}

export interface EnvoyProcess {
  /** `host:port` of the listener. */
  readonly address: string;
  /** Counters and gauges whose name holds `filter`, zeros included. */
  counters(filter: string): Promise<ReadonlyMap<string, number>>;
  /** The body of an admin page, for example `/stats/prometheus`. */
  admin(path: string): Promise<string>;
  /** The access log's lines once there are at least `count`. */
  accessLog(count: number): Promise<readonly AccessLogLine[]>;
  /** What Envoy wrote to its own log: warnings and errors. */
  log(): string;
  /** Ends the process and removes the run folder. */
  stop(): Promise<void>;
}

/** Absent values are null. */
export type AccessLogLine = Readonly<Record<string, string | number | null>>;

/** Starts an Envoy and resolves when it is live. Throws with Envoy's own words when it does not get there. */
export async function startEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const { binary, runDir: folder, config, concurrency = 2 } = options;
  mkdirSync(folder, { recursive: true });
  const args = ["--file-flush-interval-msec", "20"];
  const envoy = await launchEnvoy({ binary, folder, config, concurrency, args });
  const [address] = envoy.addresses.values();
  if (address === undefined) throw new Error("Envoy has no listener");
  return {
    address,
    counters: async (filter) => counters(await envoy.admin(`/stats?filter=${filter}`)),
    admin: envoy.admin,
    async accessLog(count) {
      const path = join(folder, "access.log");
      for (let attempt = 0; attempt < 750; attempt++) {
        const found = lines(readOptional(path));
        if (found.length >= count) return found.map((line) => JSON.parse(line) as AccessLogLine);
        if (envoy.hasEnded()) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`fewer than ${count} lines in the access log: ${envoy.log()}`);
    },
    log: envoy.log,
    async stop() {
      await envoy.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Returns what Envoy says of the configuration in `file`: nothing, where all is well. Throws if it is refused. */
export function validateConfig(binary: string, file: string): string {
  const { status, stderr, stdout } = spawnSync(
    binary,
    ["--mode", "validate", "-c", file, "-l", "warning", "--disable-hot-restart"],
    { encoding: "utf8", timeout: 30_000 },
  );
  if (status !== 0) throw new Error(`Envoy refuses ${file}: ${stderr}${stdout}`);
  return stderr;
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not written yet
  }
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function counters(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of lines(text)) {
    const colon = line.lastIndexOf(": ");
    const value = Number(line.slice(colon + 2));
    if (colon > 0 && Number.isFinite(value)) found.set(line.slice(0, colon), value);
  }
  return found;
}
