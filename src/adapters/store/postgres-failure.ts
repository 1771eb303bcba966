import { MeshIamError } from "../../iam/error.ts";
import { AttemptFailed, type Failure } from "./retry.ts";

/** SQLSTATEs that pass by themselves: locks, a server that starts, stops or fails over (STO-10). */
const transient: ReadonlySet<string> = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "25P03", // idle_in_transaction_session_timeout
  "25006", // read_only_sql_transaction: a standby that is not promoted yet
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
]);

/** What the driver threw, told apart from what a plan threw. */
export class DriverFailed extends Error {
  constructor(cause: unknown) {
    super("the driver failed", { cause });
  }
}

/** Returns the SQLSTATE of a failure that the server told, undefined for any other. */
export function sqlState(failed: unknown): string | undefined {
  const reason = failed instanceof DriverFailed ? failed.cause : failed;
  if (!(reason instanceof Error) || !("code" in reason) || !("severity" in reason))
    return undefined;
  return typeof reason.code === "string" && reason.code.length === 5 ? reason.code : undefined;
}

/** Whether the connection is of no use any more after a failure of the driver. */
export function isConnectionLost(reason: unknown): boolean {
  if (!(reason instanceof DriverFailed)) return false;
  const state = sqlState(reason);
  // 25006: it leads to a standby, and would for ever.
  return (
    state === undefined || state.startsWith("08") || state.startsWith("57P") || state === "25006"
  );
}

/** Returns what is to be thrown for `reason`: itself unless it is the driver's. */
export function attemptFailed(reason: unknown, isCommitting: boolean): unknown {
  if (!(reason instanceof DriverFailed)) return reason;
  const state = sqlState(reason);
  // The server refused the commit itself; of anything else after COMMIT nobody knows. A server that shuts
  // down while it waits for a standby has committed and says 57P01.
  const isRefused = state?.startsWith("23") === true || state?.startsWith("40") === true;
  const outcome = isCommitting && !isRefused ? "unknown" : "not-applied";
  const cause = reason.cause instanceof Error ? reason.cause : reason;
  return new AttemptFailed(failureOf(cause, state), outcome, cause);
}

function failureOf(error: Error, state: string | undefined): Failure {
  const message = `PostgreSQL: ${error.message === "" ? String(error) : error.message}`;
  if (state === undefined) {
    // A certificate or a name that is not there does not mend itself within seconds.
    const code = "code" in error ? String(error.code) : "";
    const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code);
    const isRefusedTls = error.message.includes("does not support SSL");
    return isTls || isRefusedTls || code === "ENOTFOUND"
      ? { type: "unavailable", message }
      : { type: "transient", message };
  }
  if (transient.has(state) || state.startsWith("08")) return { type: "transient", message };
  const lasting = (code: "store-constraint" | "store-corrupt") =>
    ({ type: "lasting", error: new MeshIamError(code, message, { cause: error }) }) as const;
  // 22P02 and 22P05: a doc that is no JSON, or text that it cannot keep.
  if (state.startsWith("23") || state === "22P02" || state === "22P05") {
    return lasting("store-constraint");
  }
  if (state.startsWith("XX")) return lasting("store-corrupt");
  // Out of disk or memory, input and output, no right to connect or to write.
  if (/^(53|58|28|42501|3D000|57014)/.test(state)) return { type: "unavailable", message };
  return {
    type: "lasting",
    error: new MeshIamError("internal", "an SQL statement failed", { cause: error }),
  };
}
