import type { Command } from "commander";
import type { CommandIo, CommandResult } from "./io.ts";
import type { ApplyOptions } from "./run-apply.ts";

/** Adds `apply` and `plan`. */
export function addApply(program: Command, io: CommandIo, result: CommandResult): void {
  withConnection(program.command("apply"))
    .summary("make a control plane's organization what documents say")
    .option("--yes", "do not ask before anything is changed")
    .option("--dry-run", "show the plan, change nothing: what `plan` does")
    .description(
      "Sends a folder of documents to a control plane, shows what would change, asks, and applies exactly\n" +
        "that plan. Running it again goes on where a run was broken off, and finds nothing to do at the end.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  mesh-iam plan -f ./policies\n" +
        "  mesh-iam apply -f ./policies --yes --server https://iam.example.com:9443 --token-file token\n",
    )
    .action(async (options: ApplyOptions) => {
      const { runApply } = await import("./run-apply.ts");
      result.exitCode = await runApply(options, options.dryRun === true, io);
    });
  withConnection(program.command("plan"))
    .summary("show what `apply` would change; exit code 5 when there is something")
    .action(async (options: ApplyOptions) => {
      const { runApply } = await import("./run-apply.ts");
      result.exitCode = await runApply(options, true, io);
    });
}

function withConnection(command: Command): Command {
  return command
    .requiredOption("-f, --file <folder>", "folder of documents")
    .option("--server <url>", "the control plane: https://host:port; default: the local socket")
    .option("--socket <path>", "its Unix socket", ".mesh-iam/control-plane/api.sock")
    .option("--token-file <file>", "bearer token for --server; default: $MESH_IAM_TOKEN")
    .option("--organization <id>", "which organization, where there are several")
    .option("--field-manager <name>", "who manages what is made", "mesh-iam-apply")
    .option("--prune", "remove what this manager owns and the documents do not have")
    .option("--take-over", "become the manager of what others manage and the documents have")
    .option("--force", "even if nobody but root could administer the organization afterwards")
    .option("--json", "print plan or result as JSON");
}
