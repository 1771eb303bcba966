import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { Scenario } from "../../iam/scenario.ts";
import type { CommandIo } from "./io.ts";
import { logLines } from "./replay/log-lines.ts";
import {
  type LoggedDecision,
  type LostLine,
  readLoggedDecision,
} from "./replay/logged-decision.ts";

/**
 * Returns the question of decision `id` of a decision log, of its last decision for null, with the
 * policies of then. Holds one line at a time.
 *
 * Throws `document-unreadable`, and `scenario-invalid` where the log has no such decision, or one that
 * cannot be explained: its input was not logged, or was masked, redacted or cut, so that an answer would
 * be about another question.
 */
export async function readLoggedScenario(
  log: string,
  id: string | null,
  io: CommandIo,
): Promise<Scenario> {
  let found: { readonly number: number; readonly logged: LoggedDecision | LostLine } | null = null;
  let unreadable = 0;
  for await (const { number, text } of logLines(log, io)) {
    const logged = text === null ? null : readLoggedDecision(text);
    if (logged?.type === "other") continue;
    if (logged === null || logged.id === null) unreadable++;
    else if (id === null || logged.id === id) found = { number, logged };
  }
  const refuse = (why: string) => new MeshIamError("scenario-invalid", `${quote(log)}: ${why}`);
  if (found === null) {
    const what = id === null ? "no decision" : `no decision ${quote(id)}`;
    const among = unreadable === 0 ? "" : `; lines that are no record of a decision: ${unreadable}`;
    throw refuse(what + among);
  }
  const { number, logged } = found;
  const name = `decision ${quote(logged.id ?? "")} in line ${number} cannot be explained`;
  if (logged.type === "lost") throw refuse(`${name}: ${logged.why}`);
  const scenario = logged.asked();
  if (scenario === null) throw refuse(`${name}: its policies were redacted, or are not accepted`);
  return scenario;
}
