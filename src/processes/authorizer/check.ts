import type { Decoder } from "../../adapters/envoy/decode.ts";
import type { ListenerDenial } from "../../adapters/envoy/listener.ts";
import {
  type Authentication,
  authenticate,
  authenticateNobody,
} from "../../domain/credentials/authenticate.ts";
import { type Denied, isDenied } from "../../domain/request/denied.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { resolve } from "../../domain/request/resolve.ts";
import { selectService } from "../../domain/request/service-table.ts";
import { type Decision, denied } from "../../iam/decision.ts";
import { type AskedCheck, askedCheck } from "./asked-check.ts";
import {
  type ConcludeOptions,
  conclude,
  createProgress,
  type Progress,
  restart,
} from "./conclude.ts";
import { decide } from "./decide.ts";
import type { Identification } from "./identify.ts";
import type { Memory, Remembered } from "./memory.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StageClock } from "./stage-clock.ts";
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
  readonly conclude: ConcludeOptions;
  readonly stages: StageClock;
  /** Told of a throw in the pipeline: a bug of ours, answered as a denial. */
  readonly failed: (failure: unknown, decisionId: string) => void;
  /** Told of every outcome; `progress` is borrowed for the call, and its keys are still bound. */
  readonly concluded: (outcome: CheckOutcome, progress: Progress) => void;
  /** Told of what `concluded` threw: a bug of ours that changes no answer. */
  readonly unrecorded: (failure: unknown, decisionId: string) => void;
}

/**
 * What judges Checks. Synchronous.
 *
 * INVARIANT: not reentrant; progress and keys are records of the process.
 */
export interface Check {
  /**
   * Returns what `respond` makes of the outcome of one serialised CheckRequest. What throws inside, in
   * `respond` too, is a denial with the reason `internal`; the outcome that was told is the one that is
   * recorded. Throws only what `respond` throws of a denial, and has then recorded nothing.
   */
  answer<T>(message: Uint8Array, respond: (outcome: CheckOutcome) => T): T;
  /** Returns the recorded denial of a Check that never came here, or whose answer was lost (HDR-010, 011). */
  refuse(reason: ListenerDenial): CheckOutcome;
}

/** Nobody has read the request: neither its service's mode nor what is to be stripped from it is known. */
const unread: ConcludeOptions = { verbose: false, dryRun: false };

/** Returns the judge of a process. */
export function createCheck(parts: CheckParts): Check {
  const progress = createProgress();
  const record = (outcome: CheckOutcome): void => {
    try {
      parts.concluded(outcome, progress);
    } catch (failure) {
      parts.unrecorded(failure, outcome.decisionId);
    }
  };
  return {
    answer(message, respond) {
      const startNs = parts.monotonicNs();
      const decisionId = parts.nextDecisionId();
      restart(progress);
      parts.stages.start();
      let outcome: CheckOutcome;
      let response: ReturnType<typeof respond>;
      try {
        const decision = judge(message, parts, progress);
        parts.stages.enter("respond");
        const durationNs = parts.monotonicNs() - startNs;
        outcome = conclude(progress, decision, decisionId, durationNs, parts.conclude);
        response = respond(outcome);
      } catch (failure) {
        parts.failed(failure, decisionId);
        // Of this answer no evaluator knows.
        progress.input = null;
        const durationNs = parts.monotonicNs() - startNs;
        outcome = conclude(progress, denied("internal"), decisionId, durationNs, parts.conclude);
        response = respond(outcome);
      }
      parts.stages.end();
      record(outcome);
      return response;
    },
    refuse(reason) {
      restart(progress);
      const decisionId = parts.nextDecisionId();
      const outcome = conclude(progress, denied(reason), decisionId, 0, unread);
      record(outcome);
      return outcome;
    },
  };
}

/** The journey of one Check, from Envoy's bytes to a decision. */
function judge(message: Uint8Array, parts: CheckParts, progress: Progress): Decision {
  const { decoder, identification, memory, keys, stages } = parts;
  const snapshot = parts.snapshot();
  progress.position = snapshot?.position ?? null;

  const attributes = decoder.decode(message);
  if (isDenied(attributes)) return end(progress, attributes);
  progress.attributes = attributes;
  if (snapshot === null) return denied("bundle-missing");

  const service = selectService(snapshot.services, attributes);
  if (isDenied(service)) return end(progress, service);
  progress.service = service;

  const asked = askedCheck(service, attributes, parts.nowMs());
  const remembered = memory.recall(snapshot, asked);
  if (remembered !== null) return answerAgain(remembered, parts, progress);

  stages.enter("resolve");
  const request = resolve(service, attributes);
  if (isDenied(request)) return end(progress, request);
  progress.request = request;
  if (isTooOld(parts.bundleAgeMs(), request, parts.staleness)) return denied("bundle-stale");

  stages.enter("authenticate");
  const authentication =
    request.implied === null
      ? prove(asked, parts)
      : authenticateNobody(attributes, parts.tokens.issuers);
  if (isDenied(authentication)) return end(progress, authentication);
  progress.authentication = authentication;

  stages.enter("map");
  const identity = identification.identify(snapshot, authentication, asked, request);
  if (isDenied(identity)) return end(progress, identity);
  const { caller, attested } = identity;
  progress.principal = caller.mapped.principal;

  stages.enter("evaluate");
  const input = { asked, caller, attested, keys };
  const decided = decide(request, input);
  progress.request = decided.request;
  progress.cache = memory.keep(snapshot, input, request, decided.decision);
  progress.input = input;
  return decided.decision;
}

function prove(
  { attributes, service, nowMs }: AskedCheck,
  { tokens }: CheckParts,
): Authentication | Denied {
  // Unknown tokens are charged to whoever is on the other end of the connection.
  tokens.peer = attributes.sourcePrincipal || (attributes.sourceAddress ?? "");
  const { issuers, verify, knownHeader } = tokens;
  return authenticate(attributes, service.definition, issuers, nowMs, verify, knownHeader);
}

function answerAgain(
  { answer, input, authentication }: Remembered,
  { bundleAgeMs, staleness }: CheckParts,
  progress: Progress,
): Decision {
  progress.request = answer.request;
  if (isTooOld(bundleAgeMs(), answer.request, staleness)) return denied("bundle-stale");
  progress.authentication = authentication;
  progress.principal = input.caller.mapped.principal;
  progress.cache = "hit";
  progress.input = input;
  return answer.decision;
}

function end(progress: Progress, reached: Denied): Decision {
  progress.detail = reached.detail;
  progress.ended = reached.reason;
  return denied(reached.reason);
}
