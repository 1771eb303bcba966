import { MeshIamError } from "../../iam/error.ts";
import { AttemptFailed, type Failure } from "./retry.ts";

/** SQLite's primary result codes that decide something (sqlite.org/rescode.html). */
const primary = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const;

/** Returns the primary result code of a failure of SQLite, undefined for anything else. */
export function resultCode(reason: unknown): number | undefined {
  if (!(reason instanceof Error) || !("errcode" in reason)) return undefined;
  return typeof reason.errcode === "number" ? reason.errcode & 0xff : undefined;
}

/** Returns what is to be thrown for `reason`: itself unless it is SQLite's. */
export function attemptFailed(reason: unknown, path: string, isCommitting: boolean): unknown {
  const code = resultCode(reason);
  if (code === undefined) return reason;
  // A commit that found no room or no lock was not written; after a failed write or sync nobody knows.
  const isUnknown = isCommitting && code !== primary.full && code !== primary.busy;
  const failure = failureOf(code, reason as Error, path);
  return new AttemptFailed(failure, isUnknown ? "unknown" : "not-applied", reason);
}

function failureOf(code: number, error: Error, path: string): Failure {
  const lasting = (what: "store-corrupt" | "store-constraint" | "internal", message: string) =>
    ({
      type: "lasting",
      error: new MeshIamError(what, message, { cause: error }),
    }) satisfies Failure;
  switch (code) {
    case primary.busy:
    case primary.locked:
      return { type: "transient", message: `\`${path}\` is locked by another process` };
    case primary.full:
      return { type: "unavailable", message: `no space is left for \`${path}\`: ${error.message}` };
    case primary.readOnly:
    case primary.ioError:
    case primary.cannotOpen:
      return {
        type: "unavailable",
        message: `\`${path}\` cannot be read or written: ${error.message}`,
      };
    case primary.corrupt:
    case primary.notADatabase:
      return lasting("store-corrupt", `\`${path}\` is damaged (${error.message}): ${remedy}`);
    case primary.constraint:
      return lasting("store-constraint", `the database refuses a change: ${error.message}`);
    default:
      return lasting("internal", "an SQL statement failed");
  }
}

/** What an operator does about a damaged file. */
export const remedy =
  "keep the file, run `mesh-iam store verify` for details, and restore a backup by `mesh-iam store restore` or an export by `mesh-iam store import` into a new file";
