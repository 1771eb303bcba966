import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { configFlags } from "../../adapters/config/flags.ts";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { createDecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createLineWriter } from "../../adapters/telemetry/line-writer.ts";
import { createLog, switchLevelOnSignal } from "../../adapters/telemetry/log.ts";
import { openSinks, readMaskSalt } from "../../adapters/telemetry/open-sinks.ts";
import { startAuthorizer } from "../authorizer/start.ts";
import { readConfig } from "./authorizer-config.ts";
import { type CommandIo, exitCode } from "./io.ts";
import { packageVersion } from "./version.ts";

/** Adds `authorizer`: the sidecar itself. Runs until SIGTERM or SIGINT, then drains. */
export function addAuthorizer(program: Command, io: CommandIo): void {
  const command = program
    .command("authorizer")
    .summary("run the sidecar that answers Envoy's external authorization calls")
    .description(
      "Runs the authorizer: it answers envoy.service.auth.v3.Authorization/Check and serves /metrics,\n" +
        "/health/live, /health/ready and /status. Policy comes from exactly one source: --documents or\n" +
        "--folder. Every setting is a key of the file, a variable MESH_IAM_… and a flag; flags win.\n" +
        "SIGTERM drains: health turns NOT_SERVING, serving goes on for --drain-seconds, then it ends.",
    )
    .option("-c, --config <file>", "configuration file, YAML")
    .option("--set <key=value>", "one key of the file: --set bundle.persist=false", collect, []);
  for (const flag of configFlags()) {
    if (flag.many) command.option(flag.usage, flag.summary, collect);
    else command.option(flag.usage, flag.summary);
  }
  command.addHelpText(
    "after",
    "\nExamples:\n" +
      "  mesh-iam authorizer --documents ./policies\n" +
      "  mesh-iam authorizer --config authorizer.yaml --addr unix:///run/mesh-iam/authz.sock\n" +
      "  mesh-iam authorizer --folder ./bundle --bundle-root-fingerprints sha256:…\n",
  );
  command.action(async (options: Record<string, unknown>) => {
    const { config: file, set: sets, ...flags } = options;
    const config = await readConfig(
      { file: file as string | undefined, sets: sets as string[], flags },
      io,
    );
    await runAuthorizer(config);
  });
}

/** Runs the sidecar until a signal asks it to end. */
async function runAuthorizer(config: AuthorizerConfig): Promise<void> {
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
  const sinks = openSinks(config.decisionLogs, stdout);
  const { podName, podNamespace } = config.instance;
  const decisionLog = createDecisionLog({
    ...config.decisionLogs,
    sinks: sinks.sinks,
    labels: {
      instance: config.instance.id ?? randomBytes(6).toString("hex"),
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
    build: { version, commit: process.env.MESH_IAM_COMMIT ?? "unknown" },
  });
  await new Promise<void>((resolve) => {
    const end = (): void => resolve();
    process.once("SIGTERM", end);
    process.once("SIGINT", end);
    process.once("unhandledRejection", (err) => {
      // A bug of ours: end in order rather than serve in an unknown state (H2-014).
      log.error("unhandled-rejection", "a failure that nobody handled; draining", { err });
      process.exitCode = exitCode.failure;
      resolve();
    });
  });
  await authorizer.drain();
  sinks.close();
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
