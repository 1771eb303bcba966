import type { Command } from "commander";
import { formatArn } from "../../iam/arn.ts";
import { MeshIamError } from "../../iam/error.ts";
import { explain } from "../../iam/evaluation/explain.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import { arnOf } from "../../iam/principal.ts";
import { quote } from "../../iam/problem.ts";
import { parseScenario, type Scenario } from "../../iam/scenario.ts";
import { formatExplanation, noPaint, terminalPaint } from "./explanation-tree.ts";
import { readText } from "./files.ts";
import { type CommandIo, exitCode } from "./io.ts";
import type { CommandResult } from "./program.ts";
import { engineLayersOf, readScenario } from "./simulate.ts";

/** Adds `explain`: says why, layer by layer. */
export function addExplain(program: Command, io: CommandIo, result: CommandResult): void {
  program
    .command("explain")
    .argument("[file]", "a scenario, one JSON object; - reads standard input")
    .option("--log <file>", "a decision log written with decisionLogs.input")
    .option("--id <decision>", "the decision id to look for in --log")
    .option("--json", "print the explanation as JSON")
    .summary("say why a decision was made, layer by layer")
    .description(
      "Explains the answer to a scenario, or to a logged decision: every layer, every statement about\n" +
        "the action, every condition with what was wanted and what was found, and the closest miss.\n" +
        "Exit code 0 for allowed, 2 for denied.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mesh-iam explain question.json\n  mesh-iam explain --log decisions.jsonl --id 3f2a…\n",
    )
    .action(
      async (file: string | undefined, options: { log?: string; id?: string; json?: boolean }) => {
        const scenario =
          options.log === undefined
            ? await readScenario(fileOf(file), io)
            : await readLogged(options.log, options.id, io);
        io.out(`${explainScenario(scenario, io.terminal, options.json === true)}\n`);
        const { decision } = explain(scenario.context, engineLayersOf(scenario));
        result.exitCode = decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
      },
    );
}

/** Returns the explanation of a scenario as a tree, or as JSON. */
export function explainScenario(scenario: Scenario, colour: boolean, json: boolean): string {
  const { context } = scenario;
  const explanation = explain(context, engineLayersOf(scenario));
  const resource = context.resource.arn === null ? "*" : formatArn(context.resource.arn);
  const { decision } = explanation;
  if (json) return JSON.stringify({ id: scenario.id, ...explanation }, null, 2);
  const who = arnOf(context.principal) ?? context.principal.type;
  const question = `${who} asks for ${context.action} on ${resource}`;
  const tree = formatExplanation(explanation, question, colour ? terminalPaint : noPaint);
  if (decision.decision === "allowed" || decision.deniedBy === null) return tree;
  return `${tree}\n${accessDeniedSentence(decision, context.principal, context.action, resource)}`;
}

function fileOf(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new MeshIamError("usage", "expected a file, `-`, or --log with --id");
}

/** Returns the scenario of a decision in a decision log; throws `scenario-invalid` where it has none. */
async function readLogged(file: string, id: string | undefined, io: CommandIo): Promise<Scenario> {
  if (id === undefined) throw new MeshIamError("usage", "expected --id with --log");
  const text = await readText(file, io, "document-unreadable");
  const scenario = loggedScenario(text, id);
  if (typeof scenario !== "string") return scenario;
  throw new MeshIamError("scenario-invalid", `${quote(file)}: ${scenario}`);
}

/** Returns the scenario of decision `id` in the lines of a decision log, or why there is none. */
export function loggedScenario(log: string, id: string): Scenario | string {
  const line = log.split("\n").find((candidate) => candidate.includes(`"eventID":"${id}"`));
  if (line === undefined) return `no decision ${quote(id)}`;
  const { input } = JSON.parse(line) as { input?: unknown };
  if (input === undefined)
    return `decision ${quote(id)} was logged without its input; set decisionLogs.input`;
  const loaded = parseScenario(JSON.stringify(input));
  if (loaded.ok) return loaded.value;
  return loaded.problems.map((problem) => problem.message).join("; ");
}
