import { printable } from "../../domain/directory/document-problem.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { ErrorCode } from "../../iam/reason.ts";
import { type CommandIo, type ExitCode, exitCode } from "./io.ts";

/** Codes that mean "what you gave me is not acceptable": exit code 3. */
const invalidInput: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "config-invalid",
  "config-unreadable",
  "document-invalid",
  "document-unreadable",
  "scenario-invalid",
  "address-invalid",
  "bundle-unreadable",
  "bundle-signature",
  "bundle-digest",
  "bundle-expired",
  "bundle-rollback",
  "bundle-mismatch",
  "bundle-parse",
  "bundle-incomplete",
  "bundle-too-large",
  "key-invalid",
  "certificate-invalid",
  "store-export-invalid",
]);

/**
 * Returns the exit code for anything a command threw and says on `err` what it was: the one place
 * where the CLI turns failures into words. Causes are shown for what nobody foresaw.
 */
export function reportFailure(reason: unknown, io: CommandIo): ExitCode {
  const error = MeshIamError.from(reason);
  // A message may hold what a file or a bundle says; its own line ends are ours.
  const lines = error.message.split("\n").map(printable);
  io.err(`mesh-iam: ${lines.join("\n")} (${error.code})\n`);
  if (error.code === "internal") {
    const cause =
      error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.cause;
    io.err(`${String(cause)}\n`);
  }
  return invalidInput.has(error.code) ? exitCode.invalidInput : exitCode.failure;
}
