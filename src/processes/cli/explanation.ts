import { printable } from "../../domain/directory/document-problem.ts";
import { formatArn } from "../../iam/arn.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { Explanation } from "../../iam/evaluation/explanation.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import { arnOf } from "../../iam/principal.ts";
import type { Scenario } from "../../iam/scenario.ts";
import { formatExplanation } from "./explanation-tree.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { readLoggedScenario } from "./logged-scenario.ts";
import { type Paint, paintOf } from "./paint.ts";
import { printableJson } from "./printable-json.ts";
import { explainScenario, readScenario } from "./scenario-file.ts";

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
  const explanation = explainScenario(scenario);
  io.out(
    json
      ? `${printableJson({ id: scenario.id, ...explanation })}\n`
      : `${formatExplained(scenario, explanation, paintOf(io))}\n`,
  );
  return explanation.decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
}

/** Returns the explanation of a scenario for people: the question, the answer, and why, as a tree. */
export function formatExplained(
  { context }: Scenario,
  explanation: Explanation,
  paint: Paint,
): string {
  const resource = context.resource.arn === null ? "*" : formatArn(context.resource.arn);
  const { decision } = explanation;
  const who = arnOf(context.principal) ?? context.principal.type;
  const question = `${who} asks for ${context.action} on ${resource}`;
  const tree = formatExplanation(explanation, question, paint);
  if (decision.decision === "allowed" || decision.deniedBy === null) return tree;
  const sentence = accessDeniedSentence(decision, context.principal, context.action, resource);
  return `${tree}\n${printable(sentence)}`;
}

/** Throws `usage` for what would be overlooked: nobody is to believe that it was explained. */
function readQuestion({ file, log, id }: Question, io: CommandIo): Promise<Scenario> {
  if (log !== undefined && file === undefined) return readLoggedScenario(log, id ?? null, io);
  if (log === undefined && file !== undefined && id === undefined) return readScenario(file, io);
  const isOver = file !== undefined && log !== undefined;
  const expected = isOver ? "one of a file and --log, got both" : "a file, `-`, or --log";
  const about = id !== undefined && log === undefined ? "--log with --id" : expected;
  throw new MeshIamError("usage", `expected ${about}`);
}
