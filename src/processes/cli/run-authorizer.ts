import { randomBytes } from "node:crypto";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { createDecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createLineWriter } from "../../adapters/telemetry/line-writer.ts";
import { createLog, switchLevelOnSignal } from "../../adapters/telemetry/log.ts";
import { openSinks, readMaskSalt } from "../../adapters/telemetry/open-sinks.ts";
import { startAuthorizer } from "../authorizer/start.ts";
import { type ExitCode, exitCode } from "./io.ts";
import { listenForEnd } from "./process-end.ts";
import { packageVersion } from "./version.ts";

/** Runs the sidecar until something ends it. Returns `failure` if that was a failure of ours (H2-014). */
export async function runAuthorizer(config: AuthorizerConfig): Promise<ExitCode> {
  const version = packageVersion();
  const stdout = createLineWriter(1);
  const log = createLog({
    writer: stdout,
    nowMs: Date.now,
    component: "authorizer",
    version,
    level: config.log.level,
    format: config.log.format,
    podName: config.instance.podName,
  });
  switchLevelOnSignal(log, process);
  const end = listenForEnd({
    source: process,
    log,
    exit: () => process.exit(exitCode.failure),
    setTimer: (run, delayMs) => void setTimeout(run, delayMs).unref(),
  });
  const sinks = openSinks(config.decisionLogs, stdout);
  const { podName, podNamespace } = config.instance;
  const instance = config.instance.id ?? randomBytes(6).toString("hex");
  const decisionLog = createDecisionLog({
    ...config.decisionLogs,
    sinks: sinks.sinks,
    labels: {
      instance,
      version,
      ...(podName === null ? {} : { pod: podName }),
      ...(podNamespace === null ? {} : { namespace: podNamespace }),
    },
    salt:
      config.decisionLogs.maskSaltFile === null
        ? randomBytes(16)
        : readMaskSalt(config.decisionLogs.maskSaltFile),
    onFailure: (sink, err) =>
      log.error("decision-log-failed", "a sink of the decision log did not take a batch", {
        sink,
        err,
      }),
  });
  const authorizer = await startAuthorizer(config, {
    log,
    decisionLog,
    instance,
    build: { version, commit: process.env.MESH_IAM_COMMIT ?? "unknown" },
  });
  await Promise.race([
    end.asked.then(() => authorizer.drain()),
    end.broken.then(() => authorizer.close()),
  ]);
  sinks.close();
  await stdout.flush();
  return end.isFailure ? exitCode.failure : exitCode.ok;
}
