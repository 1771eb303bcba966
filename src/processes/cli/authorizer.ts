import type { Command } from "commander";
import { configFlags } from "../../adapters/config/flags.ts";
import { collect } from "./collect.ts";
import type { CommandIo, CommandResult } from "./io.ts";

/** Adds `authorizer`: the sidecar itself. Runs until SIGTERM or SIGINT, then drains. */
export function addAuthorizer(program: Command, io: CommandIo, result: CommandResult): void {
  const command = program
    .command("authorizer")
    .summary("run the sidecar that answers Envoy's external authorization calls")
    .description(
      "Runs the authorizer: it answers envoy.service.auth.v3.Authorization/Check and serves /metrics,\n" +
        "/health/live, /health/ready and /status. Policy comes from exactly one source: --documents or\n" +
        "--folder. Every setting is a key of the file, a variable MESH_IAM_… and a flag; flags win.\n" +
        "SIGTERM drains: health turns NOT_SERVING, serving goes on for --drain-seconds, then it ends.",
    )
    .option("-c, --config <file>", "configuration file, YAML; default: $MESH_IAM_CONFIG")
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
    const [{ readConfig }, { runAuthorizer }] = await Promise.all([
      import("./authorizer-config.ts"),
      import("./run-authorizer.ts"),
    ]);
    const config = await readConfig(
      { file: file as string | undefined, sets: sets as string[], flags },
      io,
    );
    result.exitCode = await runAuthorizer(config);
  });
}
