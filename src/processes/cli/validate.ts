import type { Command } from "commander";
import { MeshIamError } from "../../iam/error.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import { quote, type Severity } from "../../iam/problem.ts";
import { type CommandIo, exitCode } from "./io.ts";
import type { CommandResult } from "./program.ts";
import type { Finding } from "./run-validate.ts";

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

interface ValidateOptions {
  readonly policyType?: string;
  readonly failOn?: string;
  readonly json?: boolean;
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
    .option("--policy-type <type>", `read one policy as: ${policyTypes.join(", ")}`)
    .option("--fail-on <level>", `exit 3 from this level up: ${severities.join(", ")}`, "ERROR")
    .option("--json", "print findings as JSON")
    .summary("check a folder of documents, or one policy")
    .description(
      "Reads what a sidecar would read and says everything that is wrong with it, with file, line, column\n" +
        "and field. Exit code 3 if anything is refused, or found at the level of --fail-on or above.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mesh-iam validate ./policies\n  mesh-iam validate policy.json --policy-type identity\n",
    )
    .action(async (path: string, options: ValidateOptions) => {
      const failOn = levelOf(options.failOn ?? "ERROR");
      const { validateDocuments, validateOnePolicy } = await import("./run-validate.ts");
      const { refused, findings } =
        options.policyType === undefined
          ? await validateDocuments(path)
          : await validateOnePolicy(path, typeOf(options.policyType), io);
      print(findings, refused, options.json === true, io);
      const bad = findings.some(({ problem }) => severities.indexOf(problem.severity) <= failOn);
      if (refused || bad) result.exitCode = exitCode.invalidInput;
    });
}

function print(findings: readonly Finding[], refused: boolean, json: boolean, io: CommandIo): void {
  if (json) {
    io.out(
      `${JSON.stringify({ accepted: !refused, findings: findings.map(({ problem }) => problem) }, null, 2)}\n`,
    );
    return;
  }
  for (const { problem, line } of findings) io.out(`${problem.severity} ${line}\n`);
  const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  io.out(`${refused ? "refused" : "accepted"}, ${count}\n`);
}

function levelOf(text: string): number {
  const level = severities.indexOf(text as Severity);
  if (level >= 0) return level;
  throw new MeshIamError(
    "usage",
    `expected --fail-on ${severities.join(", ")}, got ${quote(text)}`,
  );
}

function typeOf(text: string): DocumentType {
  const type = policyTypes.find((known) => known === text);
  if (type !== undefined) return type;
  throw new MeshIamError(
    "usage",
    `expected --policy-type ${policyTypes.join(", ")}, got ${quote(text)}`,
  );
}
