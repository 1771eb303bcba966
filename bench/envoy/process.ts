import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinned, stopProcess } from "../measure/child.ts";
import { readPage } from "../measure/page.ts";
import { envoyConfig, type Way } from "./config.ts";

export interface RunningEnvoy {
  readonly pid: number;
  /** Port of each way, by its name. */
  readonly ports: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/** Starts Envoy with one worker on core 0. Throws with its own words if it does not get ready. */
export async function startEnvoy(
  binary: string,
  folder: string,
  ways: readonly Way[],
): Promise<RunningEnvoy> {
  const config = join(folder, "envoy.json");
  const adminFile = join(folder, "admin");
  const logFile = join(folder, "envoy.log");
  writeFileSync(config, JSON.stringify(envoyConfig(ways)));
  const [command = "", ...args] = pinned(
    [
      ...[binary, "-c", config, "--concurrency", "1", "--disable-hot-restart"],
      ...["--base-id", String(process.pid % 30_000), "--admin-address-path", adminFile],
      ...["--log-path", logFile, "-l", "warning"],
    ],
    0,
  );
  const child = spawn(command, args, { stdio: "ignore" });
  const stop = () => stopProcess(child);
  for (let attempt = 0; attempt < 500; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (child.exitCode !== null) break;
    const admin = textOf(adminFile);
    if (admin === "" || (await pageOrNothing(`http://${admin}/ready`)) !== "LIVE") continue;
    const ports = portsOf(await readPage(`http://${admin}/listeners?format=json`));
    if (child.pid !== undefined) return { pid: child.pid, ports, stop };
  }
  await stop();
  throw new Error(`Envoy did not get ready: ${textOf(logFile)}`);
}

function portsOf(text: string): Map<string, number> {
  const { listener_statuses } = JSON.parse(text) as {
    listener_statuses: {
      name: string;
      local_address: { socket_address: { port_value: number } };
    }[];
  };
  return new Map(
    listener_statuses.map(({ name, local_address }) => [
      name,
      local_address.socket_address.port_value,
    ]),
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return ""; // not written yet
  }
}

async function pageOrNothing(url: string): Promise<string> {
  try {
    return (await readPage(url)).trim();
  } catch {
    return ""; // not listening yet
  }
}
