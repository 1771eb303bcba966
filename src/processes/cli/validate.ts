import { type Command, Option } from "commander";
import { MeshIamError } from "../../iam/error.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import type { Severity } from "../../iam/problem.ts";
import type { CommandResult } from "./io.ts";
import { type CommandIo, exitCode } from "./io.ts";
import { partitionOption } from "./partition-option.ts";
import type { ValidateOutput } from "./validate-report.ts";
import { packageVersion } from "./version.ts";

const severities: readonly Severity[] = ["ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"];
const policyTypes: readonly DocumentType[] = [
  "identity",
  "permissionsBoundary",
  "session",
  "resource",
  "trust",
  "serviceControl",
  "resourceControl",
];

const outputs: readonly ValidateOutput[] = ["text", "json", "sarif"];

interface ValidateOptions {
  readonly policyType?: DocumentType;
  readonly services?: string;
  readonly partition: string;
  readonly failOn: Severity;
  readonly output?: ValidateOutput;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Adds `validate`: what the loader refuses and what it remarks, in documents and policies. */
export function addValidate(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("validate")
    .alias("check")
    .argument(
      "<path>",
      "a folder of documents, or one policy with --policy-type; - reads standard input",
    )
    .addOption(new Option("--policy-type <type>", "read one policy as").choices(policyTypes))
    .option(
      "--services <path>",
      "Service documents, a file or a folder, whose actions and keys one policy may use",
    )
    .addOption(partitionOption())
    .addOption(
      new Option("--fail-on <level>", "exit 3 from this level up")
        .choices(severities)
        .default("ERROR"),
    )
    .addOption(new Option("--output <format>", "how to report; default: text").choices(outputs))
    .option("--json", "the same as --output json")
    .option("--verbose", "list the checks that could not be made as well")
    .summary("check a folder of documents, or one policy")
    .description(
      "Reads what a sidecar would read and says everything that is wrong with it, with file, line, column\n" +
        "and field, and AWS's findings and our own about every policy, in four levels. Services in the\n" +
        "documents, or of --services, say which actions and condition keys there are. Exit code 3 if anything\n" +
        "is refused, or found at the level of --fail-on or above.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mesh-iam validate ./policies\n" +
        "  mesh-iam validate ./policies --output sarif > findings.sarif\n" +
        "  mesh-iam validate policy.json --policy-type identity --services orders.yaml\n",
    )
    .action(async (path: string, options: ValidateOptions) => {
      const failOn = severities.indexOf(options.failOn);
      const output = outputOf(options);
      const run = await import("./run-validate.ts");
      const { formatValidated } = await import("./validate-report.ts");
      const { policyType, services, partition } = options;
      if (policyType === undefined && services !== undefined) {
        throw new MeshIamError("usage", "expected --policy-type with --services");
      }
      const validated =
        policyType === undefined
          ? await run.validateDocuments(path, partition)
          : await run.validateOnePolicy(
              path,
              policyType,
              {
                services:
                  services === undefined
                    ? new Map()
                    : await run.readServices(services, partition, io),
                partition,
              },
              io,
            );
      const folder = policyType === undefined ? path : "";
      const verbose = options.verbose === true;
      const version = packageVersion();
      io.out(`${formatValidated(validated, { output, verbose, folder, version })}\n`);
      const isBad = validated.findings.some(
        ({ severity }) => severities.indexOf(severity) <= failOn,
      );
      if (validated.refused || isBad) result.exitCode = exitCode.invalidInput;
    });
}

function outputOf({ output, json }: ValidateOptions): ValidateOutput {
  if (json !== true) return output ?? "text";
  if (output === undefined || output === "json") return "json";
  throw new MeshIamError("usage", "expected one of --json and --output, got both");
}
