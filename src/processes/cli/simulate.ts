import type { Command } from "commander";
import { MeshIamError } from "../../iam/error.ts";
import type { CommandIo, CommandResult } from "./io.ts";
import type { ReplayRequest } from "./replay/command.ts";

/** Adds `simulate`: decides scenarios with the production engine. */
export function addSimulate(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("simulate")
    .argument("[file]", "a scenario, one JSON object; - reads standard input")
    .option("--stdin", "decide one scenario a line from standard input, one answer a line")
    .option(
      "--replay <log>",
      "decide a decision log, written with its input, again; - reads standard input",
    )
    .option("--documents <folder>", "the documents that --replay decides by")
    .option(
      "--folder <path>",
      "the bundle that --replay decides by; its signature is not looked at",
    )
    .option("--partition <name>", "partition of the ARNs of --documents; default: aws")
    .option("--json", "print what --replay finds as JSON")
    .summary("decide a scenario in AWS's words")
    .description(
      "Decides a question written as a scenario: principal, action, resource, context and policies.\n" +
        "Prints the answer as JSON: allowed, explicitDeny or implicitDeny, and what decided it.\n" +
        "With one file the exit code is 0 for allowed and 2 for denied; with --stdin it is 3 if any row\n" +
        "was not accepted, whatever was decided.\n" +
        "With --replay logged decisions are made again by other documents: policies, SCPs, RCPs and the\n" +
        "organization are theirs; callers, tags, session policies and condition keys are those of the log.\n" +
        "Prints what changes; the exit code is 5 if something does, 0 if nothing. What the log does not say\n" +
        "enough about is counted and named. Who a credential is, is not asked again.",
    )
    .addHelpText(
      "after",
      `\nExamples:\n  mesh-iam simulate question.json\n  mesh-iam simulate --replay decisions.jsonl --documents ./policies\n\nA scenario:\n${example}\n`,
    )
    .action(async (file: string | undefined, options: SimulateOptions) => {
      const replay = replayOf(file, options);
      if (replay !== null) {
        const { replayLog } = await import("./replay/command.ts");
        result.exitCode = await replayLog(replay, io);
        return;
      }
      const { simulateFile, simulateLines } = await import("./run-simulate.ts");
      if (options.stdin === true) {
        result.exitCode = await simulateLines(io);
        return;
      }
      if (file === undefined) {
        throw new MeshIamError("usage", "expected a file, `-`, --stdin or --replay");
      }
      result.exitCode = await simulateFile(file, io);
    });
}

interface SimulateOptions {
  readonly stdin?: boolean;
  readonly replay?: string;
  readonly documents?: string;
  readonly folder?: string;
  readonly partition?: string;
  readonly json?: boolean;
}

/** Returns what is to be replayed, null for nothing; throws `usage` for options that do not fit. */
function replayOf(file: string | undefined, options: SimulateOptions): ReplayRequest | null {
  const { replay: log, documents, folder, partition, json, stdin } = options;
  if (log === undefined) {
    const others = [documents, folder, partition, json];
    if (others.every((each) => each === undefined)) return null;
    const names = "--documents, --folder, --partition and --json";
    throw new MeshIamError("usage", `expected --replay with ${names}`);
  }
  if (file !== undefined || stdin === true) {
    throw new MeshIamError("usage", "expected --replay alone, without a file and --stdin");
  }
  if ((documents === undefined) === (folder === undefined)) {
    throw new MeshIamError("usage", "expected one of --documents and --folder with --replay");
  }
  if (folder !== undefined && partition !== undefined) {
    throw new MeshIamError("usage", "expected --partition with --documents: a bundle has its own");
  }
  return { log, documents, folder, partition: partition ?? "aws", json: json === true };
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
