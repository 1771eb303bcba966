import { printable } from "../../domain/directory/document-problem.ts";
import { quote } from "../../iam/problem.ts";
import { formatAnswer, parseScenario } from "../../iam/scenario.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";
import { printableJson } from "./printable-json.ts";
import { logLines, maxLineLength } from "./replay/log-lines.ts";
import { explainScenario, readScenario } from "./scenario-file.ts";

/** Prints the answer to the scenario in `file` and returns 0 for allowed, 2 for denied. */
export async function simulateFile(file: string, io: CommandIo): Promise<ExitCode> {
  const scenario = await readScenario(file, io);
  const { decision, missingContextKeys } = explainScenario(scenario);
  io.out(`${printableJson(formatAnswer(scenario.id, decision, missingContextKeys))}\n`);
  return decision.decision === "allowed" ? exitCode.ok : exitCode.denied;
}

/**
 * Prints one answer for each line of standard input, as they come; empty ones are passed over. Returns 3
 * if a line was no scenario or longer than any may be, else 0, whatever was decided.
 */
export async function simulateLines(io: CommandIo): Promise<ExitCode> {
  const nowMs = Date.now();
  let code: ExitCode = exitCode.ok;
  for await (const { number, text } of logLines("-", io)) {
    const loaded = text === null ? tooLong : parseScenario(text, { nowMs });
    if (loaded.ok) {
      const { decision, missingContextKeys } = explainScenario(loaded.value);
      const answer = formatAnswer(loaded.value.id, decision, missingContextKeys);
      io.out(`${printable(JSON.stringify(answer))}\n`);
      continue;
    }
    const id = loaded.id ?? `line ${number}`;
    const row = { id, error: "scenario-invalid", problems: loaded.problems };
    io.out(`${printable(JSON.stringify(row))}\n`);
    io.err(`mesh-iam: line ${number}, ${printable(quote(id))}: the scenario is not accepted\n`);
    code = exitCode.invalidInput;
  }
  return code;
}

const tooLong = {
  ok: false,
  id: null,
  problems: [
    {
      code: "TEXT_SIZE_LIMIT",
      severity: "ERROR",
      path: "",
      message: `expected a line of at most ${maxLineLength} characters`,
      position: null,
    },
  ],
} as const;
