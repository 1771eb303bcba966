import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";

export interface EnvoyLaunch {
  readonly binary: string;
  /** An existing folder for `envoy.json`, `envoy.log` and the file that tells the admin address. */
  readonly folder: string;
  /** The bootstrap. Ports are best 0: the system's choice is told, and nobody can take it meanwhile. */
  readonly config: object;
  /** Worker threads. */
  readonly concurrency: number;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** What runs Envoy in its own place, such as `taskset -c 0`. */
  readonly launcher?: readonly string[];
  /** Gives the start up once aborted. */
  readonly signal?: AbortSignal;
}

/** An Envoy that is live. */
export interface RunningEnvoy {
  readonly pid: number;
  /** `host:port` of each TCP listener, by its name, in the order of the configuration. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Resolves with the body of an admin page, for example `/stats/prometheus`. */
  admin(path: string): Promise<string>;
  /** What it wrote to its own log: warnings and errors. */
  log(): string;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

const readyWithinMs = 15_000;
const pollMs = 20;
/** Envoy ends at once; a stuck one is killed. */
const stopWithinMs = 2000;

/**
 * Returns a new Envoy once it is live.
 *
 * Throws `quickstart-failed` with Envoy's last words if it does not get ready, and the reason of
 * `signal` once that is aborted. No process is left then.
 */
export async function launchEnvoy(launch: EnvoyLaunch): Promise<RunningEnvoy> {
  const { folder, signal } = launch;
  const logFile = join(folder, "envoy.log");
  const adminFile = join(folder, "admin");
  const envoy = spawnEnvoy(launch, adminFile, logFile);
  const log = () => readFileSync(logFile, "utf8");
  try {
    const deadline = Date.now() + readyWithinMs;
    let admin: string | null = null;
    while (admin === null) {
      signal?.throwIfAborted();
      if (hasEnded(envoy) || Date.now() > deadline) {
        const words = lastWords(log());
        throw new MeshIamError(
          "quickstart-failed",
          `Envoy did not get ready${words === "" ? "" : `: ${words}`}; its log is ${quote(logFile)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      admin = await liveAt(adminFile);
    }
    const page = (path: string) => readPage(`http://${admin}${path}`);
    const addresses = addressesOf(await page("/listeners?format=json"));
    return {
      pid: envoy.pid ?? 0,
      addresses,
      admin: page,
      log,
      hasEnded: () => hasEnded(envoy),
      stop: () => stopProcess(envoy),
    };
  } catch (failure) {
    await stopProcess(envoy);
    throw failure;
  }
}

function spawnEnvoy(launch: EnvoyLaunch, adminFile: string, logFile: string): ChildProcess {
  const { binary, folder, config, concurrency, args = [], launcher = [] } = launch;
  const configFile = join(folder, "envoy.json");
  writeFileSync(configFile, JSON.stringify(config, null, 2));
  const [command = binary, ...rest] = [
    ...[...launcher, binary, "-c", configFile, "--concurrency", String(concurrency)],
    ...["--disable-hot-restart", "--admin-address-path", adminFile, "--log-level", "warning"],
    ...args,
  ];
  const sink = openSync(logFile, "w");
  const envoy = spawn(command, rest, { stdio: ["ignore", sink, sink] });
  closeSync(sink);
  // Told by the exit that follows, or by there being no process at all.
  envoy.on("error", () => {});
  return envoy;
}

/** Returns the address in `adminFile` once an Envoy is live there. */
async function liveAt(adminFile: string): Promise<string | null> {
  try {
    const address = readFileSync(adminFile, "utf8").trim();
    return (await readPage(`http://${address}/ready`)).trim() === "LIVE" ? address : null;
  } catch {
    // Not written yet, or not listening yet.
    return null;
  }
}

/** The last line of the log, without its time and thread. */
function lastWords(log: string): string {
  const line = log.trimEnd().split("\n").at(-1) ?? "";
  return line.replace(/^\[[^\]]*\]\[\d+\]/, "");
}

function readPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false, timeout: 5000 }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", reject);
  });
}

function addressesOf(page: string): Map<string, string> {
  const { listener_statuses } = JSON.parse(page) as {
    listener_statuses?: {
      name: string;
      local_address: { socket_address: { address: string; port_value: number } };
    }[];
  };
  return new Map(
    (listener_statuses ?? []).map(({ name, local_address: { socket_address } }) => [
      name,
      `${socket_address.address}:${socket_address.port_value}`,
    ]),
  );
}

/** True when the process is over or never was. */
function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function stopProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
