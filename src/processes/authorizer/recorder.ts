import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import type { DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Metrics } from "../../adapters/telemetry/metrics.ts";
import { clientAddress } from "../../domain/request/client-address.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import { formatAnswer } from "../../iam/scenario.ts";
import { formatScenario } from "../../iam/scenario-format.ts";
import type { Progress } from "./conclude.ts";
import { contextOf, type DecisionInput, questionOf } from "./decide.ts";
import { documentLayers, type KeptQuestion, keepQuestion } from "./kept-question.ts";
import { type Mismatch, SelfCheck } from "./self-check.ts";
import type { Sync } from "./sync.ts";

export interface RecorderParts {
  readonly config: AuthorizerConfig;
  readonly metrics: Metrics;
  readonly decisionLog: DecisionLog;
  readonly log: Log;
  readonly sync: Sync;
  readonly nowMs: () => number;
  /** A number from 0 up to 1: which decisions are decided again. */
  readonly random: () => number;
  /** Runs work after the Check was answered. */
  readonly later: (work: () => void) => void;
}

/** What is written down of Checks: metrics, the decision log, and the second evaluator's word. */
export interface Recorder {
  readonly concluded: (outcome: CheckOutcome, progress: Progress) => void;
  /** Decisions that the reference evaluator decided again, and those it decided otherwise. */
  readonly selfCheck: { readonly samples: number; readonly mismatches: number };
}

/**
 * Returns the recorder of a process. Nothing it does delays or changes an answer. A remembered decision
 * is written and sampled like one just made: the memory is under the second evaluator's eye too.
 */
export function createRecorder(parts: RecorderParts): Recorder {
  const { config, metrics, decisionLog, log, sync, nowMs } = parts;
  const keepsInput = config.decisionLogs.input;

  const selfCheck = new SelfCheck({
    sampleRate: config.selfCheck.sampleRate,
    random: parts.random,
    later: parts.later,
    checked: (agrees) => metrics.selfCheck(agrees),
    mismatch: (mismatch) => tellMismatch(mismatch, sync, decisionLog, log, nowMs()),
    failed: (failure) =>
      log.error("self-check-failed", "a decision could not be decided again", { err: failure }),
  });
  const keep = (request: ResolvedRequest, input: DecisionInput): KeptQuestion => {
    const compiler = sync.snapshot?.compiler;
    // INVARIANT: a decision is of the snapshot in force; a Check is synchronous.
    if (compiler === undefined) throw new TypeError("a decision without a snapshot");
    const { service } = input.asked;
    const readable = questionOf(request, input).reads(request.action).keys;
    const layers = documentLayers(input.caller, service, request.implied !== null, compiler);
    return keepQuestion(contextOf(request, input), readable, layers);
  };

  return {
    selfCheck,
    concluded(outcome, progress) {
      metrics.recordCheck(outcome);
      metrics.decisionCache(progress.cache);
      const { attributes, request, input, authentication } = progress;
      const isDecided = request !== null && input !== null;
      if (isDecided && selfCheck.wants()) {
        selfCheck.add(outcome.decision, () => keep(request, input));
      }
      if (decisionLog.leavesOut(outcome)) return;
      decisionLog.record(outcome, attributes, nowMs(), {
        sourceIp:
          config.trustedHops > 0 && attributes !== null
            ? clientAddress(attributes, config.trustedHops)
            : null,
        droppedTokens: authentication?.dropped ?? [],
        ...(keepsInput && isDecided
          ? { input: () => JSON.parse(scenarioOf(outcome.decisionId, keep(request, input))) }
          : {}),
      });
    },
  };
}

function scenarioOf(id: string, { context, keys, layers }: KeptQuestion): string {
  return formatScenario(id, context, keys, layers);
}

function tellMismatch(
  { question, engine, reference }: Mismatch,
  sync: Sync,
  decisionLog: DecisionLog,
  log: Log,
  timeMs: number,
): void {
  const scenario = scenarioOf("self-check", question);
  log.error("self-check-mismatch", "the two evaluators disagree; this is a bug of mesh-iam", {
    engine: engine.decision,
    reference: reference.decision,
    scenario,
  });
  const position = sync.snapshot?.position;
  decisionLog.recordSelfCheck({
    decisionId: "self-check",
    timeMs,
    epoch: position?.epoch ?? 0,
    revision: position?.revision ?? 0,
    compiled: formatAnswer("compiled", engine, []),
    reference: formatAnswer("reference", reference, []),
    scenario: JSON.parse(scenario),
  });
}
