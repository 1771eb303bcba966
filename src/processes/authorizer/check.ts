import type { Decoder } from "../../adapters/envoy/decode.ts";
import {
  type Authentication,
  anonymous,
  authenticate,
} from "../../domain/credentials/authenticate.ts";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { type Denied, isDenied } from "../../domain/request/denied.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { resolve } from "../../domain/request/resolve.ts";
import { selectService } from "../../domain/request/service-table.ts";
import { type Decision, denied } from "../../iam/decision.ts";
import { conclude, createProgress, type Progress, restart } from "./conclude.ts";
import { type DecisionObserver, decide } from "./decide.ts";
import type { Identification } from "./identify.ts";
import type { Memory, Remembered } from "./memory.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";
import { isTooOld, type StalenessOptions } from "./staleness.ts";
import type { TokenCache } from "./token-cache.ts";

/** What a Check is made of. Whatever moves (clock, snapshot, age) is asked for once a Check. */
export interface CheckParts {
  readonly decoder: Decoder;
  readonly tokens: TokenCache;
  readonly identification: Identification;
  readonly memory: Memory;
  readonly keys: RequestKeys;
  readonly snapshot: () => Snapshot | null;
  /** Age of the last head that named the snapshot's manifest, in ms. */
  readonly bundleAgeMs: () => number;
  readonly staleness: StalenessOptions;
  readonly nowMs: () => number;
  readonly monotonicNs: () => number;
  readonly nextDecisionId: () => string;
  /** Denials by policy carry AWS's sentence. */
  readonly verbose: boolean;
  /** Told of each evaluation, while its keys are still bound. */
  readonly evaluated: DecisionObserver;
  /** Told of a throw in the pipeline: a bug of ours, answered as a denial. */
  readonly failed: (failure: unknown, decisionId: string) => void;
  /** Told of every outcome; `progress` is borrowed for the call. */
  readonly concluded: (outcome: CheckOutcome, progress: Progress) => void;
}

/**
 * Returns the function that judges Checks: one serialised CheckRequest in, its outcome out.
 * Synchronous and total: whatever throws inside is a denial with a reason of its own.
 *
 * INVARIANT: not reentrant; progress and keys are records of the process.
 */
export function createCheck(parts: CheckParts): (message: Uint8Array) => CheckOutcome {
  const progress = createProgress();
  return (message) => {
    const startNs = parts.monotonicNs();
    const decisionId = parts.nextDecisionId();
    restart(progress);
    let decision: Decision;
    try {
      decision = judge(message, parts, progress);
    } catch (failure) {
      parts.failed(failure, decisionId);
      decision = denied("internal");
    }
    const durationNs = parts.monotonicNs() - startNs;
    const outcome = conclude(progress, decision, decisionId, durationNs, parts.verbose);
    parts.concluded(outcome, progress);
    return outcome;
  };
}

/** The journey of one Check, from Envoy's bytes to a decision. */
function judge(message: Uint8Array, parts: CheckParts, progress: Progress): Decision {
  const nowMs = parts.nowMs();
  const attributes = parts.decoder.decode(message);
  if (isDenied(attributes)) return end(progress, attributes);
  progress.attributes = attributes;

  const snapshot = parts.snapshot();
  if (snapshot === null) return denied("bundle-missing");
  progress.position = snapshot.position;

  const service = selectService(snapshot.services, attributes);
  if (isDenied(service)) return end(progress, service);
  progress.service = service;

  const remembered = parts.memory.recall(snapshot, service, attributes, nowMs);
  if (remembered !== null) return answerAgain(remembered, parts, progress);

  const request = resolve(service, attributes);
  if (isDenied(request)) return end(progress, request);
  progress.request = request;
  if (isTooOld(parts.bundleAgeMs(), request, parts.staleness)) return denied("bundle-stale");

  const authentication =
    request.implied === null ? prove(attributes, service, parts, nowMs) : anonymous;
  if (isDenied(authentication)) return end(progress, authentication);
  progress.authentication = authentication;

  const asked = { service, attributes, request, nowMs };
  const identity = parts.identification.identify(snapshot, authentication, asked);
  if (isDenied(identity)) return end(progress, identity);
  const { caller, attested } = identity;
  progress.caller = caller;

  const { keys, memory, evaluated } = parts;
  const decision = decide(
    request,
    { attributes, service, caller, attested, nowMs, keys },
    evaluated,
  );
  const kept = memory.keep(snapshot, service, caller, attributes, request, decision, nowMs);
  progress.cache = kept ? "miss" : "bypass";
  return decision;
}

function prove(
  attributes: CheckAttributes,
  service: NonNullable<Progress["service"]>,
  { tokens }: CheckParts,
  nowMs: number,
): Authentication | Denied {
  // Unknown tokens are charged to whoever is on the other end of the connection.
  tokens.peer = attributes.sourcePrincipal || (attributes.sourceAddress ?? "");
  return authenticate(attributes, service.definition, tokens.issuers, nowMs, tokens.verify);
}

function answerAgain(
  { answer, caller, authentication }: Remembered,
  parts: CheckParts,
  progress: Progress,
): Decision {
  progress.request = answer.request;
  progress.authentication = authentication;
  progress.caller = caller;
  progress.cache = "hit";
  const stale = isTooOld(parts.bundleAgeMs(), answer.request, parts.staleness);
  return stale ? denied("bundle-stale") : answer.decision;
}

function end(progress: Progress, reached: Denied): Decision {
  progress.detail = reached.detail;
  progress.ended = reached.reason;
  return denied(reached.reason);
}
