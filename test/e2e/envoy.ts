import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "../../src/adapters/envoy/binary.ts";
import { MeshIamError } from "../../src/iam/error.ts";
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
  /** Default: made of the process id. Two Envoys of one base id are not started at once. */
  readonly baseId?: number;
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

/**
 * Starts an Envoy and resolves when its listener is up. Throws with Envoy's own words when it does not
 * accept the configuration, which is validated first.
 */
export async function startEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const { binary, runDir } = options;
  mkdirSync(runDir, { recursive: true });
  const file = join(runDir, "envoy.json");
  writeFileSync(file, JSON.stringify(options.config));
  validateConfig(binary, file);

  const adminFile = join(runDir, "admin");
  const logFile = join(runDir, "envoy.log");
  const child = spawn(
    binary,
    [
      ...["-c", file, "--concurrency", String(options.concurrency ?? 2), "--disable-hot-restart"],
      ...["--base-id", String(options.baseId ?? process.pid % 30_000)],
      ...["--admin-address-path", adminFile, "--log-path", logFile, "-l", "warning"],
      ...["--file-flush-interval-msec", "20"],
    ],
    { stdio: "ignore" },
  );
  const log = () => readOptional(logFile);
  try {
    await until(() => readOptional(adminFile) !== "", child, log);
    const admin = readOptional(adminFile).trim();
    await until(async () => (await page(admin, "/ready")).trim() === "LIVE", child, log);
    const address = await listenerAddress(admin);
    return {
      address,
      counters: async (filter) => counters(await page(admin, `/stats?filter=${filter}`)),
      admin: (path) => page(admin, path),
      async accessLog(count) {
        const path = join(runDir, "access.log");
        await until(() => lines(readOptional(path)).length >= count, child, log);
        return lines(readOptional(path)).map((line) => JSON.parse(line) as AccessLogLine);
      },
      log,
      async stop() {
        await end(child);
        rmSync(runDir, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    await end(child);
    throw cause;
  }
}

/** Throws what Envoy has to say against the configuration in `file`. */
export function validateConfig(binary: string, file: string): void {
  const { status, stderr, stdout } = spawnSync(
    binary,
    ["--mode", "validate", "-c", file, "-l", "warning", "--disable-hot-restart"],
    { encoding: "utf8", timeout: 30_000 },
  );
  if (status !== 0) throw new Error(`Envoy refuses ${file}: ${stderr}${stdout}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGKILL");
  await promise;
}

async function until(
  condition: () => boolean | Promise<boolean>,
  child: ChildProcess,
  log: () => string,
): Promise<void> {
  for (let attempt = 0; attempt < 750; attempt++) {
    if (child.exitCode !== null) throw new Error(`Envoy ended: ${log()}`);
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Envoy did not come that far: ${log()}`);
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

function page(admin: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${admin}${path}`, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body));
    }).on("error", reject);
  });
}

async function listenerAddress(admin: string): Promise<string> {
  const body = JSON.parse(await page(admin, "/listeners?format=json")) as {
    listener_statuses: {
      local_address: { socket_address: { address: string; port_value: number } };
    }[];
  };
  const found = body.listener_statuses[0]?.local_address.socket_address;
  if (found === undefined) throw new Error("Envoy has no listener");
  return `${found.address}:${found.port_value}`;
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
