import type { Command } from "commander";
import { MeshIamError } from "../../iam/error.ts";
import type { CommandIo } from "./io.ts";
import type { CommandResult } from "./program.ts";

/** Adds `simulate`: decides scenarios with the production engine. */
export function addSimulate(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("simulate")
    .argument("[file]", "a scenario, one JSON object; - reads standard input")
    .option("--stdin", "decide one scenario a line from standard input, one answer a line")
    .summary("decide a scenario in AWS's words")
    .description(
      "Decides a question written as a scenario: principal, action, resource, context and policies.\n" +
        "Prints the answer as JSON: allowed, explicitDeny or implicitDeny, and what decided it.\n" +
        "With one file the exit code is 0 for allowed and 2 for denied; with --stdin it is 3 if any row\n" +
        "was not accepted, whatever was decided.",
    )
    .addHelpText(
      "after",
      `\nExample:\n  mesh-iam simulate question.json\n\nA scenario:\n${example}\n`,
    )
    .action(async (file: string | undefined, options: { stdin?: boolean }) => {
      const { simulateFile, simulateLines } = await import("./run-simulate.ts");
      if (options.stdin === true) {
        result.exitCode = await simulateLines(io);
        return;
      }
      if (file === undefined) {
        throw new MeshIamError("usage", "expected a file, `-`, or --stdin");
      }
      result.exitCode = await simulateFile(file, io);
    });
}

const example = `  {
    "id": "row-1",
    "principal": { "type": "user", "arn": "arn:aws:iam::111122223333:user/ana" },
    "action": "orders:GetOrder",
    "resource": { "arn": "arn:aws:orders::111122223333:order/42", "account": "111122223333" },
    "context": { "aws:SourceIp": "10.0.0.7" },
    "policies": { "identity": [ { "id": "p1", "document": {
      "Version": "2012-10-17",
      "Statement": [ { "Effect": "Allow", "Action": "orders:Get*", "Resource": "*" } ] } } ] }
  }`;
