import { explain } from "../../iam/evaluation/explain.ts";
import { quote } from "../../iam/problem.ts";
import { formatAnswer, parseScenario } from "../../iam/scenario.ts";
import { readLines } from "./files.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { engineLayersOf, readScenario } from "./scenario-file.ts";

/** Prints the answer to the scenario in `file` and returns 0 for allowed, 2 for denied. */
export async function simulateFile(file: string, io: CommandIo): Promise<ExitCode> {
  const scenario = await readScenario(file, io);
  const { decision, missingContextKeys } = explain(scenario.context, engineLayersOf(scenario));
  io.out(`${JSON.stringify(formatAnswer(scenario.id, decision, missingContextKeys), null, 2)}\n`);
  return decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
}

/**
 * Prints one answer for each line of standard input, as they come. Returns 3 if a line was no scenario,
 * else 0, whatever was decided.
 */
export async function simulateLines(io: CommandIo): Promise<ExitCode> {
  const nowMs = Date.now();
  let row = 0;
  let code: ExitCode = exitCode.ok;
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
      code = exitCode.invalidInput;
    }
  }
  return code;
}
