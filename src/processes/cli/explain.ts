import type { Command } from "commander";
import type { CommandIo, CommandResult } from "./io.ts";

/** Adds `explain`: says why, layer by layer. */
export function addExplain(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("explain")
    .argument("[file]", "a scenario, one JSON object; - reads standard input")
    .option("--log <file>", "a decision log written with decisionLogs.input")
    .option("--id <decision>", "the decision id to look for in --log; default: the last decision")
    .option("--json", "print the explanation as JSON")
    .summary("say why a decision was made, layer by layer")
    .description(
      "Explains the answer to a scenario, or to a logged decision: every layer, every statement about\n" +
        "the action, every condition with what was wanted and what was found, and the closest miss.\n" +
        "Exit code 0 for allowed, 2 for denied.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mesh-iam explain question.json\n" +
        "  mesh-iam explain --log decisions.jsonl --id 3f2a…\n" +
        "  mesh-iam explain --log decisions.jsonl\n",
    )
    .action(
      async (file: string | undefined, options: { log?: string; id?: string; json?: boolean }) => {
        const { explainQuestion } = await import("./explanation.ts");
        const question = { file, log: options.log, id: options.id };
        result.exitCode = await explainQuestion(question, options.json === true, io);
      },
    );
}
