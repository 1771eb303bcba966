import type { Command } from "commander";
import { controlPlaneSettings } from "../../adapters/config/control-plane-schema.ts";
import { configFlags } from "../../adapters/config/flags.ts";
import { collect } from "./collect.ts";
import { parseDurationMs } from "./duration.ts";
import type { CommandIo, CommandResult } from "./io.ts";

/** Adds `control-plane` and `control-plane init`. */
export function addControlPlane(program: Command, io: CommandIo, result: CommandResult): void {
  const command = withConfig(program.command("control-plane"))
    .summary("run the control plane: the API, on a store of its own")
    .description(
      "Serves the API: POST /meshiam.iam.v1.<Service>/<Operation> with a JSON body, over\n" +
        "TCP for whoever shows a token or a client certificate, and over a Unix socket\n" +
        "(mode 0600) as root. SIGTERM drains: calls under way are answered, then it ends.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  mesh-iam control-plane init --name acme --management-account 999988887777\n" +
        "  mesh-iam control-plane --store-sqlite /var/lib/mesh-iam/store.db\n" +
        '  curl --unix-socket .mesh-iam/control-plane/api.sock -H "content-type: application/json" \\\n' +
        "    -d '{}' http://localhost/meshiam.iam.v1.AccountService/ListAccounts\n",
    )
    .action(async (options: Record<string, unknown>) => {
      const { runControlPlane } = await import("./run-control-plane.ts");
      result.exitCode = await runControlPlane(choiceOf(options), io);
    });
  withConfig(command.command("init"))
    .summary("make an organization: its account, its keys, in the store")
    .description(
      "Makes the organization and its management account in the store, an offline root key, an online\n" +
        "bundle key and key set 1. Makes no credential. Not beside a running control plane.",
    )
    .option("--name <text>", "the organization's name, for people")
    .option("--management-account <id>", "12 digits: the account that owns it")
    .option("--organization-id <id>", "keep an id that policies name: o-…")
    .option("--root-id <id>", "likewise, of the root: r-…")
    .option(
      "--documents <folder>",
      "apply these as root in the same step; their Organization is it",
    )
    .option("--keys-valid-for <duration>", "how long key set 1 is good", "365d")
    .option("--json", "print the result as JSON")
    .action(async (_: unknown, own: Command) => {
      // Flags that both commands have are read by the outer one where they stand before `init`.
      const options: Record<string, unknown> = own.optsWithGlobals();
      const { runInit } = await import("./run-control-plane.ts");
      result.exitCode = await runInit(
        choiceOf(options),
        {
          name: textOrNull(options.name),
          managementAccountId: textOrNull(options.managementAccount),
          id: textOrNull(options.organizationId),
          rootId: textOrNull(options.rootId),
          documents: textOrNull(options.documents),
          keysValidForMs: parseDurationMs(String(options.keysValidFor)),
          isJson: options.json === true,
        },
        io,
      );
    });
}

function withConfig(command: Command): Command {
  command
    .option("-c, --config <file>", "configuration file, YAML; default: $MESH_IAM_CONFIG")
    .option("--set <key=value>", "one key of the file: --set api.burst=10", collect, []);
  for (const flag of configFlags(controlPlaneSettings)) {
    if (flag.many) command.option(flag.usage, flag.summary, collect);
    else command.option(flag.usage, flag.summary);
  }
  return command;
}

function choiceOf(options: Record<string, unknown>) {
  const { config: file, set: sets, ...flags } = options;
  return { file: file as string | undefined, sets: sets as string[], flags };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
