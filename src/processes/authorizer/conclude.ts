import type { Authentication } from "../../domain/credentials/authenticate.ts";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { isGrpcRequest } from "../../domain/request/grpc-classification.ts";
import type { AuthMethod, CheckOutcome } from "../../domain/request/outcome.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import { formatArn } from "../../iam/arn.ts";
import type { Decision } from "../../iam/decision.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import type { Reason } from "../../iam/reason.ts";
import { answerTo } from "./answer.ts";
import type { Caller } from "./caller.ts";
import type { FrontedService } from "./fronted-service.ts";
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
  caller: Caller | null;
  cache: CheckOutcome["cache"];
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
    caller: null,
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
  progress.caller = null;
  progress.cache = "bypass";
  progress.ended = null;
  progress.detail = "";
}

const noNames: readonly string[] = Object.freeze([]);

/**
 * Returns the outcome of a Check: what was decided, what Envoy is told of it, and all that was known.
 * `verbose` adds AWS's sentence to a denial by policy.
 */
export function conclude(
  progress: Progress,
  decision: Decision,
  decisionId: string,
  durationNs: number,
  verbose: boolean,
): CheckOutcome {
  const { position, attributes, service, request, caller } = progress;
  const principal = caller?.mapped.principal ?? null;
  const shadow = service?.shadow ?? false;
  const action = request?.action ?? null;
  const resource = request === null ? null : formatArn(request.resource);
  const explains = verbose && principal !== null && action !== null && resource !== null;
  return {
    decisionId,
    epoch: position?.epoch ?? 0,
    revision: position?.revision ?? 0,
    mode: shadow ? "shadow" : "enforce",
    cache: progress.cache,
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
