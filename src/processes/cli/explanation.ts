import { formatArn } from "../../iam/arn.ts";
import { MeshIamError } from "../../iam/error.ts";
import { explain } from "../../iam/evaluation/explain.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import { arnOf } from "../../iam/principal.ts";
import { quote } from "../../iam/problem.ts";
import { parseScenario, type Scenario } from "../../iam/scenario.ts";
import { formatExplanation } from "./explanation-tree.ts";
import { readText } from "./files.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { type Paint, paintOf } from "./paint.ts";
import { engineLayersOf, readScenario } from "./scenario-file.ts";

/** Where the question comes from: a file, or a decision log with an id in it. */
export interface Question {
  readonly file: string | undefined;
  readonly log: string | undefined;
  /** Undefined: the last decision of the log. */
  readonly id: string | undefined;
}

/** Prints why the question is answered as it is and returns 0 for allowed, 2 for denied. */
export async function explainQuestion(
  question: Question,
  json: boolean,
  io: CommandIo,
): Promise<ExitCode> {
  const scenario = await readQuestion(question, io);
  const explanation = explain(scenario.context, engineLayersOf(scenario));
  io.out(
    json
      ? `${JSON.stringify({ id: scenario.id, ...explanation }, null, 2)}\n`
      : `${explainScenario(scenario, paintOf(io))}\n`,
  );
  return explanation.decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
}

/** Returns the explanation of a scenario for people: the question, the answer, and why, as a tree. */
export function explainScenario(scenario: Scenario, paint: Paint): string {
  const { context } = scenario;
  const explanation = explain(context, engineLayersOf(scenario));
  const resource = context.resource.arn === null ? "*" : formatArn(context.resource.arn);
  const { decision } = explanation;
  const who = arnOf(context.principal) ?? context.principal.type;
  const question = `${who} asks for ${context.action} on ${resource}`;
  const tree = formatExplanation(explanation, question, paint);
  if (decision.decision === "allowed" || decision.deniedBy === null) return tree;
  return `${tree}\n${accessDeniedSentence(decision, context.principal, context.action, resource)}`;
}

function readQuestion({ file, log, id }: Question, io: CommandIo): Promise<Scenario> {
  if (log !== undefined) return readLogged(log, id ?? null, io);
  if (file !== undefined) return readScenario(file, io);
  throw new MeshIamError("usage", "expected a file, `-`, or --log");
}

/** Throws `scenario-invalid` where the log has no such decision or none that can be explained. */
async function readLogged(file: string, id: string | null, io: CommandIo): Promise<Scenario> {
  const scenario = loggedScenario(await readText(file, io, "document-unreadable"), id);
  if (typeof scenario !== "string") return scenario;
  throw new MeshIamError("scenario-invalid", `${quote(file)}: ${scenario}`);
}

/**
 * Returns the scenario of decision `id` in the lines of a decision log, of the last decision for null,
 * or why there is none.
 */
export function loggedScenario(log: string, id: string | null): Scenario | string {
  const wanted = id === null ? '"decision":' : `"eventID":${JSON.stringify(id)}`;
  const line = log.split("\n").findLast((candidate) => candidate.includes(wanted));
  if (line === undefined) return id === null ? "no decision" : `no decision ${quote(id)}`;
  const record = parseRecord(line);
  if (record === null) return "a line is no JSON object";
  const { eventID, input } = record;
  if (input === undefined) {
    return `decision ${quote(String(eventID))} has no input: it ended before a policy was asked, or decisionLogs.input is off`;
  }
  const loaded = parseScenario(JSON.stringify(input));
  if (loaded.ok) return loaded.value;
  return loaded.problems.map((problem) => problem.message).join("; ");
}

function parseRecord(line: string): { eventID?: unknown; input?: unknown } | null {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === "object" && record !== null ? record : null;
  } catch {
    return null;
  }
}
