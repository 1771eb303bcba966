import type { Command } from "commander";
import { compilePolicy, unusablePolicy } from "../../iam/compile/compile.ts";
import { compileLayers, type EngineLayers } from "../../iam/compile/layers.ts";
import { MeshIamError } from "../../iam/error.ts";
import { explain } from "../../iam/evaluation/explain.ts";
import { type Problem, quote } from "../../iam/problem.ts";
import { formatAnswer, parseScenario, type Scenario } from "../../iam/scenario.ts";
import type { ScenarioPolicy } from "../../iam/scenario-policies.ts";
import { readLines, readText } from "./files.ts";
import { type CommandIo, exitCode } from "./io.ts";
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
      if (options.stdin === true) {
        await simulateLines(io, result);
        return;
      }
      if (file === undefined) {
        throw new MeshIamError("usage", "expected a file, `-`, or --stdin");
      }
      const scenario = await readScenario(file, io);
      const { decision, missingContextKeys } = explain(scenario.context, engineLayersOf(scenario));
      io.out(
        `${JSON.stringify(formatAnswer(scenario.id, decision, missingContextKeys), null, 2)}\n`,
      );
      result.exitCode = decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
    });
}

/** Returns the scenario in `file`; throws `scenario-invalid` with every problem, a line each. */
export async function readScenario(file: string, io: CommandIo): Promise<Scenario> {
  const text = await readText(file, io, "scenario-invalid");
  const loaded = parseScenario(text, { nowMs: Date.now() });
  if (loaded.ok) return loaded.value;
  const lines = loaded.problems.map((problem) => formatProblem(problem, file));
  throw new MeshIamError(
    "scenario-invalid",
    `the scenario is not accepted\n  ${lines.join("\n  ")}`,
  );
}

/** Returns the scenario's policies, compiled. */
export function engineLayersOf({ layers }: Scenario): EngineLayers {
  const compile = ({ id, document }: ScenarioPolicy) =>
    document === null ? unusablePolicy(id) : compilePolicy(id, document);
  const levels = (all: typeof layers.serviceControl) =>
    all?.map((level) => level.map(compile)) ?? null;
  return compileLayers({
    identity: layers.identity.map(compile),
    resource: layers.resource && compile(layers.resource),
    permissionsBoundary: layers.permissionsBoundary && compile(layers.permissionsBoundary),
    session: layers.session?.map(compile) ?? null,
    serviceControl: levels(layers.serviceControl),
    resourceControl: levels(layers.resourceControl),
  });
}

/** Returns `file:line:column path: message (CODE)`. */
export function formatProblem(problem: Problem, file: string): string {
  const { position, path, message, code } = problem;
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  return `${place}${path === "" ? "" : ` ${path}`}: ${message} (${code})`;
}

async function simulateLines(io: CommandIo, result: CommandResult): Promise<void> {
  const nowMs = Date.now();
  let row = 0;
  for await (const line of readLines(io)) {
    row++;
    const loaded = parseScenario(line, { nowMs });
    if (loaded.ok) {
      const scenario = loaded.value;
      const { decision, missingContextKeys } = explain(scenario.context, engineLayersOf(scenario));
      io.out(`${JSON.stringify(formatAnswer(scenario.id, decision, missingContextKeys))}\n`);
    } else {
      const id = loaded.id ?? `line ${row}`;
      io.out(`${JSON.stringify({ id, error: "scenario-invalid", problems: loaded.problems })}\n`);
      io.err(`mesh-iam: line ${row}, ${quote(id)}: the scenario is not accepted\n`);
      result.exitCode = exitCode.invalidInput;
    }
  }
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
