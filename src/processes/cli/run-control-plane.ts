import { loadControlPlaneConfig } from "../../adapters/config/control-plane.ts";
import {
  type ControlPlaneConfig,
  controlPlaneSettings,
} from "../../adapters/config/control-plane-schema.ts";
import { createLineWriter } from "../../adapters/telemetry/line-writer.ts";
import { createLog, switchLevelOnSignal } from "../../adapters/telemetry/log.ts";
import { type Founding, initControlPlane } from "../control-plane/init.ts";
import { startControlPlane } from "../control-plane/start.ts";
import { type ConfigChoice, readSettings } from "./authorizer-config.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { listenForEnd } from "./process-end.ts";
import { packageVersion } from "./version.ts";

/** Runs the control plane until something ends it. Returns `failure` if that was a failure of ours. */
export async function runControlPlane(choice: ConfigChoice, io: CommandIo): Promise<ExitCode> {
  const config = await readControlPlane(choice, io);
  const stdout = createLineWriter(1);
  const log = logOf(config, stdout);
  switchLevelOnSignal(log, process);
  const end = listenForEnd({
    source: process,
    log,
    exit: () => process.exit(exitCode.failure),
    setTimer: (run, delayMs) => void setTimeout(run, delayMs).unref(),
  });
  const running = await startControlPlane(config, log);
  await Promise.race([end.asked, end.broken]);
  log.info("control-plane-draining", "the control plane finishes and ends");
  await running.drain();
  await stdout.flush();
  return end.isFailure ? exitCode.failure : exitCode.ok;
}

/** Makes an organization and prints what comes next. */
export async function runInit(
  choice: ConfigChoice,
  founding: Founding,
  isJson: boolean,
  io: CommandIo,
): Promise<void> {
  const config = await readControlPlane(choice, io);
  const stderr = createLineWriter(2);
  const made = await initControlPlane(config, founding, logOf(config, stderr));
  await stderr.flush();
  if (isJson) {
    io.out(`${JSON.stringify(made, null, 2)}\n`);
    return;
  }
  const { rootFingerprint, rootKeyFile, bundleKeyFile, expiresAtMs } = made.keys;
  io.out(
    `organization: ${made.organization}, management account ${founding.managementAccountId}\n`,
  );
  io.out(`root fingerprint, for every sidecar: ${rootFingerprint}\n`);
  io.out(`root key, keep it offline: ${rootKeyFile}\n`);
  io.out(`bundle key: ${bundleKeyFile}\n`);
  io.out(`key set 1, valid until ${new Date(expiresAtMs).toISOString()}\n`);
  io.out("Next:  mesh-iam control-plane\n");
}

function readControlPlane(choice: ConfigChoice, io: CommandIo): Promise<ControlPlaneConfig> {
  return readSettings(choice, io, {
    settings: controlPlaneSettings,
    load: loadControlPlaneConfig,
  });
}

function logOf(config: ControlPlaneConfig, writer: ReturnType<typeof createLineWriter>) {
  return createLog({
    writer,
    nowMs: Date.now,
    component: "control-plane",
    version: packageVersion(),
    level: config.log.level,
    format: config.log.format,
  });
}
