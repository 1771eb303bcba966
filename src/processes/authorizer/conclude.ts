import type { Authentication } from "../../domain/credentials/authenticate.ts";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { isGrpcRequest } from "../../domain/request/grpc-classification.ts";
import type { AuthMethod, CheckOutcome } from "../../domain/request/outcome.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import { formatArn } from "../../iam/arn.ts";
import type { Decision } from "../../iam/decision.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import type { Principal } from "../../iam/principal.ts";
import type { Reason } from "../../iam/reason.ts";
import { answerTo } from "./answer.ts";
import type { DecisionInput } from "./decide.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { CacheUse } from "./memory.ts";
import type { SnapshotPosition } from "./snapshot.ts";

/**
 * How far a Check has come: filled step by step, so that whatever ends it, the outcome tells all that
 * was known by then. One per process, reset by each Check.
 */
export interface Progress {
  position: SnapshotPosition | null;
  attributes: CheckAttributes | null;
  service: FrontedService | null;
  request: ResolvedRequest | null;
  authentication: Authentication | null;
  principal: Principal | null;
  /** What the decision was made from; null where none was made, or another one took its place. */
  input: DecisionInput | null;
  cache: CacheUse;
  /** The reason of the step that ended the journey before an evaluation. */
  ended: Reason | null;
  detail: string;
}

/** Returns a record of the right shape with nothing known. */
export function createProgress(): Progress {
  return {
    position: null,
    attributes: null,
    service: null,
    request: null,
    authentication: null,
    principal: null,
    input: null,
    cache: "bypass",
    ended: null,
    detail: "",
  };
}

/** Forgets the last Check. */
export function restart(progress: Progress): void {
  progress.position = null;
  progress.attributes = null;
  progress.service = null;
  progress.request = null;
  progress.authentication = null;
  progress.principal = null;
  progress.input = null;
  progress.cache = "bypass";
  progress.ended = null;
  progress.detail = "";
}

const noNames: readonly string[] = Object.freeze([]);

export interface ConcludeOptions {
  /** Adds AWS's sentence to a denial by policy. */
  readonly verbose: boolean;
  /** The sidecar runs dry: no Check is denied, not even one whose service is unknown. */
  readonly dryRun: boolean;
}

/** Returns the outcome of a Check: what was decided, what Envoy is told of it, and all that was known. */
export function conclude(
  progress: Progress,
  decision: Decision,
  decisionId: string,
  durationNs: number,
  { verbose, dryRun }: ConcludeOptions,
): CheckOutcome {
  const { position, attributes, service, request, principal } = progress;
  const shadow = service?.shadow ?? dryRun;
  const action = request?.action ?? null;
  const resource = request === null ? null : formatArn(request.resource);
  const explains = verbose && principal !== null && action !== null && resource !== null;
  return {
    decisionId,
    epoch: position?.epoch ?? 0,
    revision: position?.revision ?? 0,
    mode: shadow ? "shadow" : "enforce",
    cache: progress.cache === "stale" ? "miss" : progress.cache,
    authMethod: authMethodOf(progress),
    principal,
    service: service?.definition ?? null,
    action,
    resource,
    grpc: request?.grpc ?? (attributes?.hasRequest === true && isGrpcRequest(attributes)),
    decision,
    answer: answerTo(decision, {
      anonymous: principal?.type === "anonymous",
      implied: request !== null && request.implied !== null,
      // A fault of our own is never waved through by a mode that it may have misread.
      shadow: shadow && decision.reason !== "internal",
    }),
    detail: progress.detail,
    sentence:
      explains && decision.deniedBy !== null
        ? accessDeniedSentence(decision, principal, action, resource)
        : null,
    removeHeaders: hiddenFrom(progress),
    identityHeaderNames: attributes?.identityHeaderNames ?? noNames,
    durationNs,
  };
}

/** What the application does not see beyond our own family (R6). */
function hiddenFrom(progress: Progress): readonly string[] {
  const { service, request } = progress;
  if (service === null) return noNames;
  const { hidden } = service;
  if (request !== null && request.implied !== null) return hidden.unauthenticated;
  return authMethodOf(progress) === "session" ? hidden.session : hidden.other;
}

/** Which credential gave the principal; of a refused token the kind that it claimed to be. */
function authMethodOf({ authentication, ended }: Progress): AuthMethod {
  if (authentication !== null) return authentication.authMethod;
  return ended?.startsWith("token-") === true ? "jwt" : "none";
}
