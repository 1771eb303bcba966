import { errorCodeOf } from "../../domain/request/error-code.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import { accountOf, arnOf, type Principal } from "../../iam/principal.ts";

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
    userIdentity: userIdentity(outcome.principal),
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

/** Returns CloudTrail's `userIdentity`, with its words for the types it has. */
export function userIdentity(principal: Principal | null): Record<string, unknown> | undefined {
  if (principal === null) return undefined;
  const arn = arnOf(principal) ?? undefined;
  const accountId = accountOf(principal) ?? undefined;
  switch (principal.type) {
    case "anonymous":
      return { type: "Anonymous" };
    case "root":
      return { type: "Root", principalId: principal.account, arn, accountId };
    case "user":
      return {
        type: "IAMUser",
        principalId: principal.id ?? undefined,
        arn,
        accountId,
        userName: principal.name,
      };
    case "workload":
      return { type: "Workload", principalId: principal.id ?? undefined, arn, accountId };
    case "assumed-role":
      return {
        type: "AssumedRole",
        principalId: principal.id === null ? undefined : `${principal.id}:${principal.sessionName}`,
        arn,
        accountId,
        sessionContext: {
          sessionIssuer: {
            type: "Role",
            principalId: principal.id ?? undefined,
            arn: principal.roleArn,
            accountId,
            userName: principal.roleName,
          },
        },
      };
    case "federated-user":
      return {
        type: "FederatedUser",
        principalId: `${accountId}:${principal.name}`,
        arn,
        accountId,
        sessionContext: {
          sessionIssuer: {
            type: "IAMUser",
            principalId: principal.userId ?? undefined,
            arn: principal.userArn,
          },
        },
      };
    case "service":
      return { type: "AWSService", invokedBy: principal.name };
    case "web-identity":
      return { type: "WebIdentityUser", identityProvider: principal.provider };
    case "saml":
      return { type: "SAMLUser", identityProvider: principal.provider };
  }
}
