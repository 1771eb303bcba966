import { type ChildProcess, spawn } from "node:child_process";
import { openSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { MeshIamError } from "../../../iam/error.ts";
import { type EnvoyLayout, envoyConfig } from "./envoy-config.ts";

/** A real Envoy in front of the sample application. */
export interface RunningEnvoy {
  readonly httpPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

const readyWithinMs = 15_000;

/**
 * Returns the Envoy at `binary`, ready. Its configuration and log are in `folder`. Throws
 * `quickstart-failed` with the place of the log if it does not get ready.
 */
export async function startEnvoy(
  binary: string,
  folder: string,
  layout: Omit<EnvoyLayout, "adminPort" | "httpPort" | "tlsPort" | "accessLog">,
): Promise<RunningEnvoy> {
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
  const stop = (): Promise<void> => stopProcess(envoy);
  const failed = `Envoy did not get ready; its log is ${log}`;
  const deadline = Date.now() + readyWithinMs;
  while (!(await isReady(adminPort))) {
    if (envoy.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new MeshIamError("quickstart-failed", failed);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { httpPort, tlsPort, stop };
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

function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 5000).unref();
  });
}
