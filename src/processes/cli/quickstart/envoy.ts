import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { type EnvoyLayout, envoyConfig } from "./envoy-config.ts";

/** What stands in front of the sample application, on loopback. */
export interface RunningProxy {
  readonly httpPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

const readyWithinMs = 15_000;
const pollMs = 50;
/** Envoy ends at once; a stuck one is killed. */
const stopWithinMs = 2000;

/**
 * Returns the Envoy at `binary`, ready. Its configuration and logs are in `folder`.
 *
 * Throws `quickstart-failed` with Envoy's last words if it does not get ready, and the reason of
 * `signal` once that is aborted. No process is left then.
 */
export async function startEnvoy(
  binary: string,
  folder: string,
  layout: Omit<EnvoyLayout, "adminPort" | "httpPort" | "tlsPort" | "accessLog">,
  signal: AbortSignal,
): Promise<RunningProxy> {
  const [adminPort = 0, httpPort = 0, tlsPort = 0] = await freePorts(3);
  const config = join(folder, "envoy.json");
  const log = join(folder, "envoy.log");
  const accessLog = join(folder, "access.jsonl");
  writeFileSync(config, envoyConfig({ ...layout, adminPort, httpPort, tlsPort, accessLog }));
  const sink = openSync(log, "w");
  const envoy = spawn(
    binary,
    ["-c", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"],
    { stdio: ["ignore", sink, sink] },
  );
  closeSync(sink);
  // Told by the exit that follows, or by there being no process at all.
  envoy.on("error", () => {});
  const stop = (): Promise<void> => stopProcess(envoy);
  try {
    const deadline = Date.now() + readyWithinMs;
    while (!(await isReady(adminPort))) {
      signal.throwIfAborted();
      if (hasEnded(envoy) || Date.now() > deadline) {
        const words = lastWords(log);
        throw new MeshIamError(
          "quickstart-failed",
          `Envoy did not get ready${words === "" ? "" : `: ${words}`}; its log is ${quote(log)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } catch (failure) {
    await stop();
    throw failure;
  }
  return { httpPort, tlsPort, stop };
}

/** The last line of the log, without its time and thread. */
function lastWords(log: string): string {
  const line = readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "";
  return line.replace(/^\[[^\]]*\]\[\d+\]/, "");
}

function isReady(adminPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request(
      { host: "127.0.0.1", port: adminPort, path: "/ready", agent: false, timeout: 1000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    probe.on("error", () => resolve(false));
    probe.on("timeout", () => probe.destroy());
    probe.end();
  });
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
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
