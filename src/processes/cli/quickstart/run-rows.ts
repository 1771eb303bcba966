import type { CheckOutcome } from "../../../domain/request/outcome.ts";
import { type ProxyAddress, type SampleResponse, send } from "./client.ts";
import { type Row, requestOf, rows, type SampleCredentials } from "./rows.ts";
import type { TableRow } from "./table.ts";
import type { SeenRequest } from "./upstream.ts";

/** One row after it was sent. */
export interface RowResult extends TableRow {
  readonly row: Row;
  readonly decisionId: string | null;
}

/**
 * Sends every row through the proxy, one after the other, and returns what came of it. `lastOutcome`
 * gives what the authorizer said about the request just answered and forgets it.
 */
export async function runRows(
  proxy: ProxyAddress,
  credentials: SampleCredentials,
  lastOutcome: () => CheckOutcome | null,
): Promise<readonly RowResult[]> {
  const results: RowResult[] = [];
  for (const row of rows) {
    lastOutcome();
    const response = await send(proxy, requestOf(row, credentials)).catch(
      (failure: unknown) => failure as Error,
    );
    results.push(resultOf(row, response, lastOutcome()));
  }
  return results;
}

function resultOf(
  row: Row,
  response: SampleResponse | Error,
  outcome: CheckOutcome | null,
): RowResult {
  const status = (value: number): string => (row.grpc ? `grpc ${value}` : String(value));
  const got =
    response instanceof Error ? response.message : status(response.grpcStatus ?? response.status);
  const reason = outcome?.answer.reason ?? "-";
  return {
    row,
    caller: row.caller,
    request: `${row.method} ${row.path}`,
    expected: status(row.status),
    got,
    reason,
    microseconds: outcome === null ? null : outcome.durationNs / 1000,
    decisionId: outcome?.decisionId ?? null,
    fits: got === status(row.status) && reason === row.reason && showsPrincipal(row, response),
  };
}

/** The application must have seen the caller that the row names, and no forged one. */
function showsPrincipal(row: Row, response: SampleResponse | Error): boolean {
  if (row.principal === null || response instanceof Error) return row.principal === null;
  const seen = JSON.parse(response.body) as SeenRequest;
  return seen.headers["x-mesh-iam-principal"] === row.principal;
}
