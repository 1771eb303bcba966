import { errorCodeOf } from "../../domain/request/error-code.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { userIdentity } from "../../domain/request/user-identity.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";

/** Version of the record's shape: a field that goes or changes its meaning raises the first number. */
export const eventVersion = "1.0";

/** Who writes: the same on each record. */
export interface RecordLabels {
  readonly instance: string;
  readonly version: string;
  readonly pod?: string;
  readonly namespace?: string;
}

/** A credential that was presented and did not give the principal; never its text. */
export interface DroppedCredential {
  readonly type: string;
  readonly cause: string;
}

/** What a record says of the request beyond the outcome: copies, cut to their bounds. */
export interface RequestFacts {
  readonly timeMs: number;
  readonly requestId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly sourceIp: string | null;
  readonly userAgent: string | null;
  readonly droppedTokens: readonly DroppedCredential[];
  /** JSON of the scenario that replays the decision; null unless asked for. */
  readonly input: string | null;
}

/**
 * Returns the record of one Check as plain data, ready for masking and `JSON.stringify`; undefined
 * fields are left out by it. CloudTrail's names where CloudTrail has one.
 * Source: kubernetes-and-observability 2.9.
 */
export function decisionRecord(
  outcome: CheckOutcome,
  facts: RequestFacts,
  labels: RecordLabels,
): Record<string, unknown> {
  const { answer, decision, action, service } = outcome;
  const isShadow = outcome.mode === "shadow";
  const colon = action?.indexOf(":") ?? -1;
  const told = answer.type === "allow" ? "allowed" : decision.decision;
  const decidedAsTold = answer.type !== "allow" || decision.decision === "allowed";
  return {
    eventVersion,
    eventID: outcome.decisionId,
    eventTime: new Date(facts.timeMs).toISOString(),
    traceId: facts.traceId ?? undefined,
    spanId: facts.spanId ?? undefined,
    requestID: facts.requestId ?? undefined,
    labels,
    recipientAccountId: service?.account,
    userIdentity: outcome.principal === null ? undefined : userIdentity(outcome.principal),
    authMethod: outcome.authMethod,
    droppedTokens: facts.droppedTokens.length === 0 ? undefined : facts.droppedTokens,
    eventSource: service?.name,
    eventName: action === null ? undefined : action.slice(colon + 1),
    resources:
      outcome.resource === null
        ? undefined
        : [{ ARN: outcome.resource, accountId: service?.account }],
    sourceIPAddress: facts.sourceIp ?? undefined,
    userAgent: facts.userAgent ?? undefined,
    decision: told,
    deniedBy: decidedAsTold ? decision.deniedBy : null,
    deniedLevel: decidedAsTold ? decision.deniedLevel : null,
    outcome: answer.outcome,
    reason: answer.reason,
    detail: outcome.detail === "" ? undefined : outcome.detail,
    errorCode: answer.type === "deny" ? errorCodeOf(answer.reason, answer.status) : undefined,
    errorMessage: answer.type === "deny" ? sentence(outcome) : undefined,
    errors: decision.errors.length === 0 ? undefined : decision.errors,
    matchedStatements: decision.matchedStatements,
    bundle: { epoch: outcome.epoch, revision: outcome.revision },
    mode: outcome.mode,
    shadow: isShadow
      ? {
          decision: decision.decision,
          deniedBy: decision.deniedBy,
          reason: decision.reason,
          errorMessage: sentence(outcome),
        }
      : undefined,
    cache: outcome.cache,
    latencyUs: Math.round(outcome.durationNs / 100) / 10,
    input: facts.input === null ? undefined : JSON.parse(facts.input),
  };
}

/** AWS's sentence about a denial by policy, which a caller sees in verbose mode only. */
function sentence({ decision, principal, action, resource }: CheckOutcome): string | undefined {
  if (decision.deniedBy === null || principal === null) return undefined;
  if (action === null || resource === null) return undefined;
  return accessDeniedSentence(decision, principal, action, resource);
}
