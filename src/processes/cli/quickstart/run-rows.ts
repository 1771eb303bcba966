import type { CheckOutcome } from "../../../domain/request/outcome.ts";
import { type ProxyAddress, type SampleResponse, send } from "./client.ts";
import { isAllowed, type Row, requestOf, rows, type SampleCredentials } from "./rows.ts";
import type { SeenRequest } from "./upstream.ts";

/** One row after it was sent. */
export interface RowResult {
  readonly row: Row;
  /** `200`, `grpc 7`, or what broke the connection. */
  readonly got: string;
  /** The authorizer's reason; null where it was not asked. */
  readonly reason: string | null;
  readonly decisionId: string | null;
  /** What the authorizer spent on the Check; null where it was not asked. */
  readonly microseconds: number | null;
  /** The same of the first round, when nothing was compiled or cached yet. */
  readonly firstMicroseconds: number | null;
  /** What is not as expected, in any round, in words; empty: everything is. */
  readonly differences: readonly string[];
}

/** What stands around the proxy, and tells what came of the request just answered. */
export interface Witnesses {
  /** What the authorizer said, once. */
  takeOutcome(): CheckOutcome | null;
  /** What the application saw, once. */
  takeSeen(): readonly SeenRequest[];
}

/** Returns the status that a row expects, as the table shows it. */
export function expectedStatus(row: Row): string {
  return statusText(row, row.status);
}

/**
 * Sends every row through the proxy, one after the other, `rounds` times, and returns what came of it:
 * the figures of the last round, the differences of all. Throws the reason of `signal` once that is
 * aborted.
 */
export async function runRows(
  proxy: ProxyAddress,
  credentials: SampleCredentials,
  witnesses: Witnesses,
  rounds: number,
  signal: AbortSignal,
): Promise<readonly RowResult[]> {
  let results: RowResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const former = results;
    results = [];
    for (const [index, row] of rows.entries()) {
      signal.throwIfAborted();
      results.push(after(former[index], await runRow(row, proxy, credentials, witnesses)));
    }
  }
  return results;
}

async function runRow(
  row: Row,
  proxy: ProxyAddress,
  credentials: SampleCredentials,
  witnesses: Witnesses,
): Promise<RowResult> {
  witnesses.takeOutcome();
  witnesses.takeSeen();
  const response = await send(proxy, requestOf(row, credentials)).catch(
    (failure: unknown) => failure as Error,
  );
  return judge(row, response, witnesses.takeOutcome(), witnesses.takeSeen());
}

/** Returns what came of a row: `seen` is what reached the application. */
export function judge(
  row: Row,
  response: SampleResponse | Error,
  outcome: CheckOutcome | null,
  seen: readonly SeenRequest[],
): RowResult {
  const got =
    response instanceof Error
      ? response.message
      : statusText(row, response.grpcStatus ?? response.status);
  const reason = outcome?.answer.reason ?? null;
  const microseconds = outcome === null ? null : outcome.durationNs / 1000;
  const differences = [
    ...(got === expectedStatus(row) ? [] : [`expected ${expectedStatus(row)}, got ${got}`]),
    ...(reason === row.reason
      ? []
      : [`expected the reason ${row.reason}, got ${reason ?? "none"}`]),
    ...unexpectedlySeen(row, seen),
  ];
  return {
    row,
    got,
    reason,
    decisionId: outcome?.decisionId ?? null,
    microseconds,
    firstMicroseconds: microseconds,
    differences,
  };
}

function statusText(row: Row, status: number): string {
  return row.grpc ? `grpc ${status}` : String(status);
}

/** The application sees what is allowed, once, from the caller that the row names and no forged one. */
function unexpectedlySeen(row: Row, seen: readonly SeenRequest[]): readonly string[] {
  const [first] = seen;
  if (!isAllowed(row)) return first === undefined ? [] : ["it reached the application"];
  if (first === undefined) return ["it did not reach the application"];
  if (seen.length > 1) return [`it reached the application ${seen.length} times`];
  const principal = first.headers["x-mesh-iam-principal"] ?? null;
  if (principal === row.principal) return [];
  const words = (arn: string | null): string => arn ?? "nobody";
  return [`the application saw ${words(principal)}, expected ${words(row.principal)}`];
}

function after(former: RowResult | undefined, result: RowResult): RowResult {
  if (former === undefined) return result;
  return {
    ...result,
    firstMicroseconds: former.firstMicroseconds,
    differences: [...new Set([...former.differences, ...result.differences])],
  };
}
