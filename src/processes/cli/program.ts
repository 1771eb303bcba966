import { Command, CommanderError } from "commander";
import { addApply } from "./apply.ts";
import { addAuthorizer } from "./authorizer.ts";
import { addBundle } from "./bundle.ts";
import { addControlPlane } from "./control-plane.ts";
import { reportFailure } from "./exit.ts";
import { addExplain } from "./explain.ts";
import { type CommandIo, type CommandResult, type ExitCode, exitCode } from "./io.ts";
import { addKeys } from "./keys.ts";
import { addQuickstart } from "./quickstart.ts";
import { addSimulate } from "./simulate.ts";
import { addStore } from "./store.ts";
import { addTest } from "./test-command.ts";
import { addValidate } from "./validate.ts";
import { packageVersion } from "./version.ts";

/**
 * Returns the exit code of one command line. Nothing is thrown: usage errors are 1, what a command
 * threw is what `reportFailure` makes of it.
 */
export async function runProgram(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const result: CommandResult = { exitCode: exitCode.ok };
  const program = createProgram(io, result);
  try {
    await program.parseAsync([...args], { from: "user" });
    return result.exitCode;
  } catch (reason) {
    if (reason instanceof CommanderError) {
      return reason.exitCode === 0 ? exitCode.ok : exitCode.failure;
    }
    return reportFailure(reason, io);
  }
}

/** Returns the whole command line: one file a command, one line here. */
export function createProgram(io: CommandIo, result: CommandResult): Command {
  const program = new Command("mesh-iam")
    .description(
      "AWS IAM for your own services: an authorizer for Envoy that evaluates every AWS policy type.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .exitOverride()
    .showHelpAfterError("(add --help for what is possible)")
    .showSuggestionAfterError()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      "after",
      "\nExit codes: 0 ok or allowed · 1 failure · 2 denied · 3 invalid input · 5 there are differences\n" +
        "Start here:  mesh-iam quickstart\n",
    );
  addQuickstart(program, io);
  addAuthorizer(program, io, result);
  addControlPlane(program, io, result);
  addApply(program, io, result);
  addValidate(program, io, result);
  addSimulate(program, io, result);
  addExplain(program, io, result);
  addTest(program, io, result);
  addBundle(program, io);
  addKeys(program, io);
  addStore(program, io);
  return program;
}
